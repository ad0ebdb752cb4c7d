//! Termination policies, each as a sieve that leaves at least one candidate.
//!
//! From "Configure termination policies": `Default` is the alignment with the allocation strategy in a mixed group,
//! then other launch templates before the current one, then the oldest version, then the closest to the next hour of
//! its bill. The allocation strategy stands here for the order of the overrides: the least preferred type leaves first.

use std::time::Duration;

use crate::account::{Account, AutoScalingGroup, GroupInstance};

/// What a policy leaves of the candidates; one that is not known leaves all.
pub(super) fn narrow<'a>(
    account: &Account,
    group: &AutoScalingGroup,
    policy: &str,
    candidates: Vec<&'a GroupInstance>,
) -> Vec<&'a GroupInstance> {
    match policy {
        "Default" => default(account, group, candidates),
        "OldestInstance" => least(candidates, |it| it.launched_at),
        "NewestInstance" => least(candidates, |it| std::cmp::Reverse(it.launched_at)),
        "OldestLaunchTemplate" => oldest_template(group, candidates),
        "ClosestToNextInstanceHour" => closest_to_next_hour(account, candidates),
        "AllocationStrategy" => least_preferred(group, candidates),
        _ => candidates,
    }
}

fn default<'a>(
    account: &Account,
    group: &AutoScalingGroup,
    candidates: Vec<&'a GroupInstance>,
) -> Vec<&'a GroupInstance> {
    let aligned =
        if group.mixed_instances.is_some() { least_preferred(group, candidates) } else { candidates };
    closest_to_next_hour(account, oldest_template(group, aligned))
}

/// Other templates than the current one first; if there are none, the oldest version of it.
fn oldest_template<'a>(
    group: &AutoScalingGroup,
    candidates: Vec<&'a GroupInstance>,
) -> Vec<&'a GroupInstance> {
    least(candidates, |it| {
        let is_current = it.launch_template == group.launch_template;
        (is_current, if is_current { it.version } else { 0 })
    })
}

fn closest_to_next_hour<'a>(account: &Account, candidates: Vec<&'a GroupInstance>) -> Vec<&'a GroupInstance> {
    let hour = Duration::from_hours(1).as_millis();
    least(candidates, |it| hour - account.now.since(it.launched_at).as_millis() % hour)
}

fn least_preferred<'a>(
    group: &AutoScalingGroup,
    candidates: Vec<&'a GroupInstance>,
) -> Vec<&'a GroupInstance> {
    let Some(policy) = &group.mixed_instances else { return candidates };
    let rank = |it: &GroupInstance| {
        let place = policy.overrides.iter().position(|entry| entry.instance_type == it.instance_type);
        std::cmp::Reverse(place.unwrap_or(usize::MAX))
    };
    least(candidates, rank)
}

/// The candidates with the least key.
fn least<K: Ord>(candidates: Vec<&GroupInstance>, key: impl Fn(&GroupInstance) -> K) -> Vec<&GroupInstance> {
    let least = candidates.iter().map(|it| key(it)).min();
    candidates.into_iter().filter(|it| least.as_ref().is_some_and(|least| key(it) == *least)).collect()
}
