//! `DescribeTaskDefinition`.
//!
//! Simplified: one container, named like the family; every revision is ACTIVE.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::placement_members::ConstraintMember;
use super::{Answer, names};
use crate::account::{Account, TaskDefinition};
use crate::wire::{ApiError, json};

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Input {
    task_definition: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Output<'a> {
    task_definition: DefinitionShape<'a>,
    tags: [(); 0],
}

/// API shape `TaskDefinition`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DefinitionShape<'a> {
    task_definition_arn: &'a str,
    container_definitions: [ContainerShape<'a>; 1],
    family: &'a str,
    network_mode: &'a str,
    revision: u32,
    status: &'static str,
    placement_constraints: Vec<ConstraintMember>,
    compatibilities: [&'static str; 1],
    cpu: String,
    memory: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ContainerShape<'a> {
    name: &'a str,
    image: &'a str,
    cpu: u64,
    memory: u64,
    essential: bool,
    port_mappings: Vec<PortMapping>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stop_timeout: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    health_check: Option<HealthCheck>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PortMapping {
    container_port: u16,
    host_port: u16,
    protocol: &'static str,
}

#[derive(Serialize)]
struct HealthCheck {
    command: [&'static str; 2],
}

pub(super) fn describe(account: &Account, input: &Value) -> Answer {
    let input: Input = json::input(input)?;
    let found = names::task_definition(&account.task_definitions, &input.task_definition);
    let arn = found.ok_or_else(|| ApiError::new("ClientException", "Unable to describe task definition."))?;
    let task_definition = shape(&account.task_definitions[&arn]);
    Ok(json::output(&Output { task_definition, tags: [] }))
}

fn shape(definition: &TaskDefinition) -> DefinitionShape<'_> {
    DefinitionShape {
        task_definition_arn: &definition.arn,
        container_definitions: [container(definition)],
        family: &definition.family,
        network_mode: &definition.network_mode,
        revision: definition.revision,
        status: "ACTIVE",
        placement_constraints: definition.placement_constraints.iter().map(ConstraintMember::new).collect(),
        compatibilities: ["EC2"],
        cpu: definition.cpu.to_string(),
        memory: definition.memory.to_string(),
    }
}

fn container(definition: &TaskDefinition) -> ContainerShape<'_> {
    let mapping = |(&container_port, &host_port): (&u16, &u16)| PortMapping {
        container_port,
        host_port,
        protocol: "tcp",
    };
    ContainerShape {
        name: &definition.family,
        image: &definition.image,
        cpu: definition.cpu,
        memory: definition.memory,
        essential: true,
        port_mappings: definition.port_mappings.iter().map(mapping).collect(),
        stop_timeout: definition.stop_timeout.map(|timeout| timeout.as_secs()),
        health_check: definition.has_health_check.then_some(HealthCheck { command: ["CMD-SHELL", "exit 0"] }),
    }
}
