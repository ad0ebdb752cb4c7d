//! `ListServices` and `DescribeServices`.
//!
//! A service that is being deleted (DRAINING) or is deleted (INACTIVE) is in no list and can still be
//! described.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::page::Page;
use super::service_shape::{ServiceShape, scheduling_strategy};
use super::{Answer, Failure, names};
use crate::account::{Account, Service};
use crate::wire::json;

const LIST: Page = Page { operation: "ListServices", default: 10, max: 100 };

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ListInput {
    cluster: Option<String>,
    next_token: Option<String>,
    max_results: Option<i64>,
    launch_type: Option<String>,
    scheduling_strategy: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ListOutput<'a> {
    service_arns: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

pub(super) fn list(account: &Account, input: &Value) -> Answer {
    let input: ListInput = json::input(input)?;
    let cluster = names::cluster(account, input.cluster.as_deref())?;
    let arns =
        cluster.services.values().filter(|service| input.admits(service)).map(|service| service.arn.as_str());
    let (service_arns, next_token) =
        LIST.cut(arns, |arn| arn, input.next_token.as_deref(), input.max_results)?;
    Ok(json::output(&ListOutput { service_arns, next_token }))
}

impl ListInput {
    fn admits(&self, service: &Service) -> bool {
        let launch_type = service.capacity_provider_strategy.is_empty().then_some("EC2");
        let strategy = scheduling_strategy(service.scheduling_strategy);
        service.status == "ACTIVE"
            && (self.launch_type.is_none() || self.launch_type.as_deref() == launch_type)
            && self.scheduling_strategy.as_deref().is_none_or(|wanted| wanted == strategy)
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct DescribeInput {
    cluster: Option<String>,
    services: Vec<String>,
    include: Vec<String>,
}

#[derive(Serialize)]
struct DescribeOutput<'a> {
    services: Vec<ServiceShape<'a>>,
    failures: Vec<Failure>,
}

pub(super) fn describe(account: &Account, input: &Value) -> Answer {
    let input: DescribeInput = json::input(input)?;
    let cluster = names::cluster(account, input.cluster.as_deref())?;
    names::check_count("Services", input.services.len(), 10)?;
    let with_tags = input.include.iter().any(|field| field == "TAGS");
    let mut output = DescribeOutput { services: Vec::new(), failures: Vec::new() };
    for reference in &input.services {
        let arn = names::arn_in(cluster, "service", reference)?;
        match cluster.services.get(names::short(reference)) {
            Some(service) => output.services.push(ServiceShape::new(cluster, service, with_tags)),
            None => output.failures.push(Failure::new(arn, "MISSING")),
        }
    }
    Ok(json::output(&output))
}
