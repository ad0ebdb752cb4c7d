//! Machines that are in a group from the start: those a builder puts there, in service and without a history.

use super::choice::{Choice, template};
use crate::account::{
    Account, AutoScalingGroup, GROUP_TAG, GroupInstance, LifecycleState, Machine, MachineState,
    TemplateVersion,
};
use crate::scheduler::machines::{self, LaunchRequest};
use crate::time::SimTime;

/// Puts a running machine launched as `choice` says into the group; makes the machine if nobody has.
pub fn found(account: &mut Account, group: &str, id: &str, zone: &str, at: SimTime, choice: &Choice) {
    if !account.machines.contains_key(id) {
        bring_up(account, id, zone, choice);
    }
    let Some(machine) = account.machines.get_mut(id) else { return };
    (machine.launched_at, machine.state_since) = (at, at);
    machine.market = choice.market;
    machine.instance_type.clone_from(&choice.instance_type);
    admit(account, group, id, Some(choice.version));
}

/// A machine that has been launched and has booted already.
fn bring_up(account: &mut Account, id: &str, zone: &str, choice: &Choice) {
    let mut request = LaunchRequest::new(zone);
    request.instance_type.clone_from(&choice.instance_type);
    request.image_id.clone_from(&choice.template.image_id);
    let launched = machines::launch(account, request);
    let Some(mut machine) = account.machines.remove(&launched) else { return };
    id.clone_into(&mut machine.id);
    (machine.state, machine.state_until) = (MachineState::Running, None);
    account.machines.insert(id.to_owned(), machine);
}

/// Makes an existing machine a member of the group, in service, as if launched from this version of its template.
pub fn admit(account: &mut Account, group: &str, id: &str, version: Option<u64>) {
    let Some(group) = account.auto_scaling_groups.get(group) else { return };
    let version = version.map_or(group.version, TemplateVersion::Number);
    let (template_id, version) =
        template(account, &group.launch_template, version).map_or((None, 0), |it| (Some(it.0), it.1));
    let Some(machine) = account.machines.get(id) else { return };
    let instance = member(group, machine, version);
    let name = group.name.clone();
    if let Some(machine) = account.machines.get_mut(id) {
        machine.group = Some(name.clone());
        machine.tags.insert(GROUP_TAG.to_owned(), name.clone());
        machine.launch_template = template_id.map(|id| (id, version));
    }
    if let Some(group) = account.auto_scaling_groups.get_mut(&name) {
        group.instances.insert(id.to_owned(), instance);
    }
}

/// The machine as an instance in service of this group.
fn member(group: &AutoScalingGroup, machine: &Machine, version: u64) -> GroupInstance {
    let overrides = group.mixed_instances.iter().flat_map(|policy| &policy.overrides);
    let weight = overrides.filter(|it| it.instance_type == machine.instance_type).find_map(|it| it.weight);
    GroupInstance {
        id: machine.id.clone(),
        instance_type: machine.instance_type.clone(),
        zone: machine.zone.clone(),
        market: machine.market,
        state: LifecycleState::InService,
        since: machine.state_since,
        launched_at: machine.launched_at,
        healthy: true,
        protected: group.protects_new_instances,
        weight,
        launch_template: group.launch_template.clone(),
        version,
        image_id: machine.image_id.clone(),
        actions: Vec::new(),
        activity: None,
        unhealthy_at: None,
        passes_hooks: false,
        has_served: true,
    }
}
