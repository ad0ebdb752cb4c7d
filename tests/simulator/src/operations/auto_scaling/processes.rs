//! `SuspendProcesses` and `ResumeProcesses`; no processes named means all of them.

use serde::Deserialize;
use serde_json::Value;

use super::super::{Answer, Change};
use super::{group_mut, input, invalid};
use crate::scheduler::emission::written;
use crate::wire::ApiError;

const PROCESSES: [&str; 9] = [
    "AZRebalance",
    "AddToLoadBalancer",
    "AlarmNotification",
    "HealthCheck",
    "InstanceRefresh",
    "Launch",
    "ReplaceUnhealthy",
    "ScheduledActions",
    "Terminate",
];

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Input {
    auto_scaling_group_name: Option<String>,
    #[serde(deserialize_with = "input::list")]
    scaling_processes: Vec<String>,
}

impl Input {
    fn processes(&self) -> Result<Vec<String>, ApiError> {
        let known = |it: &&String| PROCESSES.contains(&it.as_str());
        match self.scaling_processes.iter().find(|it| !known(it)) {
            Some(unknown) => Err(invalid(format!("{unknown} is not a valid scaling process."))),
            None if self.scaling_processes.is_empty() => Ok(PROCESSES.map(str::to_owned).to_vec()),
            None => Ok(self.scaling_processes.clone()),
        }
    }
}

pub(super) fn suspend(change: &mut Change<'_>, value: &Value) -> Answer {
    let input: Input = input::read(value)?;
    let reason = format!("User suspended at {}", written(change.account.now));
    let group = group_mut(change, input.auto_scaling_group_name.as_deref())?;
    let processes = input.processes()?;
    for process in &processes {
        group.suspended.entry(process.clone()).or_insert_with(|| reason.clone());
    }
    let name = group.name.clone();
    change.note(name, format!("suspended {}", processes.join(", ")));
    Ok(Vec::new())
}

pub(super) fn resume(change: &mut Change<'_>, value: &Value) -> Answer {
    let input: Input = input::read(value)?;
    let group = group_mut(change, input.auto_scaling_group_name.as_deref())?;
    let processes = input.processes()?;
    group.suspended.retain(|process, _| !processes.contains(process));
    let name = group.name.clone();
    change.note(name, format!("resumed {}", processes.join(", ")));
    Ok(Vec::new())
}
