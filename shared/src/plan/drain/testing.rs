//! An instance for tests of drains: DRAINING, empty, in service in a group with a hook of ours, unless a test says otherwise.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::plan::drain::record::{Cause, DRAIN_ATTRIBUTE, DrainRecord, SUBSTITUTE_ATTRIBUTE};
use crate::plan::drain::seen::{DrainView, InstanceSnapshot, Outlook, Policy};
use crate::plan::drain::step::{Decision, decide};
use crate::plan::testing::{Cluster, cluster, instance, now};
use crate::settings::{Replacement, StandaloneTasks};
use crate::snapshot::*;
use crate::timestamp::Timestamp;

/// Everything a decision looks at.
#[derive(Clone)]
pub(crate) struct Scene {
    pub(crate) seen: InstanceSnapshot,
    pub(crate) record: DrainRecord,
    pub(crate) policy: Policy,
    pub(crate) empty_since: Option<Timestamp>,
    pub(crate) heartbeat_at: Option<Timestamp>,
}

pub(crate) fn hook(name: &str) -> LifecycleHook {
    let heartbeat_timeout = Duration::from_mins(3);
    LifecycleHook { name: name.to_owned(), transition: Transition::Terminating, heartbeat_timeout }
}

fn member(state: LifecycleState) -> Member {
    Member { instance: "i-a0".into(), group: "g".into(), zone: "a".into(), state, is_protected: false }
}

impl Scene {
    pub(crate) fn new(cause: Cause) -> Self {
        let group = Group {
            name: "g".into(),
            min: 0,
            max: 4,
            desired: 1,
            capacity_rebalance: false,
            suspended: BTreeSet::new(),
            members: BTreeMap::from([("i-a0".into(), member(LifecycleState::InService))]),
            tags: BTreeMap::new(),
        };
        let mut registered = instance("a", 0);
        registered.status = ContainerInstanceStatus::Draining;
        let record = DrainRecord {
            cause,
            noticed_at: now() - Duration::from_secs(30),
            deadline: cause.is_interruption().then(|| now() + Duration::from_secs(90)),
            asked: None,
        };
        registered.attributes.insert(DRAIN_ATTRIBUTE.to_owned(), Some(record.to_string()));
        let seen = InstanceSnapshot {
            cluster: "c".into(),
            instance_id: "i-a0".into(),
            observed_at: now(),
            instance: registered,
            tasks: Known::Known(Vec::new()),
            member: Known::Known(Some(member(LifecycleState::InService))),
            group: Known::Known(group),
            hooks: Known::Known(vec![hook("evenkeel-drain")]),
            protections: BTreeMap::new(),
            services: BTreeMap::new(),
            paused: Known::Known(false),
        };
        let policy = Policy {
            replacement: Replacement::Auto,
            hook: "evenkeel-drain".to_owned(),
            standalone_tasks: StandaloneTasks::Auto,
            empty_after: Duration::from_secs(10),
        };
        Self { seen, record, policy, empty_since: None, heartbeat_at: None }
    }

    /// The same, held by a terminate hook.
    pub(crate) fn held(cause: Cause) -> Self {
        let mut scene = Self::new(cause);
        scene.state(LifecycleState::TerminatingWait);
        scene.record.deadline = Some(now() + Duration::from_mins(20));
        scene.marked()
    }

    /// The same, on the first instance of a cluster with the tasks it has there; and what is read beside it.
    pub(crate) fn in_cluster(cause: Cause, cluster: &Cluster) -> (Self, Outlook) {
        let mut scene = Self::new(cause);
        let cluster = &cluster.0;
        let is_here = |task: &&Task| task.container_instance.as_ref() == Some(&scene.seen.instance.arn);
        scene.seen.tasks = Known::Known(cluster.tasks.values().filter(is_here).cloned().collect());
        let services = cluster.services.values().map(|it| (it.name.clone(), Known::Known(it.clone())));
        scene.seen.services = services.collect();
        let outlook = Outlook {
            task_definitions: cluster.task_definitions.clone(),
            deregistration_delays: BTreeMap::new(),
            instances: Known::Known(cluster.container_instances.values().cloned().collect()),
            services: scene.seen.services.clone(),
        };
        (scene, outlook)
    }

    /// Its attributes say what its record says.
    pub(crate) fn marked(mut self) -> Self {
        let attributes = &mut self.seen.instance.attributes;
        attributes.insert(DRAIN_ATTRIBUTE.to_owned(), Some(self.record.to_string()));
        if let Some(asked) = self.record.asked {
            attributes.insert(SUBSTITUTE_ATTRIBUTE.to_owned(), Some(asked.word().to_owned()));
        }
        self
    }

    pub(crate) fn state(&mut self, state: LifecycleState) {
        self.seen.member = Known::Known(Some(member(state)));
    }

    pub(crate) fn group(&mut self) -> &mut Group {
        match &mut self.seen.group {
            Known::Known(group) => group,
            Known::Unknown(_) | Known::NotAsked => unreachable!(),
        }
    }

    /// A task of the service `web` on it, or a standalone one.
    pub(crate) fn task(&mut self, of_service: bool, status: TaskStatus) -> &mut Task {
        let other = cluster(&[&[1]]);
        let mut task = other.0.tasks.into_values().next().unwrap();
        task.last_status = status;
        task.service = task.service.filter(|_| of_service);
        match &mut self.seen.tasks {
            Known::Known(tasks) => {
                tasks.push(task);
                tasks.last_mut().unwrap()
            }
            Known::Unknown(_) | Known::NotAsked => unreachable!(),
        }
    }

    /// Empty at an earlier look as well.
    pub(crate) fn seen_empty_before(mut self) -> Self {
        self.empty_since = Some(now() - Duration::from_secs(15));
        self
    }

    pub(crate) fn view(&self) -> DrainView<'_> {
        let (empty_since, heartbeat_at) = (self.empty_since, self.heartbeat_at);
        DrainView { seen: &self.seen, record: &self.record, policy: &self.policy, empty_since, heartbeat_at }
    }

    pub(crate) fn decide(&self) -> Decision {
        decide(&self.view())
    }
}
