//! The command `release`: whatever a run has left half done is undone, and what is not Evenkeel's stays.

use std::collections::BTreeSet;
use std::time::Duration;

use evenkeel::plan::record::MOVE_TAG;
use evenkeel::plan::rest::REST_TAG;
use evenkeel::report::{ActionOutcome, Report, Status};
use evenkeel_tests::{Stage, clusters, play};
use serde_json::{Value, json};
use simulator::account::{Account, Service, Tags};
use simulator::faults::Rule;
use simulator::switches::Switches;

fn command() -> Value {
    json!({"action": "release", "cluster": "web"})
}

async fn release(stage: &Stage) -> Report {
    stage.invoke(command()).await.expect("the release succeeds")
}

fn app(account: &mut Account) -> &mut Service {
    account.clusters.get_mut("web").unwrap().services.get_mut("app").unwrap()
}

fn remembers(account: &Account) -> bool {
    account.clusters["web"].services.values().any(|it| it.tags.contains_key(REST_TAG))
}

fn small(seed: u64) -> Account {
    clusters::one_zone(seed, &[3, 0])
}

fn found(report: &Report) -> Vec<String> {
    assert_eq!(report.job, "release");
    report.clusters[0].found.clone().expect("a release says what it found")
}

fn impatient(stage: Stage) -> Stage {
    stage.with("EVENKEEL_MOVE_TIMEOUT", "2m")
}

async fn operations(stage: Stage) -> Vec<String> {
    let _ = stage.scheduled().await;
    stage.simulator.calls().into_iter().map(|call| call.operation).collect()
}

/// A scheduled run that dies right after its `call`-th call.
async fn die_after(stage: &Stage, call: u64) {
    stage.simulator.kill_after(call);
    assert!(stage.invoke_until_killed().await.is_none(), "the kill strikes");
    stage.simulator.revive();
    tokio::time::sleep(Duration::from_secs(20)).await;
}

/// Nothing of Evenkeel's is left, nothing was ever below, and one more release finds nothing and writes nothing.
async fn assert_released(stage: &Stage, context: &str) {
    stage.assert_clean();
    assert_eq!(stage.task_seconds_below(), 0, "{context}\n{}", stage.simulator.timeline());
    let rest = stage.simulator.account(|account| {
        let services = account.clusters["web"].services.values();
        services.flat_map(|it| it.tags.keys().cloned()).collect::<Vec<String>>()
    });
    assert_eq!(rest, Vec::<String>::new(), "{context}: not even a memory stays");
    let writes = stage.writes();
    let second = release(stage).await;
    assert_eq!((second.status, found(&second)), (Status::NothingToDo, Vec::new()), "{context}: {second:#?}");
    assert_eq!(stage.writes(), writes, "{context}");
}

/// Releases after each `step`-th call of a run of `account`, and returns the phases in which a move was found.
fn release_after_each(
    seed: u64,
    account: fn(u64) -> Account,
    stage_of: fn(Stage) -> Stage,
    step: usize,
) -> BTreeSet<String> {
    let calls = play(seed, account(seed), async |stage| operations(stage_of(stage)).await.len() as u64);
    let mut phases = BTreeSet::new();
    for call in (1..=calls).step_by(step) {
        play(seed, account(seed), async |stage| {
            let stage = stage_of(stage);
            die_after(&stage, call).await;
            let had_memory = stage.simulator.account(remembers);
            let report = release(&stage).await;
            let lines = found(&report);
            let expected = if lines.is_empty() { Status::NothingToDo } else { Status::Done };
            assert_eq!(report.status, expected, "after {call}: {report:#?}\n{}", stage.simulator.timeline());
            let phase = |line: &String| Some(line.split_once("phase ")?.1.split_once(',')?.0.to_owned());
            phases.extend(lines.iter().filter_map(phase));
            let tells = lines.iter().any(|line| line.contains("missed moves"));
            assert_eq!(tells, had_memory, "a release writes no memory: {lines:?}");
            for landing in &report.clusters[0].landings {
                let is_it = |line: &&String| line.starts_with(&format!("service {}: ", landing.service));
                let found_in = lines.iter().find(is_it).and_then(phase).unwrap();
                let is_proven = ["lower", "settle"].contains(&found_in.as_str());
                assert_eq!(landing.helped, is_proven, "{found_in}: {landing:?}");
            }
            assert_released(&stage, &format!("killed after call {call}")).await;
        });
    }
    phases
}

#[test]
fn a_release_undoes_or_finishes_a_move_in_any_phase() {
    let phases = release_after_each(321, small, |stage| stage, 2);
    for phase in ["guard", "raise", "lower", "settle"] {
        assert!(phases.contains(phase), "{phase} is not among {phases:?}");
    }
}

#[test]
fn a_release_goes_on_with_the_undoing_of_a_move_that_missed() {
    let phases = release_after_each(322, clusters::sick, impatient, 3);
    for phase in ["undo", "undone"] {
        assert!(phases.contains(phase), "{phase} is not among {phases:?}");
    }
}

#[test]
fn a_release_gets_along_with_several_moves_and_ballast() {
    let cluster = |seed| {
        let mut account = clusters::lost_and_returned(seed);
        account.switches = Switches { zone_tie_is_settled_at_once: true, ..Switches::default() };
        account
    };
    let phases = release_after_each(72, cluster, |stage| stage, 23);
    assert!(phases.contains("raise"), "{phases:?}");
}

#[test]
fn a_release_that_dies_after_any_call_is_taken_up_by_the_next() {
    let operations = play(323, small(323), operations);
    let raise = operations.iter().position(|it| it == "UpdateService").unwrap() as u64 + 1;
    let calls = play(323, small(323), async |stage| {
        die_after(&stage, raise).await;
        let before = stage.simulator.calls().len();
        let report = release(&stage).await;
        assert!(found(&report)[0].contains("phase raise, desired count raised 3 -> 4"), "{report:#?}");
        (stage.simulator.calls().len() - before) as u64
    });
    for call in 1..=calls {
        play(323, small(323), async |stage| {
            die_after(&stage, raise).await;
            stage.simulator.kill_after(call);
            assert!(stage.invoke_event_until_killed(command()).await.is_none(), "the kill strikes");
            stage.simulator.revive();
            tokio::time::sleep(Duration::from_secs(20)).await;
            let report = release(&stage).await;
            assert!(matches!(report.status, Status::Done | Status::NothingToDo), "{report:#?}");
            assert_released(&stage, &format!("the release killed after call {call}")).await;
        });
    }
}

#[test]
fn an_unreadable_record_goes_and_what_cannot_be_checked_is_said() {
    let mut account = small(324);
    app(&mut account).tags.insert(MOVE_TAG.to_owned(), "gone fishing".to_owned());
    play(324, account, async |stage| {
        stage.simulator.change(|account| {
            let until = account.now + Duration::from_hours(1);
            let cluster = account.clusters.get_mut("web").unwrap();
            cluster.tasks.values_mut().next().unwrap().protected_until = Some(until);
        });
        let dry = stage.invoke(json!({"action": "release", "cluster": "web", "dryRun": true})).await.unwrap();
        assert_eq!((stage.writes(), found(&dry).len()), (0, 1), "{dry:#?}");
        let report = release(&stage).await;
        assert_eq!(report.status, Status::Done, "{report:#?}");
        let line = &found(&report)[0];
        assert!(line.contains("holds 'gone fishing', which is no record of a move"), "{line}");
        assert!(line.contains("desired count 3 and task protections could not be checked"), "{line}");
        assert!(
            line.contains("1 of its tasks are protected, and whether by Evenkeel cannot be told"),
            "{line}"
        );
        assert_eq!(stage.writes(), 1, "{report:#?}");
        let tags = stage.simulator.account(|account| account.clusters["web"].services["app"].tags.clone());
        assert_eq!(tags, Tags::new());
        let second = release(&stage).await;
        assert_eq!((second.status, stage.writes()), (Status::NothingToDo, 1), "{second:#?}");
    });
}

#[test]
fn an_unreadable_record_that_changes_before_the_removal_is_looked_at_anew() {
    let cluster = || {
        let mut account = small(325);
        app(&mut account).tags.insert(MOVE_TAG.to_owned(), "gone fishing".to_owned());
        account
    };
    let untag = play(325, cluster(), async |stage| {
        let _ = release(&stage).await;
        let calls = stage.simulator.calls();
        calls.iter().position(|call| call.operation == "UntagResource").unwrap() as u64 + 1
    });
    play(325, cluster(), async |stage| {
        let change = |account: &mut Account| {
            app(account).tags.insert(MOVE_TAG.to_owned(), "back again".to_owned());
        };
        stage.simulator.before_call(untag - 1, Box::new(change));
        let report = release(&stage).await;
        let outcomes: Vec<bool> = report.actions.iter().map(|it| it.outcome == ActionOutcome::Done).collect();
        assert_eq!(outcomes, [false, true], "{report:#?}");
        assert_eq!((report.status, stage.writes()), (Status::Done, 1), "{report:#?}");
    });
}

#[test]
fn memories_go_and_the_operators_tags_stay_even_while_paused() {
    let mut account = small(326);
    let theirs = [("evenkeel:rebalance", "off"), ("evenkeel:strategy", "stop")];
    app(&mut account).tags.extend(theirs.map(|(key, value)| (key.to_owned(), value.to_owned())));
    let kept = app(&mut account).tags.clone();
    app(&mut account).tags.insert("evenkeel:rest".to_owned(), "whatever".to_owned());
    let cluster = account.clusters.get_mut("web").unwrap();
    cluster.tags.insert("evenkeel:pause".to_owned(), "maintenance".to_owned());
    cluster.tags.insert("evenkeel:surge-off".to_owned(), "1999999999".to_owned());
    play(326, account, async |stage| {
        let dry = stage.invoke(json!({"action": "release", "cluster": "web", "dryRun": true})).await.unwrap();
        assert_eq!((dry.status, found(&dry).len(), stage.writes()), (Status::InProgress, 2, 0), "{dry:#?}");
        let planned = |it: &evenkeel::report::Action| it.outcome == ActionOutcome::Planned;
        assert!(dry.actions.len() == 2 && dry.actions.iter().all(planned), "{dry:#?}");
        let report = release(&stage).await;
        assert_eq!(
            (report.status, found(&report).len(), stage.writes()),
            (Status::Done, 2, 2),
            "{report:#?}"
        );
        let (cluster, service) = stage.simulator.account(|account| {
            let cluster = &account.clusters["web"];
            (cluster.tags.keys().cloned().collect::<Vec<String>>(), cluster.services["app"].tags.clone())
        });
        assert_eq!((cluster, service), (vec!["evenkeel:pause".to_owned()], kept));
    });
}

/// The move's end may have to say that ECS took another task; the release says so too, and takes the mark away after it.
#[test]
fn a_mark_that_the_end_of_a_move_writes_goes_as_well() {
    let cluster = |seed| {
        let mut account = clusters::one_zone(seed, &[8, 0]);
        account.switches = Switches { update_service_spares_protected: false, ..Switches::default() };
        account
    };
    let mut marked = 0;
    for seed in 51..=55 {
        let operations = play(seed, cluster(seed), operations);
        let updates = (1..).zip(&operations).filter(|(_, it)| *it == "UpdateService").map(|(n, _)| n);
        let lower = updates.clone().nth(1).unwrap();
        play(seed, cluster(seed), async |stage| {
            die_after(&stage, lower).await;
            let report = release(&stage).await;
            assert_eq!(report.status, Status::Done, "{report:#?}\n{}", stage.simulator.timeline());
            marked += u32::from(found(&report).iter().any(|line| line.contains("extra task are off")));
            assert_released(&stage, "after the mark").await;
        });
    }
    assert!(marked > 0, "ECS took the chosen task every time, which proves nothing");
}

#[test]
fn what_cannot_be_removed_or_looked_at_is_reported_before_long() {
    let mut account = small(329);
    app(&mut account).tags.insert("evenkeel:rest".to_owned(), "whatever".to_owned());
    for (operation, words) in [("UntagResource", ""), ("DescribeClusters", "whether it carries anything")] {
        play(329, account.clone(), async |stage| {
            stage.simulator.rule(Rule::deny(operation));
            let report = release(&stage).await;
            assert_eq!(report.status, Status::Blocked, "{report:#?}");
            assert!(stage.writes() <= 5, "{report:#?}");
            assert!(words.is_empty() || report.blocked.iter().any(|it| it.sentence.contains(words)));
            stage.simulator.clear_rules();
            let _ = release(&stage).await;
            assert_released(&stage, operation).await;
        });
    }
}

#[test]
fn a_release_ends_the_same_while_calls_fail_and_reads_lag() {
    let raise = play(330, small(330), operations).iter().position(|it| it == "UpdateService").unwrap();
    for seed in 330..=333 {
        play(330, small(330), async |stage| {
            die_after(&stage, raise as u64 + 1).await;
            fastrand::seed(seed);
            stage.simulator.rule(Rule::server_error(0.05));
            stage.simulator.rule(Rule::lose_response(0.1));
            stage.simulator.rule(Rule::stale_read(0.2, Duration::from_secs(8)));
            let report = release(&stage).await;
            stage.simulator.clear_rules();
            let again = release(&stage).await;
            let is_over = matches!(again.status, Status::Done | Status::NothingToDo);
            assert!(is_over, "{report:#?}{again:#?}\n{}", stage.simulator.timeline());
            assert_released(&stage, &format!("seed {seed}")).await;
        });
    }
}

#[test]
fn a_release_without_a_move_to_undo_begins_none() {
    play(327, small(327), async |stage| {
        let report = release(&stage).await;
        assert_eq!((report.status, stage.writes()), (Status::NothingToDo, 0), "{report:#?}");
        assert_eq!(stage.spread_of("app")[0].1, 3, "lopsided as before");
    });
}

#[test]
fn a_bad_command_changes_nothing() {
    let commands = [
        (json!({"action": "release"}), "cluster is missing"),
        (json!({"action": "undo", "cluster": "web"}), "action is 'undo'"),
        (json!({"action": "release", "cluster": "web", "maxMoves": 3}), "maxMoves means nothing"),
        (json!({"action": "release", "cluster": "web", "skewThreshold": 3}), "skewThreshold means nothing"),
        (json!({"action": "release", "cluster": "web", "force": true}), "force"),
    ];
    play(328, small(328), async |stage| {
        for (command, words) in commands {
            let error = stage.invoke(command).await.unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
        assert_eq!(stage.simulator.calls().len(), 0);
    });
}
