//! `ListServiceDeployments`, drawn from the deployments a service still has.
//!
//! Simplified: AWS keeps service deployments for ninety days, here they are gone with their deployment. The
//! `createdAt` filter is ignored. Only rolling deployments exist, so the blue/green states do not occur.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::page::Page;
use super::{Answer, names};
use crate::account::{Account, Cluster, Deployment, RolloutState, Service};
use crate::wire::json::{self, timestamp};

const LIST: Page = Page { operation: "ListServiceDeployments", default: 20, max: 100 };

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Input {
    cluster: Option<String>,
    service: String,
    status: Vec<String>,
    next_token: Option<String>,
    max_results: Option<i64>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Output<'a> {
    service_deployments: Vec<Brief<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

/// API shape `ServiceDeploymentBrief`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Brief<'a> {
    service_deployment_arn: String,
    service_arn: &'a str,
    cluster_arn: &'a str,
    created_at: f64,
    started_at: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    finished_at: Option<f64>,
    status: &'static str,
}

pub(super) fn list(account: &Account, input: &Value) -> Answer {
    let input: Input = json::input(input)?;
    let cluster = names::cluster(account, input.cluster.as_deref())?;
    let service = names::service(cluster, &input.service)?;
    let asked =
        |brief: &Brief| input.status.is_empty() || input.status.iter().any(|status| status == brief.status);
    let briefs = service.deployments.iter().map(|deployment| brief(cluster, service, deployment));
    let mut briefs: Vec<Brief> = briefs.filter(asked).collect();
    briefs.sort_by(|one, other| one.service_deployment_arn.cmp(&other.service_deployment_arn));
    let arn = |brief: &Brief| brief.service_deployment_arn.clone();
    let keyed = briefs.into_iter().map(|brief| (arn(&brief), brief));
    let (page, next_token) =
        LIST.cut(keyed, |(key, _)| key, input.next_token.as_deref(), input.max_results)?;
    let service_deployments = page.into_iter().map(|(_, brief)| brief).collect();
    Ok(json::output(&Output { service_deployments, next_token }))
}

fn brief<'a>(cluster: &'a Cluster, service: &'a Service, deployment: &Deployment) -> Brief<'a> {
    let prefix = service.arn.replacen(":service/", ":service-deployment/", 1);
    let finished = deployment.rollout_state != RolloutState::InProgress;
    Brief {
        service_deployment_arn: format!("{prefix}/{}", names::short(&deployment.id)),
        service_arn: &service.arn,
        cluster_arn: &cluster.arn,
        created_at: timestamp(deployment.created_at),
        started_at: timestamp(deployment.created_at),
        finished_at: finished.then(|| timestamp(deployment.updated_at)),
        status: match deployment.rollout_state {
            RolloutState::InProgress => "IN_PROGRESS",
            RolloutState::Completed => "SUCCESSFUL",
            RolloutState::Failed => "STOPPED",
        },
    }
}
