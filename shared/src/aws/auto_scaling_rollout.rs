//! EC2 Auto Scaling: what a rollout reads of a group before it starts and while it waits.
//!
//! Pages are those of the API reference: 100 records at most in each of these operations, and as many names in
//! `DescribeAutoScalingGroups` as records in a page.

use futures::future::try_join_all;

use super::Aws;
use super::auto_scaling_convert::{self as convert};
use super::failure::failed;
use super::limits::Group as Bucket;
use crate::error::Error;
use crate::ids::GroupName;
use crate::snapshot::{AutoScalingGroup, InstanceRefresh, ScalingActivity, ScheduledAction};

const PAGE: i32 = 100;
const NAMES: usize = 100;

impl Aws {
    /// These groups with everything that a rollout asks about, or all of the Region if none is named
    /// (`DescribeAutoScalingGroups`); a name that does not exist is missing from the answer.
    pub async fn auto_scaling_groups(&self, names: &[GroupName]) -> Result<Vec<AutoScalingGroup>, Error> {
        if names.is_empty() {
            return self.auto_scaling_groups_of(&[]).await;
        }
        let batches = names.chunks(NAMES).map(|batch| self.auto_scaling_groups_of(batch));
        Ok(try_join_all(batches).await?.into_iter().flatten().collect())
    }

    async fn auto_scaling_groups_of(&self, names: &[GroupName]) -> Result<Vec<AutoScalingGroup>, Error> {
        let asked = (!names.is_empty()).then(|| names.iter().map(ToString::to_string).collect());
        let asked: &Option<Vec<String>> = &asked;
        self.pages(Bucket::AutoScaling, |token| async {
            let call = self.auto_scaling.describe_auto_scaling_groups().max_records(PAGE);
            let call = call.set_auto_scaling_group_names(asked.clone()).set_next_token(token);
            let page = call.send().await;
            let page = page.map_err(|error| failed("DescribeAutoScalingGroups", &named(names), error))?;
            let groups = page.auto_scaling_groups().iter().filter_map(convert::group).collect();
            Ok((groups, page.next_token))
        })
        .await
    }

    /// A group's scaling activities, newest first (`DescribeScalingActivities`): at most `pages` pages of 100, since a
    /// group remembers six weeks of them.
    pub async fn scaling_activities(
        &self,
        group: &GroupName,
        pages: usize,
    ) -> Result<Vec<ScalingActivity>, Error> {
        let (mut all, mut token) = (Vec::new(), None);
        for _ in 0..pages {
            self.limits.wait(Bucket::AutoScaling).await;
            let call = self.auto_scaling.describe_scaling_activities().max_records(PAGE);
            let call = call.auto_scaling_group_name(group.as_str()).set_next_token(token);
            let page = call.send().await;
            let page = page.map_err(|error| failed("DescribeScalingActivities", group.as_str(), error))?;
            all.extend(page.activities().iter().filter_map(convert::scaling_activity));
            token = page.next_token;
            if token.is_none() {
                break;
            }
        }
        Ok(all)
    }

    /// A group's instance refreshes that are not over (`DescribeInstanceRefreshes`); there is one at most.
    pub async fn instance_refreshes(&self, group: &GroupName) -> Result<Vec<InstanceRefresh>, Error> {
        let mut all: Vec<InstanceRefresh> = self
            .pages(Bucket::AutoScaling, |token| async {
                let call = self.auto_scaling.describe_instance_refreshes().max_records(PAGE);
                let call = call.auto_scaling_group_name(group.as_str()).set_next_token(token);
                let page = call.send().await;
                let page =
                    page.map_err(|error| failed("DescribeInstanceRefreshes", group.as_str(), error))?;
                let refreshes = page.instance_refreshes().iter().filter_map(convert::instance_refresh);
                Ok((refreshes.collect(), page.next_token))
            })
            .await?;
        all.retain(|refresh| !refresh.is_over());
        Ok(all)
    }

    /// A group's scheduled actions that are still to act (`DescribeScheduledActions`).
    pub async fn scheduled_actions(&self, group: &GroupName) -> Result<Vec<ScheduledAction>, Error> {
        self.pages(Bucket::AutoScaling, |token| async {
            let call = self.auto_scaling.describe_scheduled_actions().max_records(PAGE);
            let call = call.auto_scaling_group_name(group.as_str()).set_next_token(token);
            let page = call.send().await;
            let page = page.map_err(|error| failed("DescribeScheduledActions", group.as_str(), error))?;
            let actions = page.scheduled_update_group_actions().iter().filter_map(convert::scheduled_action);
            Ok((actions.collect(), page.next_token))
        })
        .await
    }
}

fn named(groups: &[GroupName]) -> String {
    match groups {
        [] => "the groups".to_owned(),
        [only] => only.to_string(),
        several => format!("{} groups", several.len()),
    }
}
