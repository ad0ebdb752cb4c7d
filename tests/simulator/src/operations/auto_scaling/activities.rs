//! `DescribeScalingActivities`, and an activity as XML.
//!
//! Newest first. Of a group that is gone nothing is remembered.

use serde::Deserialize;
use serde_json::Value;

use super::super::Answer;
use super::super::page::Page;
use super::input::{self, Paging};
use crate::account::{Account, Activity, AutoScalingGroup};
use crate::wire::query::{Xml, timestamp};

const PAGE: Page = Page { operation: "DescribeScalingActivities", default: 100, max: 100 };

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Input {
    #[serde(deserialize_with = "input::list")]
    activity_ids: Vec<String>,
    auto_scaling_group_name: Option<String>,
}

pub(super) fn describe(account: &Account, value: &Value) -> Answer {
    let (input, paging): (Input, Paging) = (input::read(value)?, input::read(value)?);
    let groups: Vec<&AutoScalingGroup> = match input.auto_scaling_group_name.as_deref() {
        Some(name) => vec![super::group(account, Some(name))?],
        None => account.auto_scaling_groups.values().collect(),
    };
    let all = groups.iter().flat_map(|group| group.activities.iter().map(move |it| (*group, it)));
    let ids = &input.activity_ids;
    let mut asked: Vec<_> = all.filter(|(_, it)| ids.is_empty() || ids.contains(&it.id)).collect();
    asked.sort_by_key(|(_, it)| std::cmp::Reverse(it.start));
    let (page, next) = paging.cut(&PAGE, asked.into_iter(), |(_, it)| &it.id)?;
    let mut xml = Xml::default();
    xml.list("Activities", page, |xml, (group, activity)| write(xml, group, activity));
    xml.maybe("NextToken", next.as_deref());
    Ok(xml.into_bytes())
}

pub(super) fn write(xml: &mut Xml, group: &AutoScalingGroup, activity: &Activity) {
    xml.text("ActivityId", &activity.id);
    xml.text("AutoScalingGroupName", &group.name);
    xml.text("Description", &activity.description);
    xml.text("Cause", &activity.cause);
    xml.text("StartTime", &timestamp(activity.start));
    xml.maybe("EndTime", activity.end.map(timestamp).as_deref());
    xml.text("StatusCode", activity.status.name());
    xml.maybe("StatusMessage", activity.status_message.as_deref());
    xml.text("Progress", &activity.progress.to_string());
    xml.text("Details", &activity.details);
    xml.text("AutoScalingGroupARN", &group.arn);
}
