//! What AWS does not document, played both ways.

use evenkeel::report::Status;
use evenkeel_tests::{clusters, play};
use simulator::account::Account;
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
                tokio::time::sleep(std::time::Duration::from_secs(1200)).await;
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
