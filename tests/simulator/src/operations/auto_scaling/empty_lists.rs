//! Describe operations for what no group here has: policies, machines in a warm pool.
//!
//! A caller that looks for them finds none, in the right shape. A warm pool is its configuration and the size it would
//! have; no machines are kept for it.

use serde::Deserialize;
use serde_json::Value;

use super::super::Answer;
use super::super::page::Page;
use super::input::{self, Paging};
use crate::account::{Account, WarmPool};
use crate::wire::ApiError;
use crate::wire::query::Xml;

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Input {
    auto_scaling_group_name: Option<String>,
}

const POLICIES: Page = Page { operation: "DescribePolicies", default: 50, max: 100 };
const WARM_POOL: Page = Page { operation: "DescribeWarmPool", default: 50, max: 50 };

/// Nothing is on any page, and a wrong size or token is refused all the same.
fn check_page(value: &Value, page: &Page) -> Result<(), ApiError> {
    let paging: Paging = input::read(value)?;
    paging.cut(page, std::iter::empty::<&str>(), |it| it).map(drop)
}

pub(super) fn policies(account: &Account, value: &Value) -> Answer {
    let input: Input = input::read(value)?;
    if let Some(name) = input.auto_scaling_group_name.as_deref() {
        super::group(account, Some(name))?;
    }
    check_page(value, &POLICIES)?;
    let mut xml = Xml::default();
    xml.element("ScalingPolicies", |_| ());
    Ok(xml.into_bytes())
}

pub(super) fn warm_pool(account: &Account, value: &Value) -> Answer {
    let input: Input = input::read(value)?;
    let group = super::group(account, input.auto_scaling_group_name.as_deref())?;
    check_page(value, &WARM_POOL)?;
    let mut xml = Xml::default();
    if let Some(pool) = &group.warm_pool {
        xml.element("WarmPoolConfiguration", |xml| warm_pool_configuration(xml, pool));
    }
    xml.element("Instances", |_| ());
    Ok(xml.into_bytes())
}

pub(super) fn warm_pool_configuration(xml: &mut Xml, pool: &WarmPool) {
    let prepared = pool.max_group_prepared_capacity.map(|it| it.to_string());
    xml.maybe("MaxGroupPreparedCapacity", prepared.as_deref());
    xml.text("MinSize", &pool.min_size.to_string());
    xml.text("PoolState", &pool.pool_state);
}
