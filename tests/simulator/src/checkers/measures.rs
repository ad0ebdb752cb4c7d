//! What a run cost: not promises but numbers, for comparing strategies and for the README.

use std::collections::BTreeMap;

use super::survey::{ServiceNow, Stop, Survey};
use crate::account::StopCause;
use crate::time::SimTime;

/// Costs of a run, by service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Measures {
    /// By `cluster/service`; REPLICA services only.
    pub services: BTreeMap<String, OfService>,
    /// When a task of one of them was last started or told to stop.
    pub last_change: Option<SimTime>,
}

/// Costs of one service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OfService {
    /// Seconds times healthy tasks short of those owed (desired, less the increment of a recorded move).
    pub task_seconds_below: u64,
    /// The most healthy tasks that were missing at one moment.
    pub deepest_dip: u32,
    /// Tasks that got SIGTERM while a target of theirs was still registered.
    pub undrained_kills: u32,
    /// Healthy tasks that a call ended, and not ECS in its own order: `StopTask`, or the forced deregistration of their
    /// instance.
    pub stopped_by_call: u32,
    /// Tasks started.
    pub starts: u32,
    /// Seconds times wanted tasks above those owed.
    pub surplus_task_seconds: u64,
}

impl Measures {
    /// The costs of one service so far.
    pub fn of(&self, cluster: &str, service: &str) -> OfService {
        self.services.get(&format!("{cluster}/{service}")).copied().unwrap_or_default()
    }

    /// Adds one second.
    pub(super) fn add(&mut self, survey: &Survey) {
        for (name, now) in &survey.services {
            match self.services.get_mut(name) {
                Some(costs) => costs.add(now),
                None => self.services.entry(name.clone()).or_default().add(now),
            }
        }
        let mut stops = survey.stops.iter().filter(|stop| stop.service.is_some() && !stop.daemon).peekable();
        if stops.peek().is_some() || survey.services.values().any(|now| now.started > 0) {
            self.last_change = Some(survey.at);
        }
        for name in stops.filter(|stop| is_by_call(stop)).filter_map(|stop| stop.service.as_ref()) {
            self.services.entry(name.clone()).or_default().stopped_by_call += 1;
        }
    }
}

fn is_by_call(stop: &Stop) -> bool {
    stop.was_healthy && stop.cause == Some(StopCause::Api)
}

impl OfService {
    fn add(&mut self, now: &ServiceNow) {
        let missing = now.owed().saturating_sub(now.healthy);
        self.task_seconds_below += u64::from(missing);
        self.deepest_dip = self.deepest_dip.max(missing);
        self.undrained_kills += now.undrained;
        self.starts += now.started;
        self.surplus_task_seconds += u64::from(now.wanted.saturating_sub(now.owed()));
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::account::{Account, StopCode};
    use crate::builder::AccountBuilder;
    use crate::checkers::Checkers;
    use crate::scheduler::{Engine, lifecycle};

    #[test]
    fn a_stop_by_call_is_told_from_one_of_ecs() {
        let mut account = AccountBuilder::new(2)
            .cluster("web")
            .instance("i-a1", "a", |i| i)
            .task_definition("web", |t| t)
            .service("web", |s| s.on(&["i-a1"; 3]))
            .build();
        let (mut checkers, mut engine) = (Checkers::new(&account), Engine::new(2));
        let mut live = |account: &mut Account, checkers: &mut Checkers| {
            let until = account.now + Duration::from_mins(5);
            engine.advance(account, until, &mut |account| checkers.check(account));
        };
        live(&mut account, &mut checkers);
        assert_eq!(checkers.measures().last_change, None);
        let task = account.clusters["web"].tasks.keys().next().cloned().expect("there are three");
        lifecycle::begin_stop(&mut account, "web", &task, StopCode::UserInitiated, "by hand");
        let begin = account.now;
        live(&mut account, &mut checkers);
        account
            .clusters
            .get_mut("web")
            .and_then(|it| it.services.get_mut("web"))
            .expect("built")
            .desired_count = 2;
        live(&mut account, &mut checkers);
        let web = checkers.measures().of("web", "web");
        assert_eq!((web.stopped_by_call, web.starts), (1, 1), "{web:?}");
        assert!(checkers.measures().last_change.is_some_and(|at| at > begin + Duration::from_mins(4)));
    }
}
