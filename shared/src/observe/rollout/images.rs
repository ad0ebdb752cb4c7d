//! Which AMIs run, where that decides what is old: one launch template version may stand for several, if a parameter names its
//! AMI.

use std::collections::BTreeMap;

use crate::aws::Aws;
use crate::ids::{ImageId, InstanceId};
use crate::plan::rollout::is_of_version;
use crate::plan::rollout::record::{RolloutRecord, Selection};
use crate::plan::rollout::seen::{Images, RolloutSnapshot};
use crate::snapshot::{
    AutoScalingGroup, AutoScalingInstance, Known, LaunchTemplateSpecification, LaunchTemplateVersion,
    LifecycleState,
};

/// Which AMI is meant, and which these instances run, all of the right version: where nothing hangs on what they run there
/// are none, and an AMI that cannot be told is none.
pub(super) async fn images(
    aws: &Aws,
    group: &AutoScalingGroup,
    version: &LaunchTemplateVersion,
    instances: &[InstanceId],
) -> Known<Images> {
    if group.launch_source.has_images_of_its_own() {
        return Known::NotAsked;
    }
    let meant = aws.launched_image(version).await;
    if instances.is_empty() {
        return Known::Known(Images { meant: meant.ok().flatten(), running: BTreeMap::new() });
    }
    match (meant, aws.machines(instances).await) {
        (Ok(meant), Ok(machines)) => {
            let told = machines.into_iter().filter_map(|it| Some((it.id, it.image?)));
            let running: BTreeMap<InstanceId, ImageId> = told.collect();
            match instances.iter().find(|id| !running.contains_key(*id)) {
                Some(id) => Known::Unknown(format!("EC2 does not tell which AMI {id} runs")),
                None => Known::Known(Images { meant, running }),
            }
        }
        (Err(error), _) | (_, Err(error)) => Known::Unknown(error.chain()),
    }
}

/// Instances of the right version, of which the AMI decides.
pub(super) fn of_version(
    group: &AutoScalingGroup,
    version: u64,
) -> impl Iterator<Item = &AutoScalingInstance> {
    let serving = group.instances.values().filter(|it| it.state == LifecycleState::InService);
    serving.filter(move |it| is_of_version(group, version, it))
}

/// The same while old ones are marked: of those that are marked already nothing more is asked.
pub(super) async fn images_on_record(
    aws: &Aws,
    seen: &RolloutSnapshot,
    record: &RolloutRecord,
) -> Known<Images> {
    let unmarked = of_version(&seen.group, record.target).filter(|it| seen.mark(&it.id).is_none());
    let unmarked: Vec<InstanceId> = unmarked.map(|it| it.id.clone()).collect();
    let Some(template) = seen.group.launch_source.launch_template() else { return Known::NotAsked };
    if record.terms.selection == Selection::All || unmarked.is_empty() {
        return Known::NotAsked;
    }
    let template = LaunchTemplateSpecification { version: record.target.to_string(), ..template.clone() };
    match aws.launch_template_version(&template).await {
        Ok(version) => images(aws, &seen.group, &version, &unmarked).await,
        Err(error) => Known::Unknown(error.chain()),
    }
}
