//! Promise: never below. By Evenkeel's doing no service has fewer healthy tasks than it is owed.
//!
//! Owed is the desired count, less what a recorded move has added to it. Judged at every tick in which a
//! healthy task was told to stop by `StopTask` or by scale-in: the healthy tasks that remain must be at least
//! those owed. A dip from another cause (a lost host, a sick task, a deployment, a drain, a desired count
//! somebody raised) breaks no promise, but it excuses a stop only while it is so fresh that a careful caller
//! could not have seen it before the stop was already under way. Stopping in a service that has been short
//! for longer is a violation, whoever made it short.

use std::collections::BTreeMap;
use std::time::Duration;

use super::Violation;
use super::survey::{ServiceNow, Stop, Survey};
use crate::account::StopCause;
use crate::time::SimTime;

/// How long a loss excuses: the scheduler's longest reaction to a lowered count (six seconds), the tick, and
/// the reads and the write of a caller before it.
const EXCUSES_FOR: Duration = Duration::from_secs(15);

/// Remembers recent losses of each service.
#[derive(Clone, Debug, Default)]
pub(super) struct NeverBelow {
    /// Whether `StopTask` may go down to the minimum healthy percent.
    pub(super) stop_strategy: bool,
    recent: BTreeMap<String, Vec<(SimTime, u32)>>,
    owed: BTreeMap<String, u32>,
    /// Until when scale-in is by others' doing; to be counted from the next look.
    others_until: Option<SimTime>,
    others_begin: bool,
}

/// How long ECS goes on stopping what a drain that somebody has taken back leaves over.
const TAKEN_BACK: Duration = Duration::from_mins(3);

impl NeverBelow {
    pub(super) fn scale_in_by_others(&mut self) {
        self.others_begin = true;
    }

    pub(super) fn check(&mut self, survey: &Survey) -> Vec<Violation> {
        let mut found = Vec::new();
        if std::mem::take(&mut self.others_begin) {
            self.others_until = Some(survey.at + TAKEN_BACK);
        }
        let by_others = self.others_until.is_some_and(|until| survey.at <= until);
        for (name, now) in &survey.services {
            let stops: Vec<_> =
                survey.stops.iter().filter(|stop| stop.service.as_ref() == Some(name)).collect();
            self.remember(survey.at, name, now, &stops);
            let is_excused = |stop: &Stop| by_others && stop.cause == Some(StopCause::ScaleIn);
            if stops.iter().any(|stop| is_own(stop) && !is_excused(stop)) {
                found.extend(self.judge(survey.at, name, now, &stops));
            }
        }
        found
    }

    /// Adds the losses of this tick that are not Evenkeel's, and a rise of what is owed, which is one too.
    fn remember(&mut self, at: SimTime, name: &str, now: &ServiceNow, stops: &[&Stop]) {
        let stopped = stops.iter().filter(|stop| stop.was_healthy && !is_own(stop)).count() as u32;
        let rise =
            now.owed().saturating_sub(self.owed.insert(name.to_owned(), now.owed()).unwrap_or(now.owed()));
        let lost = stopped + now.turned_unhealthy + rise;
        let recent = self.recent.entry(name.to_owned()).or_default();
        recent.retain(|(then, _)| at.since(*then) <= EXCUSES_FOR);
        if lost > 0 {
            recent.push((at, lost));
        }
    }

    fn judge(&self, at: SimTime, name: &str, now: &ServiceNow, stops: &[&Stop]) -> Option<Violation> {
        let by_api = stops.iter().filter(|stop| is_own(stop)).all(|stop| stop.cause == Some(StopCause::Api));
        let owed = if by_api && self.stop_strategy { minimum(now) } else { now.owed() };
        let excused: u32 = self.recent[name].iter().map(|(_, lost)| lost).sum();
        if now.healthy + excused >= owed {
            return None;
        }
        let causes: Vec<_> = stops.iter().filter(|stop| is_own(stop)).filter_map(|stop| stop.cause).collect();
        let what =
            format!("{} healthy tasks are left of {owed} owed after a stop by {causes:?}", now.healthy);
        Some(Violation { at, checker: "never_below", subject: name.to_owned(), what })
    }
}

/// Whether a healthy task was stopped by what Evenkeel can do.
fn is_own(stop: &Stop) -> bool {
    stop.was_healthy && matches!(stop.cause, Some(StopCause::Api | StopCause::ScaleIn))
}

fn minimum(now: &ServiceNow) -> u32 {
    (now.owed() * now.minimum_healthy_percent).div_ceil(100)
}

#[cfg(test)]
mod tests {
    use crate::account::{Account, StopCode};
    use crate::builder::AccountBuilder;
    use crate::checkers::Checkers;
    use crate::scheduler::{Engine, hosts, lifecycle};
    use std::time::Duration;

    fn three_tasks() -> (Account, Engine, Checkers) {
        let account = AccountBuilder::new(8)
            .cluster("web")
            .instance("i-a1", "a", |i| i)
            .instance("i-b1", "b", |i| i)
            .task_definition("web", |t| t)
            .service("web", |s| s.on(&["i-a1", "i-a1", "i-b1"]).min_max(50, 200))
            .build();
        let checkers = Checkers::new(&account);
        (account, Engine::new(8), checkers)
    }

    fn run(account: &mut Account, engine: &mut Engine, checkers: &mut Checkers, seconds: u64) {
        let until = account.now + Duration::from_secs(seconds);
        engine.advance(account, until, &mut |account| checkers.check(account));
    }

    fn stop_first(account: &mut Account) {
        let arn =
            account.clusters["web"].tasks.values().find(|task| task.is_wanted()).expect("built").arn.clone();
        lifecycle::begin_stop(account, "web", &arn, StopCode::UserInitiated, "test");
    }

    fn set_desired(account: &mut Account, desired: u32, record: Option<&str>) {
        let service = account.clusters.get_mut("web").and_then(|cluster| cluster.services.get_mut("web"));
        let service = service.expect("built");
        service.desired_count = desired;
        service.tags = record
            .map(|value| (super::super::record::TAG.to_owned(), value.to_owned()))
            .into_iter()
            .collect();
    }

    #[test]
    fn stopping_a_task_of_a_full_service_is_below() {
        let (mut account, mut engine, mut checkers) = three_tasks();
        stop_first(&mut account);
        run(&mut account, &mut engine, &mut checkers, 5);
        assert_eq!(checkers.violations().len(), 1, "{:?}", checkers.violations());
    }

    #[test]
    fn the_stop_strategy_may_go_down_to_the_minimum_and_no_further() {
        let (mut account, mut engine, mut checkers) = three_tasks();
        checkers.allow_stop_strategy();
        stop_first(&mut account);
        run(&mut account, &mut engine, &mut checkers, 1);
        assert_eq!(checkers.violations(), []);
        stop_first(&mut account);
        run(&mut account, &mut engine, &mut checkers, 1);
        assert_eq!(checkers.violations().len(), 1);
    }

    #[test]
    fn a_surge_that_waits_for_the_new_task_is_never_below() {
        let (mut account, mut engine, mut checkers) = three_tasks();
        set_desired(&mut account, 4, Some("1:surge:3:1"));
        run(&mut account, &mut engine, &mut checkers, 120);
        set_desired(&mut account, 3, Some("1:surge:3:1"));
        run(&mut account, &mut engine, &mut checkers, 60);
        assert_eq!(checkers.violations(), []);
        assert_eq!(checkers.measures().of("web", "web").task_seconds_below, 0);
    }

    #[test]
    fn a_surge_lowered_before_the_new_task_is_healthy_is_below() {
        let below = (0..20).filter(|seed| {
            let (mut account, _, mut checkers) = three_tasks();
            account.dice = *seed;
            let mut engine = Engine::new(*seed);
            set_desired(&mut account, 4, Some("1:surge:3:1"));
            run(&mut account, &mut engine, &mut checkers, 20);
            set_desired(&mut account, 3, Some("1:surge:3:1"));
            run(&mut account, &mut engine, &mut checkers, 60);
            !checkers.violations().is_empty()
        });
        assert!(below.count() > 0, "scale-in takes a healthy task in some of the runs");
    }

    #[test]
    fn a_lost_host_is_nobodys_fault_but_stopping_on_top_of_it_is() {
        let (mut account, mut engine, mut checkers) = three_tasks();
        hosts::terminate(&mut account, "i-b1");
        run(&mut account, &mut engine, &mut checkers, 35);
        assert_eq!(checkers.violations(), []);
        run(&mut account, &mut engine, &mut checkers, 20);
        stop_first(&mut account);
        run(&mut account, &mut engine, &mut checkers, 1);
        assert_eq!(checkers.violations().len(), 1);
    }

    #[test]
    fn what_others_do_can_be_left_to_them() {
        let (mut account, mut engine, mut checkers) = three_tasks();
        checkers.leave_to_others("web/web");
        stop_first(&mut account);
        run(&mut account, &mut engine, &mut checkers, 5);
        assert_eq!(checkers.violations(), []);
    }
}
