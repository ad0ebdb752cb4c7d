//! The verdict on one service: its measures, its moves, and the reasons for what is not done.

use std::collections::BTreeSet;

use crate::ids::{ContainerInstanceArn, ServiceName};
use crate::plan::candidate::{self, Worth};
use crate::plan::case::Case;
use crate::plan::eligible::{Survey, survey};
use crate::plan::proposal::{ServicePlan, Witness};
use crate::plan::reason::{Reason, Subject, SubjectKind};
use crate::plan::sequence::sequence;

/// A service's plan and what the choice of starts needs beside it.
pub struct Planned {
    /// The plan.
    pub plan: ServicePlan,
    /// Where the starts of the first move may land.
    pub reach: BTreeSet<ContainerInstanceArn>,
    /// Whether it is to be moved; the moves themselves are yet to be foreseen.
    pub is_open: bool,
}

/// Judges one service: its measures, and whether it is to be moved.
pub fn judge_service(case: &Case<'_>) -> Planned {
    let mut planned = Planned::quiet(&case.service.name);
    match decide(&mut planned.plan, case) {
        Ok(is_open) => planned.is_open = is_open,
        Err(reason) => planned.plan.block(reason),
    }
    planned
}

/// The checks in their order; the first that fails ends the matter.
fn decide(plan: &mut ServicePlan, case: &Case<'_>) -> Result<bool, Reason> {
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
        Worth::Nothing => return Ok(false),
        Worth::Blocked(reason) => return Err(reason),
        Worth::Moving => definition?,
    };
    refuse(candidate::reason_protected(case))?;
    Ok(true)
}

fn refuse(reason: Option<Reason>) -> Result<(), Reason> {
    reason.map_or(Ok(()), Err)
}

impl Planned {
    /// A service of which nothing is said.
    pub fn quiet(service: &ServiceName) -> Self {
        Self { plan: ServicePlan::quiet(service), reach: BTreeSet::new(), is_open: false }
    }

    /// Foresees at most `moves_max` moves of an open service.
    pub fn foresee(&mut self, case: &Case<'_>, moves_max: usize) {
        let survey = match case.definition().and_then(|definition| survey(case, Some(definition))) {
            Ok(survey) => survey,
            Err(reason) => return self.plan.block(reason),
        };
        let arns: Vec<ContainerInstanceArn> =
            survey.placement.seats.iter().map(|seat| seat.instance.arn.clone()).collect();
        let sequence = sequence(survey, case.limits, &self.plan.service, moves_max);
        self.reach = sequence.reach.into_iter().map(|seat| arns[seat].clone()).collect();
        self.plan.skew_after = sequence.moves.last().map(|last| last.skew_after).or(self.plan.raw_skew);
        self.plan.moves = sequence.moves;
        if let Some(stuck) = sequence.stuck {
            self.plan.block(stuck);
        }
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
