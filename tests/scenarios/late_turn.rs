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

/// The function ends two calls after it has taken an increment back, a look and the closing record, and somebody scales up
/// before the next run.
#[test]
fn a_count_written_after_an_undo_stays() {
    let closing_call = |stage: &evenkeel_tests::Stage| {
        let calls = stage.simulator.calls();
        let lowering = calls.iter().rposition(|call| call.operation == "UpdateService").unwrap();
        lowering as u64 + 3
    };
    let call = play(201, clusters::sick(201), async |stage| {
        let impatient = stage.with("EVENKEEL_MOVE_TIMEOUT", "2m");
        let _ = impatient.scheduled().await;
        closing_call(&impatient)
    });
    play(201, clusters::sick(201), async |stage| {
        let impatient = stage.with("EVENKEEL_MOVE_TIMEOUT", "2m");
        impatient.simulator.kill_after(call);
        assert!(impatient.invoke_until_killed().await.is_none(), "the kill strikes");
        impatient.simulator.revive();
        let desired = |to: Option<u32>| {
            impatient.simulator.change(|account| {
                let service = account.clusters.get_mut("web").unwrap().services.get_mut("app").unwrap();
                service.desired_count = to.unwrap_or(service.desired_count);
                service.desired_count
            })
        };
        let scaled = desired(None) + 1;
        desired(Some(scaled));
        tokio::time::sleep(Duration::from_mins(10)).await;
        let report = impatient.scheduled().await;
        assert_eq!(desired(None), scaled, "{report:#?}\n{}", impatient.simulator.timeline());
    });
}
