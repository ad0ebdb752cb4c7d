//! Token buckets of the ECS API, per account and Region, in account time, shared by all callers.
//!
//! Sizes and rates are those of "Request throttling for the Amazon ECS API". Elastic Load Balancing publishes
//! none; the bucket here is of the size of an ECS read bucket and an assumption. Neither does Auto Scaling, of which
//! only is known that all calls share a bucket; its size can be set. An operation without a
//! published group (`DescribeTaskSets`, say) belongs to the group its neighbours are in.
//! EC2's are those of "Request throttling for the Amazon EC2 API", where a call without filter and page counts as one
//! with them.

use std::collections::BTreeMap;

use crate::time::SimTime;
use crate::wire::Service;

/// The documented groups; operations of one group share a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Group {
    ClusterModify,
    ClusterRead,
    ClusterResourceModify,
    ClusterResourceRead,
    ServiceModify,
    ServiceRead,
    ServiceDeployment,
    TaskProtection,
    TaskDefinitionRead,
    CapacityProviderRead,
    TagModify,
    TagRead,
    TargetHealth,
    AutoScaling,
    Ec2Read,
    TerminateInstances,
}

impl Group {
    fn of(service: Service, operation: &str) -> Self {
        match service {
            Service::ElasticLoadBalancing => return Self::TargetHealth,
            Service::AutoScaling => return Self::AutoScaling,
            Service::Ec2 if operation == "TerminateInstances" => return Self::TerminateInstances,
            Service::Ec2 => return Self::Ec2Read,
            Service::Ecs => {}
        }
        match operation {
            "DescribeClusters" | "ListClusters" => Self::ClusterRead,
            "DeleteAttributes"
            | "DeregisterContainerInstance"
            | "PutAttributes"
            | "RunTask"
            | "StartTask"
            | "StopTask"
            | "UpdateContainerInstancesState" => Self::ClusterResourceModify,
            "CreateService" | "DeleteService" | "UpdateService" => Self::ServiceModify,
            "DescribeServices" | "ListServices" => Self::ServiceRead,
            "ListServiceDeployments" => Self::ServiceDeployment,
            "GetTaskProtection" | "UpdateTaskProtection" => Self::TaskProtection,
            "DescribeTaskDefinition" => Self::TaskDefinitionRead,
            "DescribeCapacityProviders" => Self::CapacityProviderRead,
            "TagResource" | "UntagResource" => Self::TagModify,
            "ListTagsForResource" => Self::TagRead,
            operation if operation.ends_with("Cluster") => Self::ClusterModify,
            _ => Self::ClusterResourceRead,
        }
    }

    /// Tokens of the full bucket, and tokens that come back per second.
    fn limits(self) -> (f64, f64) {
        match self {
            Self::ClusterModify => (20.0, 1.0),
            Self::ClusterResourceModify => (100.0, 40.0),
            Self::ServiceModify => (50.0, 5.0),
            Self::ClusterResourceRead | Self::ServiceRead | Self::TargetHealth | Self::Ec2Read => {
                (100.0, 20.0)
            }
            Self::TerminateInstances => (100.0, 5.0),
            Self::TaskProtection => (200.0, 80.0),
            Self::TagModify => (20.0, 10.0),
            Self::AutoScaling => AUTO_SCALING,
            Self::ClusterRead
            | Self::ServiceDeployment
            | Self::TaskDefinitionRead
            | Self::CapacityProviderRead
            | Self::TagRead => (50.0, 20.0),
        }
    }
}

/// Burst and rate of the bucket of Auto Scaling unless a test sets others: a guess.
const AUTO_SCALING: (f64, f64) = (100.0, 10.0);

#[derive(Clone, Copy, Debug)]
struct Bucket {
    tokens: f64,
    at: SimTime,
}

/// All buckets of one account and Region.
#[derive(Clone, Debug, Default)]
pub struct Throttle {
    buckets: BTreeMap<Group, Bucket>,
    lowest: BTreeMap<Group, f64>,
    auto_scaling: Option<(f64, f64)>,
}

impl Throttle {
    /// Takes one token for a call; false means that the call is throttled.
    pub fn admits(&mut self, service: Service, operation: &str, now: SimTime) -> bool {
        let bucket = self.refilled(Group::of(service, operation), now);
        let admitted = bucket.tokens >= 1.0;
        if admitted {
            bucket.tokens -= 1.0;
        }
        let left = bucket.tokens;
        let group = Group::of(service, operation);
        let share = left / self.limits(group).0;
        let lowest = self.lowest.entry(group).or_insert(1.0);
        *lowest = lowest.min(share);
        admitted
    }

    /// The bucket that calls have emptied furthest since this was last asked, and the share of its burst that was left then.
    pub fn take_lowest(&mut self) -> Option<(String, f64)> {
        let lowest = std::mem::take(&mut self.lowest);
        let lowest = lowest.into_iter().min_by(|one, other| one.1.total_cmp(&other.1))?;
        Some((format!("{:?}", lowest.0), lowest.1))
    }

    /// Takes up to `tokens` from the bucket of an operation, as other callers of the account do.
    pub fn spend(&mut self, service: Service, operation: &str, tokens: u32, now: SimTime) {
        let bucket = self.refilled(Group::of(service, operation), now);
        bucket.tokens = (bucket.tokens - f64::from(tokens)).max(0.0);
    }

    /// Gives the bucket of Auto Scaling another burst and rate, and fills it.
    pub fn size_auto_scaling(&mut self, burst: u32, per_second: u32) {
        self.auto_scaling = Some((f64::from(burst), f64::from(per_second)));
        self.buckets.remove(&Group::AutoScaling);
    }

    fn limits(&self, group: Group) -> (f64, f64) {
        let given = self.auto_scaling.filter(|_| group == Group::AutoScaling);
        given.unwrap_or_else(|| group.limits())
    }

    fn refilled(&mut self, group: Group, now: SimTime) -> &mut Bucket {
        let (burst, rate) = self.limits(group);
        let bucket = self.buckets.entry(group).or_insert(Bucket { tokens: burst, at: now });
        bucket.tokens = (bucket.tokens + now.since(bucket.at).as_secs_f64() * rate).min(burst);
        bucket.at = bucket.at.max(now);
        bucket
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn admitted(throttle: &mut Throttle, operation: &str, calls: u32, now: SimTime) -> u32 {
        (0..calls).map(|_| u32::from(throttle.admits(Service::Ecs, operation, now))).sum()
    }

    #[test]
    fn a_burst_is_admitted_and_then_the_rate() {
        let mut throttle = Throttle::default();
        assert_eq!(admitted(&mut throttle, "UpdateService", 80, SimTime(0)), 50);
        assert_eq!(admitted(&mut throttle, "UpdateService", 80, SimTime(1000)), 5);
        assert_eq!(admitted(&mut throttle, "UpdateService", 80, SimTime(0) + Duration::from_hours(1)), 50);
    }

    #[test]
    fn operations_of_one_group_share_a_bucket_and_groups_do_not() {
        let mut throttle = Throttle::default();
        assert_eq!(admitted(&mut throttle, "ListTasks", 60, SimTime(0)), 60);
        assert_eq!(admitted(&mut throttle, "DescribeTasks", 60, SimTime(0)), 40);
        assert_eq!(admitted(&mut throttle, "DescribeServices", 60, SimTime(0)), 60);
    }

    #[test]
    fn all_calls_of_auto_scaling_share_a_bucket_whose_size_can_be_set() {
        let mut throttle = Throttle::default();
        throttle.size_auto_scaling(3, 1);
        let mut admits =
            |operation: &str, at: i64| throttle.admits(Service::AutoScaling, operation, SimTime(at));
        assert!(admits("SetDesiredCapacity", 0) && admits("DescribeTags", 0) && admits("DetachInstances", 0));
        assert!(!admits("DescribeAutoScalingGroups", 0));
        assert!(admits("DescribeAutoScalingGroups", 1000) && !admits("DescribeTags", 1000));
    }

    #[test]
    fn ec2_fills_the_bucket_of_terminations_more_slowly_than_that_of_reads() {
        let mut throttle = Throttle::default();
        let mut admitted = |operation: &str, at: i64| {
            (0..200).filter(|_| throttle.admits(Service::Ec2, operation, SimTime(at))).count()
        };
        assert_eq!((admitted("DescribeInstances", 0), admitted("TerminateInstances", 0)), (100, 100));
        assert_eq!((admitted("DescribeInstances", 1000), admitted("TerminateInstances", 1000)), (20, 5));
    }

    #[test]
    fn the_lowest_level_is_remembered() {
        let mut throttle = Throttle::default();
        assert_eq!(throttle.take_lowest(), None);
        admitted(&mut throttle, "ListTasks", 10, SimTime(0));
        admitted(&mut throttle, "UpdateService", 40, SimTime(0));
        admitted(&mut throttle, "UpdateService", 1, SimTime(0) + Duration::from_hours(1));
        assert_eq!(throttle.take_lowest(), Some(("ServiceModify".to_owned(), 0.2)));
        assert_eq!(throttle.take_lowest(), None);
    }

    #[test]
    fn other_callers_empty_the_same_bucket() {
        let mut throttle = Throttle::default();
        throttle.spend(Service::Ecs, "ListTasks", 500, SimTime(0));
        assert_eq!(admitted(&mut throttle, "DescribeTasks", 10, SimTime(50)), 1);
    }
}
