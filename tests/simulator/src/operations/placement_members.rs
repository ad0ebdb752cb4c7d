//! Placement strategies and constraints as requests and answers write them.
//!
//! A field is stored in the API's spelling: `host` means `instanceId`, and `cpu` and `memory` may come in any
//! case.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::account::{
    CapacityProviderStrategyItem, LoadBalancer, PlacementConstraint, PlacementStrategy, PlacementStrategyType,
};
use crate::constraint::{self, Subject};
use crate::time::SimTime;
use crate::wire::ApiError;

/// API shape `PlacementStrategy`.
#[derive(Default, Deserialize, Serialize)]
#[serde(default)]
pub(super) struct StrategyMember {
    r#type: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    field: String,
}

impl StrategyMember {
    /// As answers write it.
    pub(super) fn new(strategy: &PlacementStrategy) -> Self {
        let kind = match strategy.kind {
            PlacementStrategyType::Random => "random",
            PlacementStrategyType::Spread => "spread",
            PlacementStrategyType::Binpack => "binpack",
        };
        Self { r#type: kind.to_owned(), field: strategy.field.clone() }
    }

    fn read(self) -> Result<PlacementStrategy, ApiError> {
        let kind = match self.r#type.as_str() {
            "random" => PlacementStrategyType::Random,
            "spread" => PlacementStrategyType::Spread,
            "binpack" => PlacementStrategyType::Binpack,
            other => {
                return Err(ApiError::invalid_parameter(format!("Unknown placement strategy {other:?}.")));
            }
        };
        Ok(PlacementStrategy { kind, field: field(kind, &self.field)? })
    }
}

fn field(kind: PlacementStrategyType, field: &str) -> Result<String, ApiError> {
    let lower = field.to_ascii_lowercase();
    match (kind, lower.as_str()) {
        (PlacementStrategyType::Random, "") => Ok(String::new()),
        (PlacementStrategyType::Binpack, "cpu" | "memory") => Ok(lower),
        (PlacementStrategyType::Spread, "host" | "instanceid") => Ok("instanceId".to_owned()),
        (PlacementStrategyType::Spread, name) if name.starts_with("attribute:") => Ok(field.to_owned()),
        _ => {
            Err(ApiError::invalid_parameter(format!("Invalid field {field:?} for this placement strategy.")))
        }
    }
}

/// Reads the strategies of a request. "To remove an existing placement strategy, specify an empty object."
pub(super) fn strategies(members: Vec<StrategyMember>) -> Result<Vec<PlacementStrategy>, ApiError> {
    if members.len() > 5 {
        return Err(ApiError::invalid_parameter("At most 5 placement strategies can be specified."));
    }
    let given = members.into_iter().filter(|member| !member.r#type.is_empty());
    given.map(StrategyMember::read).collect()
}

/// API shape `PlacementConstraint`.
#[derive(Default, Deserialize, Serialize)]
#[serde(default)]
pub(super) struct ConstraintMember {
    r#type: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    expression: Option<String>,
}

impl ConstraintMember {
    /// As answers write it.
    pub(super) fn new(constraint: &PlacementConstraint) -> Self {
        let (kind, expression) = match constraint {
            PlacementConstraint::DistinctInstance => ("distinctInstance", None),
            PlacementConstraint::MemberOf(expression) => ("memberOf", Some(expression.clone())),
        };
        Self { r#type: kind.to_owned(), expression }
    }

    fn read(self) -> Result<PlacementConstraint, ApiError> {
        match (self.r#type.as_str(), self.expression) {
            ("distinctInstance", None) => Ok(PlacementConstraint::DistinctInstance),
            ("memberOf", Some(text)) if text.chars().count() <= 2000 => {
                check_expression(&text)?;
                Ok(PlacementConstraint::MemberOf(text))
            }
            (kind, _) => Err(ApiError::invalid_parameter(format!("Invalid placement constraint {kind:?}."))),
        }
    }
}

/// Reads the constraints of a request.
pub(super) fn constraints(members: Vec<ConstraintMember>) -> Result<Vec<PlacementConstraint>, ApiError> {
    if members.len() > 10 {
        return Err(ApiError::invalid_parameter("At most 10 placement constraints can be specified."));
    }
    let given = members.into_iter().filter(|member| !member.r#type.is_empty());
    given.map(ConstraintMember::read).collect()
}

/// Refuses an expression that cannot be read; asking it of an instance without any qualities finds that out.
pub(super) fn check_expression(text: &str) -> Result<(), ApiError> {
    let nothing = Subject {
        agent_connected: false,
        agent_version: "0.0.0",
        attributes: &BTreeMap::new(),
        ec2_instance_id: "",
        registered_at: SimTime(0),
        running_tasks_count: 0,
        task_groups: Vec::new(),
    };
    let read = constraint::holds(text, &nothing);
    read.map(|_| ()).map_err(|fault| ApiError::invalid_parameter(format!("Invalid expression: {fault}")))
}

/// API shape `CapacityProviderStrategyItem`.
#[derive(Default, Deserialize, Serialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct ProviderMember {
    capacity_provider: String,
    weight: u32,
    base: u32,
}

impl ProviderMember {
    /// As answers write it.
    pub(super) fn new(item: &CapacityProviderStrategyItem) -> Self {
        Self { capacity_provider: item.capacity_provider.clone(), weight: item.weight, base: item.base }
    }

    /// As the account keeps it.
    pub(super) fn read(self) -> CapacityProviderStrategyItem {
        let Self { capacity_provider, weight, base } = self;
        CapacityProviderStrategyItem { capacity_provider, base, weight }
    }
}

/// API shape `LoadBalancer`.
#[derive(Default, Deserialize, Serialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct LoadBalancerMember {
    #[serde(skip_serializing_if = "Option::is_none")]
    target_group_arn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    load_balancer_name: Option<String>,
    container_name: String,
    container_port: u16,
}

impl LoadBalancerMember {
    /// As answers write it.
    pub(super) fn new(balancer: &LoadBalancer) -> Self {
        Self {
            target_group_arn: balancer.target_group_arn.clone(),
            load_balancer_name: balancer.load_balancer_name.clone(),
            container_name: balancer.container_name.clone(),
            container_port: balancer.container_port,
        }
    }

    /// As the account keeps it.
    pub(super) fn read(self) -> LoadBalancer {
        let Self { target_group_arn, load_balancer_name, container_name, container_port } = self;
        LoadBalancer { target_group_arn, load_balancer_name, container_name, container_port }
    }
}
