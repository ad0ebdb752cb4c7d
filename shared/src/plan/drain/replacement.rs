//! How a substitute is asked for at once: by a call that names the instance, so that fifty invocations at a time ask for
//! fifty substitutes, and a notice that comes twice for none.
//!
//! No call changes the group's desired capacity; in a group that has launched a substitute by capacity rebalancing
//! already, they only bring it back to that. `TerminateInstanceInAutoScalingGroup` runs the group's lifecycle
//! hooks, and only one that waits for the tasks keeps the instance from being killed with them; `DetachInstances` runs none,
//! and nobody terminates the instance afterwards (API: both operations), so that it is for instances which EC2 itself takes.
//! `EnterStandby` does for all others: the group launches one more, and the instance lives on in it, uncounted and looked
//! after by nobody (EC2 Auto Scaling User Guide, "Temporarily remove instances"), until it is terminated by name once it is
//! empty. Everybody's hooks have their turn then.

#[cfg(test)]
mod tests;

use crate::plan::drain::reason::DrainReason;
use crate::plan::drain::record::{Asked, Cause};
use crate::plan::drain::seen::DrainView;
use crate::settings::Replacement;
use crate::snapshot::{Group, Known, LifecycleHook, LifecycleState, Member, Transition};

/// Name of the hook that ECS managed draining keeps on the groups of its capacity providers (ECS Developer Guide, "Safely
/// stop Amazon ECS workloads running on EC2 instances").
pub const MANAGED_DRAINING_HOOK: &str = "ecs-managed-draining-termination-hook";

/// Suspended, it keeps a group from launching anything (EC2 Auto Scaling User Guide, "Suspend and resume processes").
const LAUNCH: &str = "Launch";

/// How a substitute for this instance is asked for now, or why not. What cannot be told waits for a later turn.
pub fn replacement(view: &DrainView<'_>) -> Result<Asked, DrainReason> {
    let (member, group) = match (&view.seen.member, &view.seen.group) {
        (Known::Known(None), _) => return Err(DrainReason::NotInGroup),
        (Known::Known(Some(member)), Known::Known(group)) => (member, group),
        (member, group) => return Err(cannot_tell(member, group)),
    };
    let name = || group.name.clone();
    if view.policy.replacement == Replacement::None {
        return Err(DrainReason::NoneWanted);
    }
    reason_not_leaving(view, member, &name)?;
    if group.suspended.contains(LAUNCH) {
        return Err(DrainReason::LaunchSuspended { group: name() });
    }
    let Known::Known(hooks) = &view.seen.hooks else {
        return Err(cannot_tell_hooks(&view.seen.hooks));
    };
    chosen(view, member, group, hooks)
}

/// An instance that is leaving already is the group's to replace; one in no serving state can be given back by neither
/// call.
fn reason_not_leaving(
    view: &DrainView<'_>,
    member: &Member,
    name: &dyn Fn() -> crate::ids::GroupName,
) -> Result<(), DrainReason> {
    match member.state {
        LifecycleState::InService => Ok(()),
        LifecycleState::Standby if view.record.explains_standby() => {
            Err(DrainReason::AlreadyLeaving { group: name() })
        }
        LifecycleState::Terminating | LifecycleState::TerminatingWait | LifecycleState::Detaching => {
            Err(DrainReason::AlreadyLeaving { group: name() })
        }
        LifecycleState::Pending | LifecycleState::Standby | LifecycleState::Other => {
            Err(DrainReason::NotInService { group: name(), state: format!("{:?}", member.state) })
        }
    }
}

fn chosen(
    view: &DrainView<'_>,
    member: &Member,
    group: &Group,
    hooks: &[LifecycleHook],
) -> Result<Asked, DrainReason> {
    let has_none = hooks.iter().all(|hook| hook.transition != Transition::Terminating);
    let is_in_provider = view.seen.instance.capacity_provider.is_some();
    let is_managed_hook = |hook: &LifecycleHook| is_in_provider && hook.is_terminating(MANAGED_DRAINING_HOOK);
    let holds = hooks.iter().any(|hook| hook.is_terminating(&view.policy.hook) || is_managed_hook(hook));
    let group = || group.name.clone();
    let is_managed = member.is_protected && is_in_provider;
    match (view.policy.replacement, view.record.cause) {
        (_, Cause::Stop | Cause::Hibernate) => Err(DrainReason::NotTerminated { group: group() }),
        (Replacement::Auto | Replacement::Terminate, _) if holds => Ok(Asked::Terminate),
        (Replacement::Terminate, _) => Err(DrainReason::NoHook { group: group() }),
        (Replacement::Detach, Cause::Terminate) if is_managed => {
            Err(DrainReason::ManagedTerminationProtection { group: group() })
        }
        (Replacement::Detach, Cause::Terminate) => Ok(Asked::Detach),
        (Replacement::Detach, _) => Err(DrainReason::NotDetached { group: group() }),
        (Replacement::Auto, Cause::Terminate) if has_none && !is_managed => Ok(Asked::Detach),
        _ => Ok(Asked::Surge),
    }
}

fn cannot_tell(member: &Known<Option<Member>>, group: &Known<Group>) -> DrainReason {
    let what = match (member, group) {
        (Known::Unknown(why), _) => format!("which group it is in: {why}"),
        (_, Known::Unknown(why)) => format!("how its group stands: {why}"),
        _ => "how its group stands: it was not read yet".to_owned(),
    };
    DrainReason::CannotTell { what }
}

fn cannot_tell_hooks(hooks: &Known<Vec<LifecycleHook>>) -> DrainReason {
    let why = if let Known::Unknown(why) = hooks { why } else { "they were not read yet" };
    DrainReason::CannotTell { what: format!("which lifecycle hooks its group has: {why}") }
}
