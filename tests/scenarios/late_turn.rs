//! The next run comes late: what has proved itself meanwhile is finished and not thrown away.

use std::time::Duration;

use evenkeel_tests::{clusters, play};

/// The call that raises the desired count, counted from one.
fn raising_call(seed: u64) -> u64 {
    play(seed, clusters::one_zone(seed, &[3, 0]), async |stage| {
        let _ = stage.scheduled().await;
        let calls = stage.simulator.calls();
        calls.iter().position(|call| call.operation == "UpdateService").unwrap() as u64 + 1
    })
}

/// A function that ends right after it has started a task, and a schedule that misses a beat.
#[test]
fn a_move_whose_new_task_serves_is_finished_however_late_the_next_run_comes() {
    let call = raising_call(401);
    play(401, clusters::one_zone(401, &[3, 0]), async |stage| {
        stage.simulator.kill_after(call);
        assert!(stage.invoke_until_killed().await.is_none(), "the kill strikes");
        stage.simulator.revive();
        tokio::time::sleep(Duration::from_mins(11)).await;
        let report = stage.scheduled().await;
        let timeline = stage.simulator.timeline();
        assert_eq!(report.clusters[0].moves.undone, 0, "{report:#?}\n{timeline}");
        assert_eq!(report.clusters[0].moves.completed, 1, "{report:#?}\n{timeline}");
        stage.assert_clean();
    });
}
