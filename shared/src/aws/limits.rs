//! Our own rate limits: a fraction of AWS's token buckets, which the whole account and Region shares.
//!
//! Source: Amazon ECS API Reference, "Request throttling for the Amazon ECS API" (burst and refill per group). Reads
//! take at most half, so that deploy tools and agents keep theirs; `UpdateService` takes a fifth, since every autoscaler
//! and pipeline of the account draws from the same 5 a second.

use std::sync::Arc;
use std::time::Duration;

use leaky_bucket::RateLimiter;

/// A bucket of AWS's, by the name its page gives it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Group {
    /// `DescribeClusters`, `ListClusters`: 50 burst, 20 a second.
    ClusterRead,
    /// `List-`/`DescribeTasks`, `List-`/`DescribeContainerInstances`: 100 burst, 20 a second.
    ClusterResourceRead,
    /// `ListServices`, `DescribeServices`: 100 burst, 20 a second.
    ServiceRead,
    /// `UpdateService`: 50 burst, 5 a second.
    ServiceModify,
    /// `DescribeTaskDefinition`: 50 burst, 20 a second.
    TaskDefinitionRead,
    /// `GetTaskProtection`, `UpdateTaskProtection`: 200 burst, 80 a second.
    TaskProtection,
    /// `TagResource`, `UntagResource`: 20 burst, 10 a second.
    TagModify,
    /// `StopTask`, `UpdateContainerInstancesState`, `PutAttributes` and their like: 100 burst, 40 a second.
    ClusterResourceModify,
    /// `DescribeTargetHealth`, `DescribeTargetGroupAttributes`: AWS publishes no figure for Elastic Load Balancing; held as
    /// low as cluster reads.
    TargetHealth,
    /// Everything of Auto Scaling: AWS publishes no figure; held as low as cluster reads.
    AutoScaling,
    /// `DescribeInstances`, `DescribeLaunchTemplateVersions`: 100 burst, 20 a second each (EC2 User Guide, "Request
    /// throttling").
    Ec2Read,
    /// `DescribeCapacityProviders`: 50 burst, 20 a second.
    CapacityProviderRead,
}

#[derive(Clone, Debug)]
pub(super) struct Limits {
    buckets: Arc<[RateLimiter; 12]>,
}

impl Limits {
    pub(super) fn new() -> Self {
        Self {
            buckets: Arc::new([
                bucket(25, 10),
                bucket(50, 10),
                bucket(50, 10),
                bucket(10, 1),
                bucket(25, 10),
                bucket(100, 40),
                bucket(10, 5),
                bucket(20, 8),
                bucket(25, 10),
                bucket(25, 10),
                bucket(50, 10),
                bucket(25, 10),
            ]),
        }
    }

    /// Waits until a call of this group may be made.
    pub(super) async fn wait(&self, group: Group) {
        self.buckets[group as usize].acquire_one().await;
    }
}

/// Refilled one token at a time: a whole second's worth at once would make calls come in bursts.
fn bucket(burst: usize, per_second: u64) -> RateLimiter {
    let interval = Duration::from_millis(1000 / per_second);
    RateLimiter::builder().max(burst).initial(burst).refill(1).interval(interval).build()
}
