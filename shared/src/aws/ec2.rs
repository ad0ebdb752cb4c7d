//! Amazon EC2 (API version 2016-11-15): the two reads that a rollout needs, without EC2's own SDK crate.
//!
//! That crate takes gigabytes to build. Here a form goes out and XML comes back over the orchestrator that all SDK clients
//! share (`client`), to the endpoint that their rules name (`endpoint`), and is read by `answer`.
//!
//! Sources: Amazon EC2 API Reference, "Query requests", `DescribeLaunchTemplateVersions`, `DescribeInstances` (at most 200
//! values of a filter, pages of 5 to 1000).

mod answer;
mod client;
mod endpoint;

use aws_smithy_runtime::client::retries::RetryPartition;
use aws_types::SdkConfig;
use form_urlencoded::Serializer;
use futures::future::try_join_all;

use super::Aws;
use super::clock::Wire;
use super::failure::failed;
use super::limits::Group;
use crate::error::Error;
use crate::ids::{ImageId, InstanceId};
use crate::snapshot::{LaunchTemplateSpecification, LaunchTemplateVersion, Machine};
use client::{Operation, operation};

const VERSION: &str = "2016-11-15";
const DESCRIBE_INSTANCES: &str = "DescribeInstances";
const DESCRIBE_LAUNCH_TEMPLATE_VERSIONS: &str = "DescribeLaunchTemplateVersions";

const FILTER_VALUES: usize = 200;
/// An instance takes up to ten kilobytes of XML, so that a page has about one megabyte.
const PAGE: &str = "100";

/// The operations, ready to be called.
#[derive(Clone, Debug)]
pub(super) struct Ec2 {
    launch_template_versions: Operation<Vec<LaunchTemplateVersion>>,
    instances: Operation<answer::Machines>,
}

impl Ec2 {
    pub(super) fn new(config: &SdkConfig, wire: &Wire, retries: &RetryPartition) -> Self {
        let versions = answer::launch_template_versions;
        Self {
            launch_template_versions: operation(
                DESCRIBE_LAUNCH_TEMPLATE_VERSIONS,
                config,
                wire,
                retries,
                versions,
            ),
            instances: operation(DESCRIBE_INSTANCES, config, wire, retries, answer::machines),
        }
    }
}

impl Aws {
    /// What a launch template's version is at the moment: `$Latest` and `$Default` become numbers
    /// (`DescribeLaunchTemplateVersions`, which for an AMI from a parameter gives the parameter's name).
    ///
    /// `Error::NotFound` if there is no such template or version; any other error if the specification names neither id nor
    /// name, which AWS would take for all templates.
    pub async fn launch_template_version(
        &self,
        template: &LaunchTemplateSpecification,
    ) -> Result<LaunchTemplateVersion, Error> {
        self.version(template, false).await
    }

    /// The AMI that an instance launched now from this version would have; none if the version names none.
    ///
    /// A parameter is asked for its value by `ResolveAlias`, for which EC2 wants the caller to have `ssm:GetParameters`
    /// (Amazon EC2 User Guide, "Use a Systems Manager parameter instead of an AMI ID").
    pub async fn launched_image(&self, version: &LaunchTemplateVersion) -> Result<Option<ImageId>, Error> {
        if version.image.is_none() || version.fixed_image().is_some() {
            return Ok(version.image.clone());
        }
        let template = LaunchTemplateSpecification {
            id: Some(version.id.clone()),
            name: None,
            version: version.version.to_string(),
        };
        let resolved = self.version(&template, true).await?;
        let image = resolved.fixed_image().cloned();
        image.map(Some).ok_or_else(|| no_version(&template, "the parameter that names its AMI gave none"))
    }

    async fn version(
        &self,
        template: &LaunchTemplateSpecification,
        resolves: bool,
    ) -> Result<LaunchTemplateVersion, Error> {
        let form = versions_form(template, resolves);
        let form = form.ok_or_else(|| no_version(template, "no launch template was named"))?;
        self.limits.wait(Group::Ec2Read).await;
        let answer = self.ec2.launch_template_versions.invoke(form).await;
        let versions =
            answer.map_err(|error| failed(DESCRIBE_LAUNCH_TEMPLATE_VERSIONS, &named(template), error))?;
        let mut versions = versions.into_iter();
        versions.next().ok_or_else(|| no_version(template, "the answer holds no version"))
    }

    /// These instances as EC2 knows them, in no particular order; those it does not know are missing from the answer, and
    /// terminated ones are in it for about an hour (`DescribeInstances`).
    ///
    /// The ids travel as a filter: given as ids, a single unknown one would fail the whole call
    /// (`InvalidInstanceID.NotFound`).
    pub async fn machines(&self, instances: &[InstanceId]) -> Result<Vec<Machine>, Error> {
        let batches = instances.chunks(FILTER_VALUES).map(|batch| {
            self.pages(Group::Ec2Read, move |token| async move {
                let form = instances_form(batch, token.as_deref());
                let answer = self.ec2.instances.invoke(form).await;
                let page = answer.map_err(|error| failed(DESCRIBE_INSTANCES, &several(batch), error))?;
                Ok((page.items, page.next_token))
            })
        });
        Ok(try_join_all(batches).await?.into_iter().flatten().collect())
    }
}

fn form(operation: &str) -> Serializer<'static, String> {
    let mut form = Serializer::new(String::new());
    form.append_pair("Action", operation).append_pair("Version", VERSION);
    form
}

/// Nothing if neither id nor name is given.
fn versions_form(template: &LaunchTemplateSpecification, resolves: bool) -> Option<String> {
    let mut form = form(DESCRIBE_LAUNCH_TEMPLATE_VERSIONS);
    match (&template.id, &template.name) {
        (Some(id), _) => form.append_pair("LaunchTemplateId", id.as_str()),
        (None, Some(name)) => form.append_pair("LaunchTemplateName", name),
        (None, None) => return None,
    };
    form.append_pair("LaunchTemplateVersion.1", &template.version);
    if resolves {
        form.append_pair("ResolveAlias", "true");
    }
    Some(form.finish())
}

fn instances_form(instances: &[InstanceId], token: Option<&str>) -> String {
    let mut form = form(DESCRIBE_INSTANCES);
    form.append_pair("Filter.1.Name", "instance-id");
    for (number, id) in (1..).zip(instances) {
        form.append_pair(&format!("Filter.1.Value.{number}"), id.as_str());
    }
    form.append_pair("MaxResults", PAGE);
    if let Some(token) = token {
        form.append_pair("NextToken", token);
    }
    form.finish()
}

fn named(template: &LaunchTemplateSpecification) -> String {
    let name = template.id.as_ref().map(ToString::to_string).or_else(|| template.name.clone());
    format!("{} version {}", name.unwrap_or_default(), template.version)
}

fn no_version(template: &LaunchTemplateSpecification, why: &'static str) -> Error {
    let operation = DESCRIBE_LAUNCH_TEMPLATE_VERSIONS;
    Error::Aws { operation, resource: named(template), source: why.into() }
}

fn several(instances: &[InstanceId]) -> String {
    match instances {
        [only] => only.to_string(),
        all => format!("{} instances", all.len()),
    }
}
