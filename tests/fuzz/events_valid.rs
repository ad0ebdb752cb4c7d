//! Events as AWS and operators send them, each with the command that it stands for.

use std::time::Duration;

use evenkeel::ids::{ClusterName, GroupName, InstanceId};
use evenkeel::percent::Percent;
use evenkeel::plan::drain::reason::DrainReason;
use evenkeel::plan::drain::record::{Cause, DrainRecord};
use evenkeel::plan::rollout::record::{Selection, Terms};
use evenkeel::settings::Settings;
use evenkeel::timestamp::Timestamp;
use evenkeel::turn::Job;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

pub(crate) const REGION: &str = "eu-west-1";

/// When the events arrive.
pub(crate) fn now() -> Timestamp {
    Timestamp::from_secs(1_800_000_000)
}

pub(crate) fn settings() -> Settings {
    Settings::from_pairs([("EVENKEEL_CLUSTERS".to_owned(), "web".to_owned())]).expect("they are right")
}

/// An envelope as EventBridge makes them.
pub(crate) fn envelope(kind: &str, time: &str, detail: &Value) -> Value {
    json!({
        "version": "0", "id": "12345678-1234-1234-1234-123456789012", "detail-type": kind, "source": "aws.ec2",
        "account": "123456789012", "time": time, "region": REGION, "resources": [], "detail": detail
    })
}

fn instance() -> impl Strategy<Value = String> {
    prop_oneof!["i-[0-9a-f]{8}", "i-[0-9a-f]{17}"]
}

/// From the first years of ECS to the end of the century, with and without thousandths.
fn moment() -> impl Strategy<Value = Timestamp> {
    (1_420_000_000..4_102_444_800_i64, prop_oneof![Just(0), 0..1000_i64])
        .prop_map(|(seconds, millis)| Timestamp::from_millis(seconds * 1000 + millis))
}

fn written(at: Timestamp) -> String {
    let since = Duration::from_millis(at.as_millis().unsigned_abs());
    humantime::format_rfc3339(std::time::UNIX_EPOCH + since).to_string()
}

fn drained(instance: &str, cause: Cause, at: Timestamp, left: Option<Duration>) -> drain::event::Command {
    let record = DrainRecord { cause, noticed_at: at, deadline: left.map(|left| at + left), asked: None };
    drain::event::Command::Drain { instance: instance.into(), record, cluster: None, dry_run: false }
}

fn interruption() -> impl Strategy<Value = (Value, drain::event::Command)> {
    let causes = [("terminate", Cause::Terminate), ("stop", Cause::Stop), ("hibernate", Cause::Hibernate)];
    (instance(), moment(), select(causes.to_vec())).prop_map(|(id, at, (action, cause))| {
        let detail = json!({"instance-id": id, "instance-action": action});
        let event = envelope("EC2 Spot Instance Interruption Warning", &written(at), &detail);
        (event, drained(&id, cause, at, Some(settings().spot_notice)))
    })
}

fn lifecycle_action() -> impl Strategy<Value = (Value, drain::event::Command)> {
    let hook = prop_oneof![Just("evenkeel-drain".to_owned()), "[A-Za-z0-9/_-]{1,40}"];
    (instance(), moment(), hook).prop_map(|(id, at, hook)| {
        let detail = json!({"EC2InstanceId": id, "LifecycleHookName": hook, "AutoScalingGroupName": "g"});
        let event = envelope("EC2 Instance-terminate Lifecycle Action", &written(at), &detail);
        if hook == settings().lifecycle_hook {
            return (event, drained(&id, Cause::Hook, at, Some(settings().hook_timeout)));
        }
        let reason = DrainReason::HookOfOthers { hook };
        (event, drain::event::Command::LeaveAlone { instance: InstanceId::new(id), reason })
    })
}

fn state_change() -> impl Strategy<Value = (Value, drain::event::Command)> {
    let states = ["pending", "running", "shutting-down", "stopping", "stopped", "terminated"];
    (instance(), moment(), select(states.to_vec())).prop_map(|(id, at, state)| {
        let detail = json!({"instance-id": id, "state": state});
        let event = envelope("EC2 Instance State-change Notification", &written(at), &detail);
        let instance = InstanceId::new(id);
        let reason = DrainReason::NotTerminatedYet { state: state.to_owned() };
        let left_alone = drain::event::Command::LeaveAlone { instance: instance.clone(), reason };
        let terminated = drain::event::Command::Terminated { instance, at };
        (event, if state == "terminated" { terminated } else { left_alone })
    })
}

fn recommendation() -> impl Strategy<Value = (Value, drain::event::Command)> {
    (instance(), moment()).prop_map(|(id, at)| {
        let detail = json!({"instance-id": id});
        let event = envelope("EC2 Instance Rebalance Recommendation", &written(at), &detail);
        let reason = DrainReason::RecommendationIgnored;
        (event, drain::event::Command::LeaveAlone { instance: InstanceId::new(id), reason })
    })
}

fn manual_drain() -> impl Strategy<Value = (Value, drain::event::Command)> {
    (instance(), option::of(cluster()), option::of(any::<bool>())).prop_map(|(id, cluster, dry)| {
        let event = json!({"instanceId": id, "cluster": cluster, "dryRun": dry});
        let record = DrainRecord { cause: Cause::Manual, noticed_at: now(), deadline: None, asked: None };
        let (cluster, dry_run) = (cluster.map(ClusterName::new), dry.unwrap_or(false));
        (event, drain::event::Command::Drain { instance: InstanceId::new(id), record, cluster, dry_run })
    })
}

fn cluster() -> impl Strategy<Value = String> {
    "[A-Za-z0-9_-]{1,255}"
}

/// Events of the function `drain` that come by EventBridge.
pub(crate) fn delivered() -> impl Strategy<Value = (Value, drain::event::Command)> {
    let scheduled = moment().prop_map(|at| {
        (envelope("Scheduled Event", &written(at), &json!({})), drain::event::Command::Reconcile)
    });
    prop_oneof![interruption(), lifecycle_action(), state_change(), recommendation(), scheduled]
}

/// Events of the function `drain`.
pub(crate) fn of_drain() -> impl Strategy<Value = (Value, drain::event::Command)> {
    let nothing_said = Just((json!({}), drain::event::Command::Reconcile));
    prop_oneof![5 => delivered(), 1 => manual_drain(), 1 => nothing_said]
}

/// Commands to the function `rebalance`.
pub(crate) fn of_rebalance() -> impl Strategy<Value = (Value, rebalance::event::Command)> {
    let dry = || option::of(any::<bool>());
    let moved = (cluster(), dry(), option::of(1..=1000_u32), option::of(1..=1000_u32));
    prop_oneof![
        4 => moved.prop_map(|(cluster, dry, threshold, moves)| {
            let event = json!({"cluster": cluster, "dryRun": dry, "skewThreshold": threshold, "maxMoves": moves});
            let (cluster, dry_run) = (Some(ClusterName::new(cluster)), dry.unwrap_or(false));
            let skew_threshold = threshold.map(Percent::new);
            let job = Job::Rebalance;
            (event, rebalance::event::Command { job, cluster, dry_run, skew_threshold, max_moves: moves })
        }),
        1 => (cluster(), dry()).prop_map(|(cluster, dry)| {
            let event = json!({"action": "release", "cluster": cluster, "dryRun": dry});
            let (cluster, dry_run) = (Some(ClusterName::new(cluster)), dry.unwrap_or(false));
            (event, rebalance::event::Command { job: Job::Release, cluster, dry_run, ..Default::default() })
        }),
    ]
}

fn group() -> impl Strategy<Value = String> {
    prop_oneof!["[A-Za-z0-9 ._/-]{1,255}", "[ -~]{1,60}"]
}

fn start() -> impl Strategy<Value = (Value, rollout::event::Command)> {
    let flag = || option::of(any::<bool>());
    let terms = (option::of(1..=100_u32), option::of(0..=86_400_u64), flag());
    (group(), cluster(), flag(), terms).prop_map(|(group, cluster, dry, (percent, bake, drifted))| {
        let bake_time = bake.map(|seconds| format!("{seconds}s"));
        let event = json!({"action": "start", "autoScalingGroup": group, "cluster": cluster, "dryRun": dry,
            "surgePercent": percent, "bakeTime": bake_time, "onlyIfDrifted": drifted});
        let terms = Terms {
            surge_percent: percent.unwrap_or(100),
            canary: 0,
            bake_time: Duration::from_secs(bake.unwrap_or(0)),
            selection: if drifted == Some(true) { Selection::Drifted } else { Selection::All },
        };
        let (group, cluster) = (GroupName::new(group), ClusterName::new(cluster));
        (event, rollout::event::Command::Start { group, cluster, terms, dry_run: dry.unwrap_or(false) })
    })
}

/// Commands to the function `rollout`.
pub(crate) fn of_rollout() -> impl Strategy<Value = (Value, rollout::event::Command)> {
    type Act = fn(GroupName) -> rollout::event::Command;
    let acts: [(&str, Act); 3] = [
        ("status", rollout::event::Command::Status),
        ("abort", rollout::event::Command::Abort),
        ("resume", rollout::event::Command::Resume),
    ];
    let others = (group(), select(acts.to_vec())).prop_map(|(group, (action, command))| {
        (json!({"action": action, "autoScalingGroup": group}), command(GroupName::new(group)))
    });
    prop_oneof![2 => start(), 1 => others]
}
