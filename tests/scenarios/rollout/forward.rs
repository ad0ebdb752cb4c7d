//! The way forward.

use evenkeel_tests::play;
use evenkeel_tests::rollouts::{codes, only, outdated, sized, start};

use super::*;

#[test]
fn a_group_is_doubled_and_shrunk_and_nobody_notices() {
    play(1001, outdated(1001, |it| it), async |stage| {
        let report = stage.rollout(start()).await.unwrap();
        assert_eq!(report.status, Status::Done, "{report:#?}\n{}", stage.simulator.timeline());
        assert_eq!(stage.task_seconds_below(), 0);
        assert_eq!(called(&stage, "SetDesiredCapacity") + called(&stage, "UpdateAutoScalingGroup"), 0);
        assert_replaced(&stage, 6).await;
    });
}

#[test]
fn zones_and_sizes() {
    for zones in 1..=4 {
        for size in 1..=9 {
            let seed = 1100 + 10 * zones as u64 + u64::from(size);
            play(seed, sized(seed, size, zones, |it| it), async |stage| {
                let report = stage.rollout(start()).await.unwrap();
                let words = || format!("{zones} {size} {report:#?}\n{}", stage.simulator.timeline());
                assert_eq!(report.status, Status::Done, "{}", words());
                assert_replaced(&stage, size as usize).await;
            });
        }
    }
}

#[test]
fn a_dry_run_says_what_it_would_do_and_writes_nothing() {
    play(1002, outdated(1002, |it| it), async |stage| {
        let mut event = start();
        event["dryRun"] = true.into();
        let report = stage.rollout(event).await.unwrap();
        let preflight = only(&report).preflight.as_ref().unwrap();
        assert_eq!((preflight.old.len(), preflight.sizes, preflight.surge), (6, (3, 6, 9), 6));
        assert_eq!(preflight.target.as_ref().unwrap().version, 2);
        assert_eq!((codes(&report), stage.writes()), (Vec::new(), 0), "{report:#?}");
    });
}
