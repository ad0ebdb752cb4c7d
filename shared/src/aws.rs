//! The only module that talks to AWS: clients, paging, batch limits, and SDK types turned into snapshot types.
//!
//! Clients are built once per function instance. Every call passes a rate limit of our own (`limits`), is counted by
//! operation, and tells the time on AWS's clock (`clock`).

mod auto_scaling;
mod auto_scaling_convert;
mod auto_scaling_rollout;
mod auto_scaling_writes;
mod capacity_providers;
mod clock;
mod container_instances;
mod convert;
mod ec2;
mod ecs;
mod failure;
mod limits;
mod target_health;
mod writes;

use std::collections::BTreeMap;
use std::time::Duration;

use aws_smithy_runtime::client::retries::RetryPartition;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::SdkConfig;

use crate::timestamp::Timestamp;
use clock::Wire;
use ec2::Ec2;
use limits::Limits;

pub use ecs::Described;
pub(crate) use ecs::TaskFilter;
pub use writes::PROTECTION_BATCH;

/// A connection is given up after this long: the SDK's own default, said here because it is relied on.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(3100);
/// One attempt of a call is given up after this long; the SDK itself would wait for ever. The slowest call here
/// (`DescribeTasks` of 100) takes well under a second.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(10);
/// A first attempt and three more: with the SDK's backoff a throttled call is given about ten seconds.
const ATTEMPTS: u32 = 4;

/// Everything a turn needs of AWS in one Region.
#[derive(Clone, Debug)]
pub struct Aws {
    ecs: aws_sdk_ecs::Client,
    elb: aws_sdk_elasticloadbalancingv2::Client,
    auto_scaling: aws_sdk_autoscaling::Client,
    ec2: Ec2,
    region: String,
    wire: Wire,
    limits: Limits,
}

impl Aws {
    /// Builds the clients from a shared configuration, which carries Region, credentials, HTTP client, sleep and time.
    /// `retries` names the SDK's retry quota, which is otherwise shared by the whole process.
    pub fn new(config: &SdkConfig, retries: &'static str) -> Self {
        let wire = Wire::new(config.time_source().unwrap_or_default());
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .operation_attempt_timeout(ATTEMPT_TIMEOUT);
        let shared =
            config.clone().into_builder().retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS));
        let shared = shared.timeout_config(timeouts.build()).build();
        let partition = RetryPartition::custom(retries).build();
        let ecs = aws_sdk_ecs::config::Builder::from(&shared)
            .retry_partition(partition.clone())
            .interceptor(wire.clone())
            .build();
        let elb = aws_sdk_elasticloadbalancingv2::config::Builder::from(&shared)
            .retry_partition(partition.clone())
            .interceptor(wire.clone())
            .build();
        let auto_scaling = aws_sdk_autoscaling::config::Builder::from(&shared)
            .retry_partition(partition.clone())
            .interceptor(wire.clone())
            .build();
        Self {
            ecs: aws_sdk_ecs::Client::from_conf(ecs),
            elb: aws_sdk_elasticloadbalancingv2::Client::from_conf(elb),
            auto_scaling: aws_sdk_autoscaling::Client::from_conf(auto_scaling),
            ec2: Ec2::new(&shared, &wire, &partition),
            region: config.region().map(ToString::to_string).unwrap_or_default(),
            wire,
            limits: Limits::new(),
        }
    }

    /// The Region of the clients.
    pub fn region(&self) -> &str {
        &self.region
    }

    /// The present on AWS's clock, as the `Date` header of its latest answer had it, carried forward by our own.
    pub fn now(&self) -> Timestamp {
        self.wire.now()
    }

    /// Attempted calls since the counts were as `before`: the clients, and their counts, live as long as the function
    /// instance.
    pub fn calls_since(&self, before: &BTreeMap<String, u64>) -> BTreeMap<String, u64> {
        let since = |(name, count): (String, u64)| {
            let made = count - before.get(&name).unwrap_or(&0);
            (name, made)
        };
        self.calls().into_iter().map(since).filter(|(_, count)| *count > 0).collect()
    }

    /// Attempted calls so far, by operation.
    pub fn calls(&self) -> BTreeMap<String, u64> {
        self.wire.calls()
    }
}
