//! Reading what a drain is foreseen from: task definitions, target groups, and the room on the other instances.
//!
//! Nothing hangs on it, and fifty invocations may read it at once from the buckets that those interrupted draw on, so it is
//! kept small: for D task definitions and G target groups D + G calls, a few at a time; two for the instances, or four, where
//! a hundred of them leave no room; and one `DescribeServices` for every ten services.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;

use futures::{StreamExt, future, stream};

use super::services as services_of;
use crate::aws::Aws;
use crate::error::Error;
use crate::ids::{ServiceName, TargetGroupArn, TaskDefinitionArn};
use crate::observe::known;
use crate::plan::drain::foresight::no_room;
use crate::plan::drain::seen::{InstanceSnapshot, Outlook};
use crate::snapshot::Known;

/// Calls of one kind that run at the same time.
const AT_ONCE: usize = 4;

/// Pages of a hundred instances, after which it is not told whether there is room.
const PAGES_MAX: usize = 2;

/// Reads it for an instance with tasks of services on it; target groups matter only where there is a deadline.
pub async fn outlook(aws: &Aws, seen: &InstanceSnapshot, has_deadline: bool) -> Outlook {
    let groups = if has_deadline { target_groups(seen) } else { BTreeSet::new() };
    let (task_definitions, deregistration_delays) = future::join(
        each(task_definitions(seen), |arn| async move { aws.task_definition(&arn).await }),
        each(groups, |group| async move { aws.deregistration_delay(&group).await }),
    )
    .await;
    let (instances, services) = (Known::NotAsked, seen.services.clone());
    let mut outlook = Outlook { task_definitions, deregistration_delays, instances, services };
    read_instances(aws, seen, &mut outlook).await;
    let names: BTreeSet<ServiceName> = seen.wanted().into_keys().cloned().collect();
    outlook.services = services_of(aws, &seen.cluster, &names).await;
    outlook
}

/// Reads each of these; one that fails is unknown.
async fn each<K: Clone + Ord, V, F>(keys: BTreeSet<K>, read: impl Fn(K) -> F) -> BTreeMap<K, Known<V>>
where
    F: Future<Output = Result<V, Error>>,
{
    let answers = stream::iter(keys).map(|key| {
        let answer = read(key.clone());
        async move { (key, known(answer.await)) }
    });
    answers.buffered(AT_ONCE).collect().await
}

/// Page by page, until one page has room enough, there are no more, or the most that are worth it are read.
async fn read_instances(aws: &Aws, seen: &InstanceSnapshot, outlook: &mut Outlook) {
    let (mut all, mut token) = (Vec::new(), None);
    for _ in 0..PAGES_MAX {
        let next = match aws.active_instances(&seen.cluster, token).await {
            Ok((page, next)) if page.unreadable.is_empty() => {
                all.extend(page.items);
                next
            }
            Ok(_) => return unknown(outlook, "some could not be described"),
            Err(error) => return unknown(outlook, &error.chain()),
        };
        outlook.instances = Known::Known(all.clone());
        if next.is_none() || no_room(seen, outlook).is_none() {
            return;
        }
        token = next;
    }
    unknown(outlook, "there are more than are looked at");
}

fn unknown(outlook: &mut Outlook, why: &str) {
    outlook.instances = Known::Unknown(why.to_owned());
}

fn task_definitions(seen: &InstanceSnapshot) -> BTreeSet<TaskDefinitionArn> {
    seen.wanted().into_values().flatten().map(|task| task.task_definition.clone()).collect()
}

fn target_groups(seen: &InstanceSnapshot) -> BTreeSet<TargetGroupArn> {
    let services = seen.services.values().filter_map(Known::known);
    let balancers = services.flat_map(|service| &service.load_balancers);
    balancers.filter_map(|balancer| balancer.target_group.clone()).collect()
}
