//! `DescribeScheduledActions`: those that have not run, or will run again.
//!
//! Simplified: `StartTime` and `EndTime` of the request are ignored, and there is no time zone.

use serde::Deserialize;
use serde_json::Value;

use super::super::Answer;
use super::super::page::Page;
use super::input::{self, Paging};
use crate::account::{Account, AutoScalingGroup, ScheduledAction};
use crate::wire::query::{Xml, timestamp};

const PAGE: Page = Page { operation: "DescribeScheduledActions", default: 50, max: 100 };

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Input {
    auto_scaling_group_name: Option<String>,
    #[serde(deserialize_with = "input::list")]
    scheduled_action_names: Vec<String>,
}

pub(super) fn describe(account: &Account, value: &Value) -> Answer {
    let (input, paging): (Input, Paging) = (input::read(value)?, input::read(value)?);
    let groups: Vec<&AutoScalingGroup> = match input.auto_scaling_group_name.as_deref() {
        Some(name) => vec![super::group(account, Some(name))?],
        None => account.auto_scaling_groups.values().collect(),
    };
    let names = &input.scheduled_action_names;
    let all = groups.iter().flat_map(|group| group.scheduled_actions.values().map(move |it| (*group, it)));
    let asked = all.filter(|(_, action)| names.is_empty() || names.contains(&action.name));
    let with_arns = asked.map(|(group, action)| (arn(group, action), group, action));
    let (page, next) = paging.cut(&PAGE, with_arns, |(arn, _, _)| arn)?;
    let mut xml = Xml::default();
    xml.list("ScheduledUpdateGroupActions", page, |xml, (arn, group, action)| {
        write(xml, &arn, group, action);
    });
    xml.maybe("NextToken", next.as_deref());
    Ok(xml.into_bytes())
}

fn arn(group: &AutoScalingGroup, action: &ScheduledAction) -> String {
    let arn = group.arn.replacen(":autoScalingGroup:", ":scheduledUpdateGroupAction:", 1);
    format!("{arn}:scheduledActionName/{}", action.name)
}

fn write(xml: &mut Xml, arn: &str, group: &AutoScalingGroup, action: &ScheduledAction) {
    let size = |number: Option<u32>| number.map(|number| number.to_string());
    xml.text("AutoScalingGroupName", &group.name);
    xml.text("ScheduledActionName", &action.name);
    xml.text("ScheduledActionARN", arn);
    xml.text("Time", &timestamp(action.start));
    xml.text("StartTime", &timestamp(action.start));
    xml.maybe("Recurrence", action.recurrence.as_deref());
    xml.maybe("MinSize", size(action.min_size).as_deref());
    xml.maybe("MaxSize", size(action.max_size).as_deref());
    xml.maybe("DesiredCapacity", size(action.desired_capacity).as_deref());
}
