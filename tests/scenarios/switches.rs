//! What AWS does not document, played both ways.

use evenkeel::report::Status;
use evenkeel_tests::{clusters, play};
use simulator::account::Account;
use simulator::faults::Rule;
use simulator::switches::Switches;

fn with(switches: Switches, mut account: Account) -> Account {
    account.switches = switches;
    account
}

#[test]
fn a_lowered_desired_count_that_ignores_protection_makes_no_dip_and_is_noticed() {
    let switches = Switches { update_service_spares_protected: false, ..Switches::default() };
    let mut noticed = 0;
    for seed in 51..=60 {
        play(seed, with(switches, clusters::one_zone(seed, &[8, 0])), async |stage| {
            let report = stage.scheduled().await;
            stage.assert_promises();
            assert_eq!(stage.task_seconds_below(), 0, "{}", stage.simulator.timeline());
            let off =
                stage.simulator.account(|it| it.clusters["web"].tags.contains_key("evenkeel:surge-off"));
            if off {
                noticed += 1;
                let writes = stage.writes();
                tokio::time::sleep(std::time::Duration::from_mins(20)).await;
                let next = stage.scheduled().await;
                assert_eq!(stage.writes(), writes, "surge is off for a day");
                let says = |line: &evenkeel::report::BlockedLine| {
                    line.sentence.contains("moves by an extra task are off")
                };
                assert!(next.blocked.iter().any(says), "{next:#?}");
                assert_eq!(next.status, Status::Blocked, "{next:#?}");
            } else {
                assert!(report.clusters[0].moves.undone == 0, "{report:#?}");
            }
        });
    }
    assert!(noticed >= 5, "another task than the chosen one went in {noticed} of 10 runs");
}

#[test]
fn surge_comes_back_after_a_day() {
    let mut account = clusters::one_zone(61, &[3, 0]);
    let yesterday = (account.now.0 / 1000 - 60).to_string();
    account.clusters.get_mut("web").unwrap().tags.insert("evenkeel:surge-off".to_owned(), yesterday);
    play(61, account, async |stage| {
        let report = stage.scheduled().await;
        assert_eq!(report.status, Status::Done, "{report:#?}");
        let tags = stage.simulator.account(|it| it.clusters["web"].tags.clone());
        assert!(tags.is_empty(), "{tags:?}");
    });
}

#[test]
fn a_zone_tie_settled_at_once_costs_extra_starts_and_no_extra_move() {
    let switches = Switches { zone_tie_is_settled_at_once: true, ..Switches::default() };
    let mut extra_starts = 0;
    for seed in 70..=79 {
        play(seed, with(switches, clusters::lost_and_returned(seed)), async |stage| {
            let report = stage.scheduled().await;
            let moves = report.clusters[0].moves;
            assert_eq!(report.status, Status::Done, "{report:#?}\n{}", stage.simulator.timeline());
            assert_eq!(moves.completed, moves.lower_bound, "{report:#?}");
            assert_eq!(stage.task_seconds_below(), 0, "{}", stage.simulator.timeline());
            stage.assert_clean();
            extra_starts += moves.extra_starts;
        });
    }
    assert!(extra_starts > 0, "ten runs in which every tie fell the right way prove nothing");
}

#[test]
fn ballast_makes_no_dip_either_if_protection_is_ignored() {
    let switches = || Switches {
        zone_tie_is_settled_at_once: true,
        update_service_spares_protected: false,
        ..Switches::default()
    };
    for seed in 70..=79 {
        play(seed, with(switches(), clusters::lost_and_returned(seed)), async |stage| {
            let _ = stage.scheduled_until_quiet(3).await;
            stage.assert_promises();
            assert_eq!(stage.task_seconds_below(), 0, "{}", stage.simulator.timeline());
        });
    }
}

#[test]
fn killed_after_every_ninth_call_while_ballast_is_aboard() {
    let switches = Switches { zone_tie_is_settled_at_once: true, ..Switches::default() };
    let cluster = || with(switches, clusters::lost_and_returned(72));
    let calls = play(72, cluster(), async |stage| {
        let _ = stage.scheduled().await;
        stage.simulator.calls().len() as u64
    });
    for call in (1..=calls).step_by(9) {
        play(72, cluster(), async |stage| {
            stage.simulator.kill_after(call);
            assert!(stage.invoke_until_killed().await.is_none(), "the kill strikes");
            stage.simulator.revive();
            tokio::time::sleep(std::time::Duration::from_mins(1)).await;
            let reports = stage.scheduled_until_quiet(6).await;
            assert!(reports.last().unwrap().actions.is_empty(), "{reports:#?}");
            stage.assert_clean();
        });
    }
}

#[test]
fn either_rule_of_scale_in_takes_exactly_the_chosen_task() {
    for scale_in_takes_fullest_instance in [false, true] {
        let switches = Switches { scale_in_takes_fullest_instance, ..Switches::default() };
        for seed in 62..=66 {
            play(seed, with(switches, clusters::lost_and_returned(seed)), async |stage| {
                let report = stage.scheduled().await;
                assert_eq!(report.status, Status::Done, "{report:#?}");
                stage.assert_clean();
            });
        }
    }
}

/// One task of two never gets healthy on the other instance, and its move is undone.
fn sick(seed: u64) -> Account {
    with(Switches { update_service_spares_protected: false, ..Switches::default() }, clusters::sick(seed))
}

#[test]
fn undoing_a_move_makes_no_dip_even_if_protection_is_ignored() {
    for seed in 200..=209 {
        play(seed, sick(seed), async |stage| {
            let impatient = stage.with("EVENKEEL_MOVE_TIMEOUT", "2m");
            let report = impatient.scheduled().await;
            assert_eq!(report.status, Status::RolledBack, "{report:#?}\n{}", impatient.simulator.timeline());
            impatient.assert_clean();
            assert_eq!(impatient.task_seconds_below(), 0, "{}", impatient.simulator.timeline());
        });
    }
}

#[test]
fn killed_after_any_call_of_an_undo_while_protection_is_ignored() {
    let calls = play(201, sick(201), async |stage| {
        let impatient = stage.with("EVENKEEL_MOVE_TIMEOUT", "2m");
        let _ = impatient.scheduled().await;
        impatient.simulator.calls().len() as u64
    });
    for call in (1..=calls).rev().take(60).chain((1..calls).step_by(9)) {
        play(201, sick(201), async |stage| {
            let impatient = stage.with("EVENKEEL_MOVE_TIMEOUT", "2m");
            impatient.simulator.kill_after(call);
            assert!(impatient.invoke_until_killed().await.is_none(), "the kill strikes");
            impatient.simulator.revive();
            tokio::time::sleep(std::time::Duration::from_mins(1)).await;
            let _ = impatient.scheduled_until_quiet(3).await;
            impatient.simulator.change(|account| {
                account
                    .clusters
                    .get_mut("web")
                    .unwrap()
                    .tags
                    .insert("evenkeel:pause".to_owned(), String::new());
            });
            let _ = impatient.scheduled_until_quiet(3).await;
            impatient.simulator.change(|account| account.clusters.get_mut("web").unwrap().tags.clear());
            impatient.assert_clean();
            assert_eq!(impatient.task_seconds_below(), 0, "killed after {call}");
        });
    }
}

/// The sick task cannot be stopped by name: then the count is not lowered past it either.
#[test]
fn a_stop_that_fails_lowers_nothing() {
    for seed in 200..=204 {
        let ignored = Switches { update_service_spares_protected: false, ..Switches::default() };
        play(seed, with(ignored, clusters::sick(seed)), async |stage| {
            let impatient = stage.with("EVENKEEL_MOVE_TIMEOUT", "2m");
            impatient.simulator.rule(Rule::server_error(1.0).on(&["StopTask"]));
            let _ = impatient.scheduled().await;
            impatient.assert_promises();
            assert_eq!(impatient.task_seconds_below(), 0, "{}", impatient.simulator.timeline());
            impatient.simulator.clear_rules();
            let _ = impatient.scheduled_until_quiet(4).await;
            impatient.assert_clean();
        });
    }
}
