//! Services whose tasks may take longer to leave than there is time.
//!
//! A task that is told to stop is first deregistered from its target groups, each of which keeps it `draining` for the whole
//! `deregistration_delay.timeout_seconds`; then its containers get SIGTERM, and SIGKILL once their `stopTimeout` is up
//! (Amazon ECS Developer Guide, "Amazon ECS task lifecycle" and "Optimize load balancer connection draining parameters").
//! Counted from now, which flatters it: ECS may have to start a substitute first.

use std::time::Duration;

use crate::plan::drain::reason::DrainReason;
use crate::plan::drain::record::DrainRecord;
use crate::plan::drain::seen::{InstanceSnapshot, Outlook};
use crate::snapshot::{Service, Task};

pub(super) fn too_late(seen: &InstanceSnapshot, record: &DrainRecord, outlook: &Outlook) -> Vec<DrainReason> {
    let Some(deadline) = record.deadline else { return Vec::new() };
    let left = deadline.since(seen.observed_at);
    let late = |service: &Service, tasks: &[&Task]| {
        let delay = deregistration_delay(service, outlook)?;
        let stop_timeout = stop_timeout(tasks, outlook)?;
        (delay + stop_timeout > left).then(|| DrainReason::LeavesTooLate {
            service: service.name.clone(),
            deregistration_delay: delay.as_secs(),
            stop_timeout: stop_timeout.as_secs(),
            left: left.as_secs(),
        })
    };
    let wanted = seen.wanted().into_iter();
    wanted.filter_map(|(name, tasks)| late(seen.services.get(name)?.known()?, &tasks)).collect()
}

/// The longest of its target groups; `None` = cannot tell, as behind a Classic Load Balancer.
fn deregistration_delay(service: &Service, outlook: &Outlook) -> Option<Duration> {
    let mut longest = Duration::ZERO;
    for balancer in &service.load_balancers {
        let delay = outlook.deregistration_delays.get(balancer.target_group.as_ref()?)?;
        longest = longest.max(*delay.known()?);
    }
    Some(longest)
}

/// The longest of these tasks' containers, which may be of several revisions; `None` = cannot tell.
fn stop_timeout(tasks: &[&Task], outlook: &Outlook) -> Option<Duration> {
    let mut longest = Duration::ZERO;
    for task in tasks {
        let definition = outlook.task_definitions.get(&task.task_definition)?;
        longest = longest.max(definition.known()?.stop_timeout);
    }
    Some(longest)
}
