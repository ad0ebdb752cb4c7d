//! The verdict on one service: its measures, its moves, and the reasons for what is not done.

use std::collections::BTreeSet;

use crate::ids::{ContainerInstanceArn, ServiceName};
use crate::plan::candidate::{self, Worth};
use crate::plan::case::Case;
use crate::plan::eligible::{Survey, survey};
use crate::plan::proposal::{Limits, ServicePlan, Witness};
use crate::plan::reason::{Reason, Subject, SubjectKind};
use crate::plan::sequence::sequence;

/// A service's plan and what the choice of starts needs beside it.
pub struct Planned {
    /// The plan.
    pub plan: ServicePlan,
    /// Where the starts of the first move may land.
    pub reach: BTreeSet<ContainerInstanceArn>,
}

/// Plans one service.
pub fn plan_service(case: &Case<'_>) -> Planned {
    let mut planned = Planned { plan: ServicePlan::quiet(&case.service.name), reach: BTreeSet::new() };
    if let Err(reason) = decide(&mut planned, case) {
        planned.plan.block(reason);
    }
    planned
}

/// The checks in their order; the first that fails ends the matter.
fn decide(planned: &mut Planned, case: &Case<'_>) -> Result<(), Reason> {
    let plan = &mut planned.plan;
    refuse(candidate::reason_never(case.service))?;
    plan.blocked = candidate::pending_too_long(case);
    let definition = case.definition();
    let survey = survey(case, definition.as_ref().ok().copied());
    if let Ok(survey) = &survey {
        plan.measure(survey);
    }
    refuse(candidate::reason_not_now(case))?;
    let survey = survey?;
    let worth = candidate::worth(case, &survey);
    if worth != Worth::Nothing {
        plan.tell_of_instances(&survey);
    }
    match worth {
        Worth::Nothing => return Ok(()),
        Worth::Blocked(reason) => return Err(reason),
        Worth::Moving => definition?,
    };
    refuse(candidate::reason_protected(case))?;
    planned.foresee(survey, case.limits)
}

fn refuse(reason: Option<Reason>) -> Result<(), Reason> {
    reason.map_or(Ok(()), Err)
}

impl Planned {
    fn foresee(&mut self, survey: Survey<'_>, limits: &Limits) -> Result<(), Reason> {
        let arns: Vec<ContainerInstanceArn> =
            survey.placement.seats.iter().map(|seat| seat.instance.arn.clone()).collect();
        let sequence = sequence(survey, limits, &self.plan.service, usize::MAX);
        self.reach = sequence.reach.into_iter().map(|seat| arns[seat].clone()).collect();
        self.plan.skew_after = sequence.moves.last().map(|last| last.skew_after).or(self.plan.raw_skew);
        self.plan.moves = sequence.moves;
        refuse(sequence.stuck)
    }
}

impl ServicePlan {
    fn quiet(service: &ServiceName) -> Self {
        Self {
            service: service.clone(),
            raw_skew: None,
            best_skew: None,
            skew_after: None,
            article_skew: None,
            excess: 0,
            lower_bound: 0,
            witness: Vec::new(),
            moves: Vec::new(),
            blocked: Vec::new(),
        }
    }

    /// Adds a reason that concerns the service as a whole.
    pub fn block(&mut self, reason: Reason) {
        self.blocked.push(Subject::new(SubjectKind::Service, &self.service).blocked(reason));
    }

    fn measure(&mut self, survey: &Survey<'_>) {
        let layout = survey.layout();
        let nearest = layout.nearest();
        self.raw_skew = Some(layout.skew());
        self.skew_after = self.raw_skew;
        self.best_skew = Some(layout.skew_of(&nearest));
        self.article_skew = Some(layout.article_skew());
        self.excess = layout.excess();
        self.lower_bound = self.excess;
        if self.excess > 0 {
            self.witness = witness(survey, &nearest);
        }
    }

    /// Instances whose state an operator may wonder about: those with tasks that stay where they are, and those that
    /// will or would be targets.
    fn tell_of_instances(&mut self, survey: &Survey<'_>) {
        for (seat, reason) in survey.placement.seats.iter().zip(&survey.ineligible) {
            let is_coming = matches!(reason, Some(Reason::WarmingUp { .. } | Reason::AgentDisconnected));
            if let Some(reason) = reason.as_ref().filter(|_| is_coming || seat.tasks > 0) {
                let subject = Subject::new(SubjectKind::ContainerInstance, &seat.instance.arn);
                self.blocked.push(subject.blocked(reason.clone()));
            }
        }
    }
}

/// Places without a task now and then prove nothing and are left out.
fn witness(survey: &Survey<'_>, nearest: &[Vec<u32>]) -> Vec<Witness> {
    let targets = survey.zones.iter().flatten().zip(nearest.iter().flatten());
    let witnesses = targets.map(|(at, target)| {
        let seat = &survey.placement.seats[*at];
        let (container_instance, zone) = (seat.instance.arn.clone(), seat.instance.zone.clone());
        Witness { container_instance, zone, tasks: seat.tasks, target: *target }
    });
    witnesses.filter(|witness| witness.tasks + witness.target > 0).collect()
}
