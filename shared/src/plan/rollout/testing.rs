//! A group for tests of rollouts: three old instances in three zones, in service and marked, unless a test says otherwise.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::ids::InstanceId;
use crate::plan::rollout::decision::Decision;
use crate::plan::rollout::phase::Phase;
use crate::plan::rollout::record::{Mark, Process, ROLLOUT_ATTRIBUTE, RolloutRecord, Selection, Terms};
use crate::plan::rollout::seen::{Policy, RolloutSnapshot, RolloutView};
use crate::plan::rollout::step::decide;
use crate::plan::testing::{cluster, instance, now};
use crate::settings::OnDrainTimeout;
use crate::snapshot::*;
use crate::timestamp::Timestamp;

/// Everything a decision looks at.
#[derive(Clone)]
pub(crate) struct Scene {
    pub(crate) seen: RolloutSnapshot,
    pub(crate) record: RolloutRecord,
    pub(crate) policy: Policy,
    pub(crate) empty_since: BTreeMap<InstanceId, Timestamp>,
}

/// Long enough in a phase for none of its clocks to be up.
pub(crate) const A_WHILE: Duration = Duration::from_secs(20);

impl Scene {
    pub(crate) fn new(phase: Phase) -> Self {
        let suspended: BTreeSet<Process> = Process::FORWARD.into_iter().collect();
        let bake_time = Duration::ZERO;
        let terms = Terms { surge_percent: 100, canary: 0, bake_time, selection: Selection::All };
        let record = RolloutRecord {
            phase,
            started_at: now() - Duration::from_mins(5),
            since: now() - A_WHILE,
            waves_done: 0,
            wave_size: 3,
            olds: 3,
            keep: 3,
            max: 6,
            raised_max: 6,
            suspended: suspended.clone(),
            terms,
            target: 2,
            ending: None,
            is_forced: false,
        };
        let policy = Policy {
            launch_timeout: Duration::from_mins(10),
            drain_timeout: Duration::from_mins(30),
            on_drain_timeout: OnDrainTimeout::Rollback,
            rollout_timeout: Duration::from_hours(4),
            healthy_after: Duration::from_secs(40),
            empty_after: Duration::from_secs(10),
        };
        let seen = RolloutSnapshot {
            observed_at: now(),
            group: group(&suspended),
            cluster: "c".into(),
            registered: BTreeMap::new(),
            tasks: BTreeMap::new(),
            machines: BTreeMap::new(),
            images: Known::NotAsked,
            services: Known::Known(cluster(&[&[1]]).0),
            daemons_missing: Known::Known(0),
            last_failure: None,
            paused: Known::Known(false),
        };
        let mut scene = Self { seen, record, policy, empty_since: BTreeMap::new() };
        for (id, zone) in [("i-a", "a"), ("i-b", "b"), ("i-c", "c")] {
            scene.add(id, zone, LifecycleState::InService);
            scene.mark(id, Mark::Old);
        }
        scene
    }

    /// An instance in the group, registered an hour ago, without a mark.
    pub(crate) fn add(&mut self, id: &str, zone: &str, state: LifecycleState) {
        let member = AutoScalingInstance {
            id: id.into(),
            instance_type: "m5.large".to_owned(),
            zone: zone.into(),
            state,
            is_healthy: true,
            is_protected: false,
            launch_template: None,
            image: None,
            weighted_capacity: None,
        };
        self.seen.group.instances.insert(id.into(), member);
        let mut registered = instance(zone, 0);
        registered.arn = id.into();
        registered.instance_id = Some(id.into());
        (registered.tasks_running, registered.tasks_pending) = (0, 0);
        registered.registered_at = Some(now() - Duration::from_hours(1));
        self.seen.registered.insert(id.into(), vec![registered]);
    }

    pub(crate) fn registered(&mut self, id: &str) -> &mut ContainerInstance {
        &mut self.seen.registered.get_mut(&id.into()).unwrap()[0]
    }

    pub(crate) fn mark(&mut self, id: &str, mark: Mark) {
        let word = Some(mark.word().to_owned());
        self.registered(id).attributes.insert(ROLLOUT_ATTRIBUTE.to_owned(), word);
    }

    pub(crate) fn state(&mut self, id: &str, state: LifecycleState) {
        self.seen.group.instances.get_mut(&id.into()).unwrap().state = state;
    }

    /// The old ones on standby, and as many new ones ready.
    pub(crate) fn doubled(phase: Phase) -> Self {
        let mut scene = Self::new(phase);
        for (old, new, zone) in [("i-a", "i-x", "a"), ("i-b", "i-y", "b"), ("i-c", "i-z", "c")] {
            scene.state(old, LifecycleState::Standby);
            scene.add(new, zone, LifecycleState::InService);
        }
        scene
    }

    /// DRAINING and seen empty, for longer than two looks are apart.
    pub(crate) fn empty(&mut self, id: &str) {
        self.registered(id).status = ContainerInstanceStatus::Draining;
        self.seen.tasks.insert(id.into(), Known::Known(Vec::new()));
        self.empty_since.insert(id.into(), now() - Duration::from_secs(15));
    }

    /// Nothing is launched any more.
    pub(crate) fn launches_nothing(mut self) -> Self {
        for process in Process::BACK {
            self.seen.group.suspended.insert(process.name().to_owned(), String::new());
            self.record.suspended.insert(process);
        }
        self
    }

    pub(crate) fn decide(&self) -> Decision {
        let unsteady = Vec::new();
        decide(&RolloutView {
            seen: &self.seen,
            record: &self.record,
            unsteady: &unsteady,
            policy: &self.policy,
            empty_since: &self.empty_since,
        })
    }
}

fn group(suspended: &BTreeSet<Process>) -> AutoScalingGroup {
    AutoScalingGroup {
        name: "g".into(),
        arn: "arn".to_owned(),
        min: 1,
        max: 6,
        desired: 3,
        desired_capacity_type: "units".to_owned(),
        launch_source: LaunchSource::Other,
        zones: Vec::new(),
        waits_for_zones: false,
        suspended: suspended.iter().map(|it| (it.name().to_owned(), String::new())).collect(),
        termination_policies: Vec::new(),
        protects_new_instances: false,
        capacity_rebalance: false,
        has_warm_pool: false,
        max_instance_lifetime: None,
        retains_abandoned: false,
        operator: None,
        status: None,
        traffic_sources: BTreeSet::new(),
        tags: BTreeMap::new(),
        instances: BTreeMap::new(),
    }
}
