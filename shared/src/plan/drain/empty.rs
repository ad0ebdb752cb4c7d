//! Whether an instance is empty: all of its tasks were seen STOPPED, twice.
//!
//! `runningTasksCount` and a default `ListTasks` leave out tasks that are on their way out and still serve (API:
//! `ContainerInstance`, `ListTasks`); instances were terminated under live connections for it. So both lists are read, and
//! every task in them has to be STOPPED. "Cannot tell" is never taken for empty.

use serde::Serialize;

use crate::plan::drain::seen::{DrainView, InstanceSnapshot};
use crate::snapshot::{ContainerInstance, ContainerInstanceStatus, Known, Task, TaskStatus};

/// What one look says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Emptiness {
    /// Nothing on it.
    Empty,
    /// So many tasks are not STOPPED, or ECS may still place one.
    Occupied {
        /// How many.
        tasks: usize,
    },
    /// It could not be seen.
    CannotTell(String),
}

/// One look.
pub fn emptiness(seen: &InstanceSnapshot) -> Emptiness {
    emptiness_of(&seen.instance, &seen.tasks)
}

/// The same from an instance and every task on it, those on their way out too.
pub fn emptiness_of(instance: &ContainerInstance, tasks: &Known<Vec<Task>>) -> Emptiness {
    let tasks = match tasks {
        Known::Known(tasks) => tasks,
        Known::Unknown(why) => return Emptiness::CannotTell(format!("which tasks are on it: {why}")),
        Known::NotAsked => {
            return Emptiness::CannotTell("which tasks are on it: nobody looked".to_owned());
        }
    };
    let unstopped = tasks.iter().filter(|task| task.last_status != TaskStatus::Stopped).count();
    let counted = instance.tasks_running + instance.tasks_pending;
    let tasks = unstopped.max(counted as usize);
    let is_draining = instance.status == ContainerInstanceStatus::Draining;
    if tasks == 0 && is_draining { Emptiness::Empty } else { Emptiness::Occupied { tasks } }
}

/// Whether two looks far enough apart found it empty, and none between them otherwise.
pub fn is_confirmed_empty(view: &DrainView<'_>) -> bool {
    let now = view.seen.observed_at;
    let is_old = |since| now > since && now.since(since) >= view.policy.empty_after;
    emptiness(view.seen) == Emptiness::Empty && view.empty_since.is_some_and(is_old)
}
