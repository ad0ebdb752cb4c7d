//! EC2 launch templates, as far as an Auto Scaling group needs them: numbered versions, the latest and the default one.

use std::collections::BTreeMap;

use super::{Account, Joining, Market};
use crate::scheduler::machines::Boot;

/// A launch template.
#[derive(Clone, Debug)]
pub struct LaunchTemplate {
    /// `lt-…`.
    pub id: String,
    /// Name, unique in the Region.
    pub name: String,
    /// What `$Default` means.
    pub default_version: u64,
    /// By number, from 1.
    pub versions: BTreeMap<u64, LaunchTemplateVersion>,
}

impl LaunchTemplate {
    /// What `$Latest` means.
    pub fn latest_version(&self) -> u64 {
        self.versions.keys().next_back().copied().unwrap_or(0)
    }
}

/// One version of a launch template; it never changes.
#[derive(Clone, Debug)]
pub struct LaunchTemplateVersion {
    /// `ami-…`, or `resolve:ssm:NAME`: whatever the parameter holds at launch.
    pub image_id: String,
    /// What is launched unless the group overrides it.
    pub instance_type: String,
    /// The purchase option its `InstanceMarketOptions` ask for; a mixed instances policy decides it instead.
    pub market: Market,
    /// Where the user data lets the container agent register, and with what; absent for machines without an agent.
    pub joins: Option<Joining>,
    /// How long its machines take to get ready.
    pub boot: Boot,
    /// Whether its agents run with `ECS_ENABLE_SPOT_INSTANCE_DRAINING=true`.
    pub agent_drains_on_spot: bool,
}

impl LaunchTemplateVersion {
    /// The AMI that a machine launched now would have; nothing if its parameter does not exist (Amazon EC2 User Guide, "Use
    /// a Systems Manager parameter instead of an AMI ID").
    pub fn resolved_image<'a>(&'a self, account: &'a Account) -> Option<&'a str> {
        match self.image_id.strip_prefix("resolve:ssm:") {
            Some(parameter) => account.parameters.get(parameter).map(String::as_str),
            None => Some(&self.image_id),
        }
    }
}

/// Which version a group asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TemplateVersion {
    /// `$Latest`.
    Latest,
    /// `$Default`, also if none was named.
    Default,
    /// A number.
    Number(u64),
}

impl TemplateVersion {
    /// As the API spells it.
    pub fn name(self) -> String {
        match self {
            Self::Latest => "$Latest".to_owned(),
            Self::Default => "$Default".to_owned(),
            Self::Number(number) => number.to_string(),
        }
    }

    /// Reads the API's spelling; nothing for anything else.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "$Latest" => Some(Self::Latest),
            "$Default" => Some(Self::Default),
            number => number.parse().ok().map(Self::Number),
        }
    }

    /// The number that this means for a template at the moment.
    pub fn number_in(self, template: &LaunchTemplate) -> u64 {
        match self {
            Self::Latest => template.latest_version(),
            Self::Default => template.default_version,
            Self::Number(number) => number,
        }
    }
}
