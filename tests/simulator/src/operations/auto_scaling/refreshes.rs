//! `DescribeInstanceRefreshes`, newest first.
//!
//! Simplified: progress by instances, preferences and the desired configuration are left out.

use serde::Deserialize;
use serde_json::Value;

use super::super::Answer;
use super::super::page::Page;
use super::input::{self, Paging};
use crate::account::{Account, InstanceRefresh};
use crate::wire::query::{Xml, timestamp};

const PAGE: Page = Page { operation: "DescribeInstanceRefreshes", default: 50, max: 100 };

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Input {
    auto_scaling_group_name: Option<String>,
    #[serde(deserialize_with = "input::list")]
    instance_refresh_ids: Vec<String>,
}

pub(super) fn describe(account: &Account, value: &Value) -> Answer {
    let (input, paging): (Input, Paging) = (input::read(value)?, input::read(value)?);
    let group = super::group(account, input.auto_scaling_group_name.as_deref())?;
    let ids = &input.instance_refresh_ids;
    let asked = group.instance_refreshes.iter().filter(|it| ids.is_empty() || ids.contains(&it.id));
    let (page, next) = paging.cut(&PAGE, asked, |refresh| &refresh.id)?;
    let mut xml = Xml::default();
    xml.list("InstanceRefreshes", page, |xml, refresh| write(xml, &group.name, refresh));
    xml.maybe("NextToken", next.as_deref());
    Ok(xml.into_bytes())
}

fn write(xml: &mut Xml, group: &str, refresh: &InstanceRefresh) {
    xml.text("InstanceRefreshId", &refresh.id);
    xml.text("AutoScalingGroupName", group);
    xml.text("Status", refresh.status.name());
    xml.maybe("StartTime", refresh.start.map(timestamp).as_deref());
    xml.maybe("EndTime", refresh.end.map(timestamp).as_deref());
    xml.text("PercentageComplete", &refresh.percentage_complete.to_string());
    xml.text("Strategy", "Rolling");
}
