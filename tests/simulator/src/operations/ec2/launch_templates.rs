//! `DescribeLaunchTemplateVersions`: what `$Latest` and `$Default` mean at the moment, and what is in a version.
//!
//! Simplified: no filters, and of a template's data only image, type and purchase option. `ResolveAlias` shows the
//! AMI in place of the parameter that names it; of a parameter that is not there the name stays.

use serde::Deserialize;
use serde_json::Value;

use super::super::Answer;
use crate::account::{Account, LaunchTemplate, LaunchTemplateVersion, Market, TemplateVersion};
use crate::wire::query::Xml;
use crate::wire::{ApiError, json};

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct VersionsInput {
    launch_template_id: Option<String>,
    launch_template_name: Option<String>,
    #[serde(rename = "LaunchTemplateVersion")]
    versions: Vec<String>,
    min_version: Option<String>,
    max_version: Option<String>,
    resolve_alias: Option<String>,
    max_results: Option<String>,
    next_token: Option<String>,
}

pub(super) fn describe_versions(account: &Account, input: &Value) -> Answer {
    let input: VersionsInput = json::input(input)?;
    let templates = templates(account, &input)?;
    let resolves = input.resolve_alias.as_deref() == Some("true");
    let size = page_size(input.max_results.as_deref())?;
    let mut xml = Xml::default();
    let mut found = Vec::new();
    for template in templates {
        found.extend(numbers(template, &input)?.into_iter().map(|number| (template, number)));
    }
    let token = |&(template, number): &(&LaunchTemplate, u64)| format!("{}:{number}", template.id);
    if let Some(after) = &input.next_token {
        let place = found.iter().position(|it| token(it) == *after);
        let place = place.ok_or_else(|| ApiError::new("InvalidNextToken", "The token is not valid."))?;
        found.drain(..=place);
    }
    let next = found.get(size - 1).filter(|_| found.len() > size).map(token);
    found.truncate(size);
    xml.element("launchTemplateVersionSet", |xml| {
        for (template, number) in found {
            let data = &template.versions[&number];
            let image = data.resolved_image(account).filter(|_| resolves).unwrap_or(&data.image_id);
            xml.element("item", |xml| version(xml, template, number, (data, image)));
        }
    });
    xml.maybe("nextToken", next.as_deref());
    Ok(xml.into_bytes())
}

fn page_size(asked: Option<&str>) -> Result<usize, ApiError> {
    let Some(text) = asked else { return Ok(200) };
    let size = text.parse().ok().filter(|size| (1..=200).contains(size));
    let message = format!("Value ( {text} ) for parameter maxResults is invalid. Expecting 1 to 200.");
    size.ok_or_else(|| ApiError::new("InvalidParameterValue", message))
}

/// The one template that is named, or all if none is.
fn templates<'a>(account: &'a Account, input: &VersionsInput) -> Result<Vec<&'a LaunchTemplate>, ApiError> {
    let mut all = account.launch_templates.values();
    let (found, error) = match (&input.launch_template_id, &input.launch_template_name) {
        (Some(id), _) => {
            let text = format!("The specified launch template, with template ID {id}, does not exist.");
            (all.find(|it| it.id == *id), ApiError::new("InvalidLaunchTemplateId.NotFound", text))
        }
        (None, Some(name)) => {
            let text = format!("The specified launch template, with template name {name}, does not exist.");
            let code = "InvalidLaunchTemplateName.NotFoundException";
            (all.find(|it| it.name == *name), ApiError::new(code, text))
        }
        (None, None) => return Ok(all.collect()),
    };
    found.map(|template| vec![template]).ok_or(error)
}

/// The versions asked for; all from newest to oldest if none is named.
fn numbers(template: &LaunchTemplate, input: &VersionsInput) -> Result<Vec<u64>, ApiError> {
    let bound = |text: &Option<String>| text.as_deref().and_then(|text| text.parse::<u64>().ok());
    let lowest = bound(&input.min_version).unwrap_or(0);
    let highest = bound(&input.max_version).unwrap_or(u64::MAX);
    if input.versions.is_empty() {
        let all = template.versions.keys().rev().copied();
        return Ok(all.filter(|number| (lowest..=highest).contains(number)).collect());
    }
    let named = input.versions.iter().map(|name| {
        let number = TemplateVersion::from_name(name).map(|version| version.number_in(template));
        number.filter(|number| template.versions.contains_key(number)).ok_or_else(|| {
            let text = format!("Could not find launch template version {name} for {}.", template.id);
            ApiError::new("InvalidLaunchTemplateId.VersionNotFound", text)
        })
    });
    named.collect()
}

fn version(
    xml: &mut Xml,
    template: &LaunchTemplate,
    number: u64,
    (version, image): (&LaunchTemplateVersion, &str),
) {
    xml.text("launchTemplateId", &template.id);
    xml.text("launchTemplateName", &template.name);
    xml.text("versionNumber", &number.to_string());
    xml.text("defaultVersion", &(number == template.default_version).to_string());
    xml.element("launchTemplateData", |xml| {
        xml.text("imageId", image);
        xml.text("instanceType", &version.instance_type);
        if version.market == Market::Spot {
            xml.element("instanceMarketOptions", |xml| xml.text("marketType", "spot"));
        }
    });
}
