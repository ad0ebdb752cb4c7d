//! A rollout seen from outside, second by second, whoever makes it.

use std::collections::BTreeMap;
use std::pin::pin;
use std::time::Duration;

use evenkeel_tests::Stage;
use evenkeel_tests::rollouts::{NEW_IMAGE, images};
use simulator::account::{Account, ContainerInstanceStatus, Machine, MachineState, TaskStatus};
use simulator::scheduler::machines::container_instance;
use simulator::time::SimTime;

const EVERY: Duration = Duration::from_secs(1);

/// What was seen. Everything that runs in the account is of the one group.
#[derive(Debug)]
pub(crate) struct Watch {
    size: usize,
    since: SimTime,
    last: SimTime,
    /// Seconds until every instance was new, if that is still so.
    pub(crate) replaced_after: Option<u64>,
    /// Old instances that ran at the last look.
    pub(crate) old_left: u64,
    /// Seconds times machines that ran beyond the size of the group.
    pub(crate) surplus_seconds: u64,
    /// Seconds from launch to registration, by EC2 instance id of the new.
    registered_after: BTreeMap<String, u64>,
    /// By ARN of the container instance.
    draining_since: BTreeMap<String, SimTime>,
    /// Seconds from DRAINING until every task had STOPPED, by ARN of the container instance.
    empty_after: BTreeMap<String, u64>,
}

/// Watches until the work is done.
pub(crate) async fn watched(stage: &Stage, work: impl Future<Output = ()>) -> Watch {
    let mut watch = stage.simulator.account(Watch::new);
    let mut work = pin!(work);
    loop {
        tokio::select! {
            biased;
            () = &mut work => break,
            () = tokio::time::sleep(EVERY) => stage.simulator.account(|account| watch.look(account)),
        }
    }
    stage.simulator.account(|account| watch.look(account));
    watch
}

impl Watch {
    fn new(account: &Account) -> Self {
        Self {
            size: account.auto_scaling_groups["web-asg"].desired_capacity as usize,
            since: account.now,
            last: account.now,
            replaced_after: None,
            old_left: 0,
            surplus_seconds: 0,
            registered_after: BTreeMap::new(),
            draining_since: BTreeMap::new(),
            empty_after: BTreeMap::new(),
        }
    }

    /// The least that any rollout with these machines and tasks could take: the slowest of the new instances until it is
    /// registered, and then the slowest drain.
    pub(crate) fn floor(&self) -> u64 {
        let slowest = |times: &BTreeMap<String, u64>| times.values().copied().max().unwrap_or_default();
        slowest(&self.registered_after) + slowest(&self.empty_after)
    }

    fn look(&mut self, account: &Account) {
        let runs = |it: &&Machine| it.state == MachineState::Running;
        let running = account.machines.values().filter(runs);
        self.old_left = running.clone().filter(|it| it.image_id != NEW_IMAGE).count() as u64;
        let elapsed = account.now.since(self.last).as_secs();
        self.surplus_seconds += elapsed * running.count().saturating_sub(self.size) as u64;
        self.last = account.now;
        self.note_whether_replaced(account);
        self.note_registrations(account);
        self.note_drains(account);
    }

    fn note_whether_replaced(&mut self, account: &Account) {
        let (serving, _) = images(account);
        let new = serving.iter().filter(|it| *it == NEW_IMAGE).count();
        if self.old_left > 0 || new < self.size {
            self.replaced_after = None;
            return;
        }
        self.replaced_after.get_or_insert(account.now.since(self.since).as_secs());
    }

    fn note_registrations(&mut self, account: &Account) {
        for machine in account.machines.values().filter(|it| it.launched_at >= self.since) {
            let is_known = self.registered_after.contains_key(&machine.id);
            if !is_known && container_instance(account, &machine.id).is_some() {
                let seconds = account.now.since(machine.launched_at).as_secs();
                self.registered_after.insert(machine.id.clone(), seconds);
            }
        }
    }

    fn note_drains(&mut self, account: &Account) {
        let cluster = &account.clusters["web"];
        for instance in cluster.container_instances.values() {
            let is_draining = instance.status == ContainerInstanceStatus::Draining && instance.host_alive;
            if !is_draining || self.empty_after.contains_key(&instance.arn) {
                continue;
            }
            let since = *self.draining_since.entry(instance.arn.clone()).or_insert(account.now);
            let mut here =
                cluster.tasks.values().filter(|it| it.container_instance.as_ref() == Some(&instance.arn));
            if here.all(|task| task.last_status == TaskStatus::Stopped) {
                self.empty_after.insert(instance.arn.clone(), account.now.since(since).as_secs());
            }
        }
    }
}
