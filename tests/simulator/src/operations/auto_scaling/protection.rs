//! `SetInstanceProtection`: whether scale-in passes instances over, for up to fifty of one group.

use serde::Deserialize;
use serde_json::Value;

use super::super::{Answer, Change};
use super::{count, group, group_mut, input, invalid, member, required};
use crate::account::LifecycleState;

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Input {
    auto_scaling_group_name: Option<String>,
    #[serde(deserialize_with = "input::list")]
    instance_ids: Vec<String>,
    #[serde(deserialize_with = "input::flag")]
    protected_from_scale_in: Option<bool>,
}

pub(super) fn set(change: &mut Change<'_>, value: &Value) -> Answer {
    let input: Input = input::read(value)?;
    let protected = required(input.protected_from_scale_in, "protectedFromScaleIn")?;
    let found = group(change.account, input.auto_scaling_group_name.as_deref())?;
    let name = found.name.clone();
    count(&input.instance_ids, 50)?;
    for id in &input.instance_ids {
        let state = member(found, id)?.state;
        if !matches!(
            state,
            LifecycleState::InService | LifecycleState::EnteringStandby | LifecycleState::Standby
        ) {
            let states = "InService or EnteringStandby or Standby";
            return Err(invalid(format!("The instance {id} is not in {states}.")));
        }
    }
    let group = group_mut(change, Some(&name))?;
    for instance in group.instances.values_mut().filter(|it| input.instance_ids.contains(&it.id)) {
        instance.protected = protected;
    }
    group.mind.said_protected = false;
    let what = if protected { "protected from scale-in" } else { "no longer protected from scale-in" };
    for id in &input.instance_ids {
        change.note(id, what);
    }
    Ok(Vec::new())
}
