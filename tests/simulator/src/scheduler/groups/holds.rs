//! Lifecycle actions: every hook of a transition holds the instance by itself until it is completed or times out.
//!
//! From "Amazon EC2 Auto Scaling lifecycle hooks" and `RecordLifecycleActionHeartbeat`: a heartbeat starts the timeout
//! anew, but nothing lasts longer than the global timeout. An abandoned action ends the wait whatever the others do.
//! A hook that is changed leaves the actions it has opened as they are; `DeleteLifecycleHook` completes those of its own.

use super::{announcements, group_mut, ids_where, instance, instance_mut, uuid};
use crate::account::{Account, ActionResult, GroupInstance, LifecycleAction, LifecycleHook, Transition};
use crate::scheduler::events::note;

/// Lets every hook of the transition hold the instance; false if there is none.
pub(super) fn begin(account: &mut Account, group: &str, id: &str, transition: Transition) -> bool {
    let Some(described) = account.auto_scaling_groups.get(group) else { return false };
    let hooks = described.hooks.values().filter(|hook| hook.transition == transition);
    let hooks: Vec<LifecycleHook> = hooks.cloned().collect();
    for hook in &hooks {
        let action = action(account, hook);
        announcements::lifecycle_action(account, group, id, &action);
        note(account, "auto-scaling", id, &format!("is held by lifecycle hook {}", hook.name));
        if let Some(instance) = instance_mut(account, group, id) {
            instance.actions.push(action);
        }
    }
    !hooks.is_empty()
}

fn action(account: &mut Account, hook: &LifecycleHook) -> LifecycleAction {
    let now = account.now;
    LifecycleAction {
        hook: hook.name.clone(),
        token: uuid(&account.next_id()),
        started_at: now,
        heartbeat_timeout: hook.heartbeat_timeout,
        expires_at: now + hook.heartbeat_timeout,
        ends_at: now + hook.global_timeout(),
        default_result: hook.default_result,
        result: None,
        timed_out: false,
    }
}

/// How the wait of an instance ended; nothing while it lasts.
pub(super) fn verdict(instance: &GroupInstance) -> Option<ActionResult> {
    let has = |result| instance.actions.iter().any(|action| action.result == Some(result));
    if has(ActionResult::Abandon) {
        return Some(ActionResult::Abandon);
    }
    instance.actions.iter().all(|action| action.result.is_some()).then_some(ActionResult::Continue)
}

/// Gives actions whose time is up their default result.
pub(super) fn expire(account: &mut Account, group: &str) {
    let now = account.now;
    let is_due = |it: &LifecycleAction| it.result.is_none() && it.expires_at.min(it.ends_at) <= now;
    for id in ids_where(account, group, |instance| instance.actions.iter().any(is_due)) {
        let Some(instance) = instance_mut(account, group, &id) else { continue };
        let mut ended = Vec::new();
        for action in instance.actions.iter_mut().filter(|action| is_due(action)) {
            (action.result, action.timed_out) = (Some(action.default_result), true);
            ended.push(format!("hook {} timed out: {}", action.hook, action.default_result.name()));
        }
        for what in ended {
            note(account, "auto-scaling", &id, &what);
        }
    }
}

/// Which open action of a hook a caller means.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Named<'a> {
    /// By its token.
    Token(&'a str),
    /// By the instance it holds.
    Instance(&'a str),
}

/// The instance that an open action of this hook holds.
pub(crate) fn held(account: &Account, group: &str, hook: &str, named: Named<'_>) -> Option<String> {
    let is_meant = |instance: &GroupInstance| match named {
        Named::Token(token) => open(instance, hook).is_some_and(|action| action.token == token),
        Named::Instance(id) => instance.id == id && open(instance, hook).is_some(),
    };
    ids_where(account, group, is_meant).pop()
}

fn open<'a>(instance: &'a GroupInstance, hook: &str) -> Option<&'a LifecycleAction> {
    instance.actions.iter().find(|action| action.hook == hook && action.result.is_none())
}

/// Ends the open action of a hook on an instance.
pub(crate) fn complete(account: &mut Account, group: &str, hook: &str, id: &str, result: ActionResult) {
    if let Some(action) = open_mut(account, group, hook, id) {
        action.result = Some(result);
    }
}

/// Starts the timeout of the open action of a hook on an instance anew.
pub(crate) fn heartbeat(account: &mut Account, group: &str, hook: &str, id: &str) {
    let now = account.now;
    if let Some(action) = open_mut(account, group, hook, id) {
        action.expires_at = now + action.heartbeat_timeout;
    }
}

fn open_mut<'a>(
    account: &'a mut Account,
    group: &str,
    hook: &str,
    id: &str,
) -> Option<&'a mut LifecycleAction> {
    let actions = &mut group_mut(account, group)?.instances.get_mut(id)?.actions;
    actions.iter_mut().find(|action| action.hook == hook && action.result.is_none())
}

/// Why an abandoned launch failed, in the words of its activity.
pub(super) fn abandonment(account: &Account, group: &str, id: &str) -> String {
    let actions =
        instance(account, group, id).map(|instance| instance.actions.as_slice()).unwrap_or_default();
    let abandoned = actions.iter().find(|action| action.result == Some(ActionResult::Abandon));
    let (token, how) = match abandoned {
        Some(action) if action.timed_out => (action.token.as_str(), "Heartbeat Timeout"),
        Some(action) => (action.token.as_str(), "Lifecycle Action Completed with ABANDON Result"),
        None => ("", ""),
    };
    let what = format!("Lifecycle Action with token {token} was abandoned: {how}");
    format!("Instance failed to complete user's Lifecycle Action: {what}")
}
