//! Which container instances may take tasks of a service, and why the others may not.
//!
//! Eligible (design notes D.2.1): ACTIVE, agent connected, of the service's capacity provider, meeting the constraints
//! and attributes, large enough for one task, and registered for longer than the warm-up. A warming instance is the one
//! case in which ECS would place a task where Evenkeel does not want one yet. Tasks on instances that are not eligible
//! are never moved and stay counted where they are.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use crate::ids::{ContainerInstanceArn, TaskArn, ZoneName};
use crate::plan::case::Case;
use crate::plan::constraint::{Expression, Facts};
use crate::plan::placement::{self, Placement, Seat, SpreadField};
use crate::plan::reason::Reason;
use crate::plan::spread::{Layout, Place};
use crate::plan::stoppable::is_stoppable;
use crate::snapshot::{
    ContainerInstance, ContainerInstanceStatus, PlacementConstraint, PlacementStrategy, Resources, Service,
    Task, TaskDefinition,
};

/// On which levels a service's tasks are to be equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Levels {
    /// Zones first, then the instances of each zone.
    ZonesThenInstances,
    /// Zones only: inside a zone the service packs on purpose.
    Zones,
    /// Instances, whatever their zone.
    Instances,
}

/// A service's view of the cluster.
#[derive(Clone, Debug)]
pub struct Survey<'a> {
    /// Every container instance that ECS may choose or that holds tasks of the service.
    pub placement: Placement<'a>,
    /// For each seat, why it is not eligible.
    pub ineligible: Vec<Option<Reason>>,
    /// The wanted tasks on each seat.
    pub tasks: Vec<Vec<&'a Task>>,
    /// Seats by zone, in order of name and ARN; one group if zones do not matter.
    pub zones: Vec<Vec<usize>>,
    /// On which levels the tasks are to be equal.
    pub levels: Levels,
    /// Whether a task may be stopped before it is replaced.
    pub may_stop: bool,
}

/// The levels that a chain of strategies aims at, or why this version leaves such a service alone.
pub fn levels(strategy: &[PlacementStrategy]) -> Result<Levels, Reason> {
    if let Some(other) = strategy.iter().find(|link| !is_foreseeable(link)) {
        return Err(Reason::UnknownStrategy { strategy: words(other) });
    }
    let Some((first, rest)) = strategy.split_first() else { return Ok(Levels::ZonesThenInstances) };
    match first {
        PlacementStrategy::Random => Err(Reason::RandomStrategy),
        PlacementStrategy::Binpack(_) => Err(Reason::BinpackFirst),
        PlacementStrategy::Spread(field) if SpreadField::parse(field) == SpreadField::Instance => {
            Ok(Levels::Instances)
        }
        _ if matches!(rest.first(), Some(PlacementStrategy::Binpack(_))) => Ok(Levels::Zones),
        _ => Ok(Levels::ZonesThenInstances),
    }
}

/// Spread over other attributes would be a third level, which the arithmetic of this version does not have.
fn is_foreseeable(link: &PlacementStrategy) -> bool {
    match link {
        PlacementStrategy::Random => true,
        PlacementStrategy::Binpack(field) => ["cpu", "memory"].contains(&field.to_ascii_lowercase().as_str()),
        PlacementStrategy::Spread(field) => {
            matches!(SpreadField::parse(field), SpreadField::Zone | SpreadField::Instance)
        }
        PlacementStrategy::Other(_) => false,
    }
}

fn words(link: &PlacementStrategy) -> String {
    match link {
        PlacementStrategy::Random => "random".to_owned(),
        PlacementStrategy::Spread(field) => format!("spread({field})"),
        PlacementStrategy::Binpack(field) => format!("binpack({field})"),
        PlacementStrategy::Other(name) => name.clone(),
    }
}

/// What a service and its task definition ask of an instance.
#[derive(Clone, Debug)]
pub struct Requirements<'a> {
    providers: &'a [String],
    expressions: Vec<(&'a str, Expression)>,
    definition: Option<&'a TaskDefinition>,
    /// Each task on another instance (`distinctInstance`).
    pub is_distinct: bool,
}

impl<'a> Requirements<'a> {
    /// Reads them; the error says which constraint this version does not know.
    pub fn read(service: &'a Service, definition: Option<&'a TaskDefinition>) -> Result<Self, Reason> {
        let of_definition = definition.map_or(&[][..], |definition| &definition.placement_constraints);
        let mut requirements = Self {
            providers: &service.capacity_providers,
            expressions: Vec::new(),
            definition,
            is_distinct: false,
        };
        for constraint in service.placement_constraints.iter().chain(of_definition) {
            requirements.add(constraint)?;
        }
        Ok(requirements)
    }

    fn add(&mut self, constraint: &'a PlacementConstraint) -> Result<(), Reason> {
        match constraint {
            PlacementConstraint::DistinctInstance => self.is_distinct = true,
            PlacementConstraint::MemberOf(text) => {
                let expression = Expression::parse(text).map_err(|error| Reason::ConstraintUnreadable {
                    expression: format!("{text} ({error})"),
                })?;
                self.expressions.push((text, expression));
            }
            PlacementConstraint::Other(name) => {
                return Err(Reason::ConstraintUnreadable { expression: name.clone() });
            }
        }
        Ok(())
    }

    /// Without a task definition nothing is known of its needs: it then needs nothing, so that nothing is ruled out.
    fn need(&self) -> Resources {
        self.definition.map_or_else(Resources::default, placement::need)
    }

    /// Why ECS places no task of the service on an instance; the outer error says that this cannot be told.
    pub fn reason_not_admitted(&self, instance: &ContainerInstance) -> Result<Option<Reason>, Reason> {
        if instance.status != ContainerInstanceStatus::Active {
            return Ok(Some(Reason::NotInService { state: format!("{:?}", instance.status).to_uppercase() }));
        }
        if !instance.agent_connected {
            return Ok(Some(Reason::AgentDisconnected));
        }
        if let Some(provider) = self.providers.first().filter(|_| !self.is_of_provider(instance)) {
            return Ok(Some(Reason::OtherCapacityProvider { provider: provider.clone() }));
        }
        // One that is plainly not met settles it, whatever cannot be told of the others.
        let mut untold = None;
        for (text, expression) in &self.expressions {
            match expression.holds(Facts { instance, tasks_running: None }) {
                Some(true) => {}
                Some(false) => return Ok(Some(Reason::ConstraintNotMet { expression: (*text).to_owned() })),
                None => untold = untold.or(Some(*text)),
            }
        }
        if let Some(text) = untold {
            return Err(Reason::ConstraintUnreadable { expression: text.to_owned() });
        }
        Ok(self.attribute_missing(instance))
    }

    fn is_of_provider(&self, instance: &ContainerInstance) -> bool {
        instance.capacity_provider.as_ref().is_some_and(|name| self.providers.contains(name))
    }

    fn attribute_missing(&self, instance: &ContainerInstance) -> Option<Reason> {
        let required = &self.definition?.requires_attributes;
        let is_missing = |(name, value): &(&String, &Option<String>)| match instance.attributes.get(*name) {
            None => true,
            Some(present) => value.is_some() && present != *value,
        };
        let (name, _) = required.iter().find(is_missing)?;
        Some(Reason::AttributeMissing { attribute: name.clone() })
    }
}

/// Looks at the cluster with a service's eyes; the error says why it cannot be done.
pub fn survey<'a>(case: &Case<'a>, definition: Option<&'a TaskDefinition>) -> Result<Survey<'a>, Reason> {
    let levels = levels(&case.service.placement_strategy)?;
    let requirements = Requirements::read(case.service, definition)?;
    let mut placed = placed_tasks(case);
    let mut survey = Survey::empty(levels, &requirements);
    survey.may_stop = is_stoppable(case.limits, case.service);
    for instance in case.snapshot.container_instances.values() {
        let tasks = placed.remove(&instance.arn).unwrap_or_default();
        let refused = requirements.reason_not_admitted(instance)?;
        survey.add(instance, tasks, refused, reason_too_young(case, instance));
    }
    if let Some((missing, _)) = placed.pop_first() {
        return Err(Reason::CannotTell { what: format!("container instance {missing} was not described") });
    }
    survey.placement.follow(&case.service.placement_strategy);
    survey.group_by_zone()?;
    Ok(survey)
}

fn placed_tasks<'a>(case: &Case<'a>) -> BTreeMap<&'a ContainerInstanceArn, Vec<&'a Task>> {
    let mut placed: BTreeMap<_, Vec<&Task>> = BTreeMap::new();
    for task in &case.tasks {
        if let Some(instance) = &task.container_instance {
            placed.entry(instance).or_default().push(*task);
        }
    }
    placed
}

/// Why an instance is too new to be a target; one that does not say when it registered counts as new.
fn reason_too_young(case: &Case<'_>, instance: &ContainerInstance) -> Option<Reason> {
    let now = case.snapshot.observed_at;
    let until = instance.registered_at.unwrap_or(now) + case.limits.warm_up;
    (until > now).then_some(Reason::WarmingUp { until })
}

impl<'a> Survey<'a> {
    fn empty(levels: Levels, requirements: &Requirements<'_>) -> Self {
        let placement = Placement::new(requirements.need(), requirements.is_distinct);
        Self {
            placement,
            ineligible: Vec::new(),
            tasks: Vec::new(),
            zones: Vec::new(),
            levels,
            may_stop: false,
        }
    }

    /// Adds an instance, unless it can neither take nor hold tasks of the service.
    fn add(
        &mut self,
        instance: &'a ContainerInstance,
        tasks: Vec<&'a Task>,
        refused: Option<Reason>,
        too_young: Option<Reason>,
    ) {
        let at = self.placement.seats.len();
        let (count, free, is_admitted) = (tasks.len() as u32, instance.remaining.clone(), refused.is_none());
        self.placement.seats.push(Seat { instance, tasks: count, free, is_admitted });
        let too_small = (self.placement.room_when_empty(at) == 0).then_some(Reason::TooSmall);
        self.ineligible.push(refused.or(too_small).or(too_young));
        self.tasks.push(tasks);
    }

    /// Only seats that are eligible or occupied take part in the arithmetic; the rest matters to placement alone.
    fn group_by_zone(&mut self) -> Result<(), Reason> {
        let mut zones: BTreeMap<Option<&ZoneName>, Vec<usize>> = BTreeMap::new();
        for (at, seat) in self.placement.seats.iter().enumerate() {
            let zone = seat.instance.zone.as_ref().filter(|_| self.levels != Levels::Instances);
            let takes_part = self.ineligible[at].is_none() || seat.tasks > 0;
            if self.levels != Levels::Instances && zone.is_none() && (takes_part || seat.is_admitted) {
                let what = format!("the zone of container instance {} is not known", seat.instance.arn);
                return Err(Reason::CannotTell { what });
            }
            if takes_part {
                zones.entry(zone).or_default().push(at);
            }
        }
        self.zones = zones.into_values().collect();
        Ok(())
    }

    /// The seats that are eligible.
    pub fn eligible(&self) -> impl Iterator<Item = usize> {
        (0..self.ineligible.len()).filter(|at| self.ineligible[*at].is_none())
    }

    /// What the arithmetic needs of a seat.
    pub fn place(&self, seat: usize) -> Place {
        let tasks = self.placement.seats[seat].tasks;
        if self.ineligible[seat].is_some() {
            return Place { tasks, least: tasks, most: tasks };
        }
        Place { tasks, least: 0, most: tasks.saturating_add(self.placement.room(seat)) }
    }

    /// The present counts with the room there is now.
    pub fn layout(&self) -> Layout {
        self.layout_of(|seat| self.place(seat))
    }

    /// The present counts as if nothing else occupied the instances: what more room would make possible.
    pub fn layout_with_all_room(&self) -> Layout {
        self.layout_of(|seat| {
            let place = self.place(seat);
            let most = if self.ineligible[seat].is_some() { 0 } else { self.placement.room_when_empty(seat) };
            Place { most: most.max(place.most), ..place }
        })
    }

    /// The present counts less the `leaving` tasks, whose room stays theirs.
    pub fn layout_without(&self, leaving: &BTreeSet<TaskArn>) -> Layout {
        self.layout_of(|seat| {
            let gone = self.tasks[seat].iter().filter(|task| leaving.contains(&task.arn)).count() as u32;
            let place = self.place(seat);
            let tasks = place.tasks - gone;
            if self.ineligible[seat].is_some() {
                Place { tasks, least: tasks, most: tasks }
            } else {
                Place { tasks, ..place }
            }
        })
    }

    /// Places by zone, each made from its seat.
    pub fn layout_of(&self, place: impl Fn(usize) -> Place) -> Layout {
        let zones = self.zones.iter().map(|zone| zone.iter().map(|seat| place(*seat)).collect()).collect();
        Layout { zones, is_level_inside: self.levels != Levels::Zones }
    }

    /// The ARN of a seat's instance.
    pub fn arn(&self, seat: usize) -> &'a ContainerInstanceArn {
        &self.placement.seats[seat].instance.arn
    }
}
