//! A service whose moves miss rests, longer each time, and the memory of it outlives the invocation.

use std::time::Duration;

use evenkeel::plan::reason::Reason;
use evenkeel::plan::rest::{Miss, REST_TAG, Rest};
use evenkeel::plan::surge::Outcome;
use evenkeel::report::{Report, Status};
use evenkeel_tests::{Stage, clusters, play};
use serde_json::json;
use simulator::account::{Account, Service};
use simulator::scheduler::deployments::start_deployment;

const SCHEDULE: Duration = Duration::from_mins(10);

fn app(account: &mut Account) -> &mut Service {
    account.clusters.get_mut("web").unwrap().services.get_mut("app").unwrap()
}

fn impatient(stage: Stage) -> Stage {
    stage.with("EVENKEEL_MOVE_TIMEOUT", "2m")
}

fn memory(stage: &Stage) -> Option<String> {
    stage.simulator.account(|account| account.clusters["web"].services["app"].tags.get(REST_TAG).cloned())
}

fn rest(stage: &Stage) -> Option<Rest> {
    memory(stage).map(|value| value.parse().unwrap())
}

/// A scheduled run on the minute of the schedule, and then the pause until the next.
async fn scheduled_and_wait(stage: &Stage) -> Report {
    let begin = tokio::time::Instant::now();
    let report = stage.scheduled().await;
    tokio::time::sleep_until(begin + SCHEDULE).await;
    report
}

fn says(report: &Report, words: &str) -> bool {
    report.blocked.iter().any(|line| line.sentence.contains(words))
}

#[test]
fn a_service_whose_new_task_stays_sick_rests_and_says_why() {
    play(301, clusters::sick(301), async |stage| {
        let stage = impatient(stage);
        let first = scheduled_and_wait(&stage).await;
        assert_eq!(first.status, Status::RolledBack, "{first:#?}\n{}", stage.simulator.timeline());
        let [landing] = first.clusters[0].landings.as_slice() else { panic!("{first:#?}") };
        assert_eq!((landing.outcome, landing.missed), (Outcome::RolledBack, Some(Miss::Unhealthy)));
        assert!(!landing.helped && landing.foreseen.is_some(), "{landing:?}");
        assert_eq!(landing.landed, landing.foreseen);
        let memory = rest(&stage).expect("the miss is remembered");
        assert_eq!((memory.misses, memory.observed), (1, Miss::Unhealthy));

        let writes = stage.writes();
        let second = stage.scheduled().await;
        assert_eq!(stage.writes(), writes, "{second:#?}");
        assert_eq!(second.status, Status::Blocked, "{second:#?}");
        let words = format!(
            "service app: its last move was in vain: the new task did not get healthy in time; it rests until {}",
            memory.until
        );
        assert!(says(&second, &words), "{words}: {second:#?}");
        stage.assert_clean();
        assert_eq!(stage.task_seconds_below(), 0);
    });
}

#[test]
fn each_miss_in_a_row_doubles_the_rest_up_to_a_day() {
    play(302, clusters::sick(302), async |stage| {
        let stage = impatient(stage);
        let mut rests: Vec<u64> = Vec::new();
        let mut seen = 0;
        for _ in 0..6 * 24 * 3 {
            let report = scheduled_and_wait(&stage).await;
            let memory = rest(&stage).unwrap();
            assert!(memory.misses <= seen + 1, "{report:#?}");
            if memory.misses > seen {
                let ended = report.actions.iter().find(|it| it.why.contains("rest until")).unwrap();
                rests.push(memory.until.since(ended.at).as_secs().div_ceil(60));
                seen = memory.misses;
            } else {
                let reason = |line: &evenkeel::report::BlockedLine| line.blocked.reason.clone();
                let (misses, observed, until) = (seen, Miss::Unhealthy, memory.until);
                let expected = Reason::RestingAfterMisses { misses, observed, until };
                assert!(report.blocked.iter().map(reason).any(|it| it == expected), "{report:#?}");
                assert!(report.actions.is_empty(), "{report:#?}");
            }
        }
        assert_eq!(rests, [10, 20, 40, 80, 160, 320, 640, 1280, 1440, 1440]);
        stage.assert_clean();
        assert_eq!(stage.task_seconds_below(), 0);
    });
}

#[test]
fn a_move_that_comes_through_ends_the_memory() {
    play(303, clusters::sick(303), async |stage| {
        let stage = impatient(stage);
        let first = scheduled_and_wait(&stage).await;
        assert_eq!(first.status, Status::RolledBack, "{first:#?}");
        stage.simulator.change(|account| {
            account.task_definitions.values_mut().for_each(|it| it.sick_percent = 0);
        });
        let _ = scheduled_and_wait(&stage).await;
        assert!(memory(&stage).is_some(), "it still rests");
        let report = stage.scheduled().await;
        assert!(report.clusters[0].moves.completed > 0, "{report:#?}");
        assert_eq!(memory(&stage), None, "{report:#?}");
        let landing = &report.clusters[0].landings[0];
        assert!(landing.helped && landing.landed == landing.foreseen && landing.foreseen.is_some());
        stage.assert_clean();
    });
}

/// The agent of the only instance that helps goes away right before the increment.
#[test]
fn a_task_that_lands_where_it_does_not_help_is_a_miss_too() {
    let cluster = || clusters::one_zone(304, &[3, 0]);
    let calls = play(304, cluster(), async |stage| {
        let _ = stage.scheduled().await;
        stage.simulator.calls()
    });
    let raise = calls.iter().position(|call| call.operation == "UpdateService").unwrap();
    play(304, cluster(), async |stage| {
        let away = |account: &mut Account| {
            let instances = &mut account.clusters.get_mut("web").unwrap().container_instances;
            instances.values_mut().filter(|it| it.ec2_instance_id == "i-a2").for_each(|it| {
                it.agent_connected = false;
            });
        };
        stage.simulator.before_call(raise as u64 + 1, Box::new(away));
        let report = stage.scheduled().await;
        let landing = &report.clusters[0].landings[0];
        assert_eq!(landing.missed, Some(Miss::Landing), "{report:#?}\n{}", stage.simulator.timeline());
        assert!(!landing.helped && landing.landed.is_some() && landing.landed != landing.foreseen);
        assert_eq!(rest(&stage).map(|it| it.observed), Some(Miss::Landing));
        stage.assert_clean();
    });
}

/// Plays `change` before calls between the increment of a move and the look that finds that it has missed.
fn before_each_call_of_a_miss(seed: u64, change: fn(&mut Account), judge: impl Fn(&Stage, u64)) {
    let calls = play(seed, clusters::sick(seed), async |stage| {
        let stage = impatient(stage);
        let _ = stage.scheduled().await;
        stage.simulator.calls()
    });
    let raise = calls.iter().position(|call| call.operation == "UpdateService").unwrap();
    let stop = calls.iter().position(|call| call.operation == "StopTask").unwrap();
    let last = |operation: &str, end: usize| calls[..end].iter().rposition(|it| it.operation == operation);
    let found = last("DescribeClusters", last("TagResource", stop).unwrap()).unwrap();
    assert!(found > raise + 20, "the new task is given some time");
    for call in (raise + 2..=found).step_by(5) {
        play(seed, clusters::sick(seed), async |stage| {
            let stage = impatient(stage);
            stage.simulator.before_call(call as u64, Box::new(change));
            let _ = stage.scheduled().await;
            judge(&stage, call as u64);
        });
    }
}

#[test]
fn a_move_that_makes_way_for_a_pause_has_not_missed() {
    let change = |account: &mut Account| {
        let cluster = account.clusters.get_mut("web").unwrap();
        cluster.tags.insert("evenkeel:pause".to_owned(), String::new());
    };
    before_each_call_of_a_miss(305, change, |stage, call| {
        assert_eq!(memory(stage), None, "before call {call}\n{}", stage.simulator.timeline());
    });
}

#[test]
fn a_move_that_makes_way_for_a_deployment_has_not_missed() {
    let change = |account: &mut Account| {
        let definition = app(account).task_definition.clone();
        account.task_definitions.values_mut().for_each(|it| it.sick_percent = 0);
        start_deployment(account, "web", "app", &definition);
    };
    before_each_call_of_a_miss(306, change, |stage, call| {
        assert_eq!(memory(stage), None, "before call {call}\n{}", stage.simulator.timeline());
    });
}

fn with_memory(seed: u64, value: impl FnOnce(i64) -> String) -> Account {
    let mut account = clusters::one_zone(seed, &[2, 2]);
    let value = value(account.now.0 / 1000);
    app(&mut account).tags.insert(REST_TAG.to_owned(), value);
    account
}

#[test]
fn a_memory_is_put_away_a_day_after_its_rest() {
    let until = |hours: i64| move |now: i64| format!("1:3:{}:landing:{}", now - hours * 3600, now - 200_000);
    play(307, with_memory(307, until(23)), async |stage| {
        let _ = stage.scheduled().await;
        assert_eq!((stage.writes(), memory(&stage).is_some()), (0, true));
    });
    play(307, with_memory(307, until(25)), async |stage| {
        let _ = stage.invoke(json!({"cluster": "web", "dryRun": true})).await.unwrap();
        assert_eq!((stage.writes(), memory(&stage).is_some()), (0, true));
        let _ = stage.scheduled().await;
        assert_eq!((stage.writes(), memory(&stage)), (1, None));
        let _ = stage.scheduled().await;
        assert_eq!(stage.writes(), 1);
        stage.assert_clean();
    });
}

#[test]
fn killed_right_after_a_memory_was_put_away_nothing_is_left_to_do() {
    let over = |now: i64| format!("1:3:{}:landing:{}", now - 25 * 3600, now - 200_000);
    let calls = play(307, with_memory(307, over), async |stage| {
        let _ = stage.scheduled().await;
        stage.simulator.calls()
    });
    let untag = calls.iter().position(|call| call.operation == "UntagResource").unwrap();
    play(307, with_memory(307, over), async |stage| {
        stage.simulator.kill_after(untag as u64 + 1);
        assert!(stage.invoke_until_killed().await.is_none(), "the kill strikes");
        stage.simulator.revive();
        assert_eq!(memory(&stage), None);
        let report = stage.scheduled().await;
        assert_eq!((stage.writes(), report.status), (1, Status::NothingToDo), "{report:#?}");
        stage.assert_clean();
    });
}

#[test]
fn a_memory_that_cannot_be_read_means_rest_until_it_is_removed() {
    let mut account = clusters::one_zone(308, &[3, 0]);
    app(&mut account).tags.insert(REST_TAG.to_owned(), "until monday".to_owned());
    play(308, account, async |stage| {
        let report = stage.scheduled().await;
        assert_eq!(stage.writes(), 0, "{report:#?}");
        assert!(says(&report, "'until monday', which cannot be read"), "{report:#?}");
        stage.simulator.change(|account| drop(app(account).tags.remove(REST_TAG)));
        assert_eq!(stage.scheduled().await.status, Status::Done);
    });
}

#[test]
fn killed_after_any_call_an_undone_move_counts_once() {
    let calls = play(309, clusters::sick(309), async |stage| {
        let stage = impatient(stage);
        let _ = stage.scheduled().await;
        stage.simulator.calls().len() as u64
    });
    for call in 1..=calls {
        play(309, clusters::sick(309), async |stage| {
            let stage = impatient(stage);
            stage.simulator.kill_after(call);
            assert!(stage.invoke_until_killed().await.is_none(), "the kill strikes");
            stage.simulator.revive();
            tokio::time::sleep(Duration::from_mins(1)).await;
            let _ = stage.scheduled_until_quiet(1).await;
            assert_eq!(rest(&stage).map(|it| it.misses), Some(1), "killed after call {call}");
            stage.assert_clean();
            assert_eq!(stage.task_seconds_below(), 0, "killed after call {call}");
        });
    }
}

#[test]
fn a_memory_that_somebody_writes_meanwhile_is_not_overwritten() {
    let calls = play(310, clusters::sick(310), async |stage| {
        let stage = impatient(stage);
        let _ = stage.scheduled().await;
        stage.simulator.calls()
    });
    let written = calls.iter().rposition(|call| call.operation == "TagResource").unwrap() as u64 + 1;
    play(310, clusters::sick(310), async |stage| {
        let stage = impatient(stage);
        let change =
            |account: &mut Account| drop(app(account).tags.insert(REST_TAG.to_owned(), "hold".to_owned()));
        stage.simulator.before_call(written - 1, Box::new(change));
        let report = stage.scheduled().await;
        assert_eq!(memory(&stage).as_deref(), Some("hold"), "{report:#?}");
        assert!(
            stage.simulator.account(|it| it.clusters["web"].services["app"].tags.len()) == 1,
            "{report:#?}"
        );
    });
}
