//! Others at work on the same service, between any two of our calls: they come first, and nothing of theirs is lost.

use std::time::Duration;

use evenkeel::report::Report;
use evenkeel_tests::{Stage, clusters, play};
use simulator::account::{Account, Service, Task};
use simulator::scheduler::deployments::start_deployment;

/// A change by somebody else.
type Change = fn(&mut Account);

fn cluster(seed: u64) -> Account {
    clusters::one_zone(seed, &[3, 0])
}

fn app(account: &mut Account) -> &mut Service {
    let cluster = account.clusters.get_mut("web").unwrap();
    cluster.services.get_mut("app").unwrap()
}

fn tasks(account: &Account) -> impl Iterator<Item = &Task> {
    account.clusters["web"].tasks.values().filter(|task| task.service() == Some("app") && task.is_wanted())
}

/// Plays `change` before each call of a rebalance in turn, and hands the end of each run to `judge`.
///
/// ECS has no compare-and-set, so a change that falls between our last look and our write itself cannot be seen: the
/// runs in which it strikes right before one of the `unseen` operations are left out. That window is in the README.
fn before_each_call(seed: u64, change: Change, unseen: &[&str], judge: impl Fn(&Stage, &[Report], u64)) {
    let operations: Vec<String> = play(seed, cluster(seed), async |stage| {
        let _ = stage.scheduled().await;
        stage.simulator.calls().into_iter().map(|call| call.operation).collect()
    });
    let numbered = (1_u64..).zip(&operations).filter(|(_, operation)| !unseen.contains(&operation.as_str()));
    for (call, _) in numbered {
        play(seed, cluster(seed), async |stage| {
            stage.simulator.before_call(call, Box::new(change));
            let mut reports = stage.scheduled_until_quiet(8).await;
            tokio::time::sleep(Duration::from_mins(20)).await;
            reports.extend(stage.scheduled_until_quiet(8).await);
            assert!(reports.last().unwrap().actions.is_empty(), "before call {call}: {reports:#?}");
            judge(&stage, &reports, call);
        });
    }
}

#[test]
fn a_desired_count_written_by_somebody_else_stays() {
    let change: Change = |account| app(account).desired_count = 6;
    before_each_call(41, change, &["UpdateService"], |stage, _, call| {
        stage.assert_promises_but("surge_bound");
        let desired =
            stage.simulator.account(|account| account.clusters["web"].services["app"].desired_count);
        assert_eq!(desired, 6, "before call {call}\n{}", stage.simulator.timeline());
        stage.assert_nothing_but_desired_left_over();
    });
}

/// One more is the autoscaler's commonest write, and what a move of ours looks like. Between the two looks around the
/// announcement of an increment, and between our last look and our write, it cannot be told from ours.
#[test]
fn one_more_written_by_somebody_else_is_not_taken_for_ours() {
    let change: Change = |account| {
        let service = app(account);
        service.desired_count += 1;
        let what = service.desired_count.to_string();
        let (at, actor) = (account.now, "autoscaler".to_owned());
        account.happenings.push(simulator::account::Happening { at, actor, subject: "app".to_owned(), what });
    };
    let operations: Vec<String> = play(47, cluster(47), async |stage| {
        let _ = stage.scheduled().await;
        stage.simulator.calls().into_iter().map(|call| call.operation).collect()
    });
    let is_told_apart =
        |at: usize| !operations[at..].iter().take(3).any(|operation| operation == "UpdateService");
    for call in (0..operations.len()).filter(|at| is_told_apart(*at)) {
        play(47, cluster(47), async |stage| {
            stage.simulator.before_call(call as u64 + 1, Box::new(change));
            let _ = stage.scheduled_until_quiet(8).await;
            tokio::time::sleep(Duration::from_mins(20)).await;
            let _ = stage.scheduled_until_quiet(8).await;
            stage.assert_promises_but("surge_bound");
            stage.assert_nothing_but_desired_left_over();
            let (written, found) = stage.simulator.account(|account| {
                let written = account.happenings.iter().find(|it| it.actor == "autoscaler");
                (written.map(|it| it.what.clone()), account.clusters["web"].services["app"].desired_count)
            });
            assert_eq!(
                written,
                Some(found.to_string()),
                "before call {}\n{}",
                call + 1,
                stage.simulator.timeline()
            );
        });
    }
}

#[test]
fn a_deployment_has_the_right_of_way() {
    let change: Change = |account| {
        let definition = app(account).task_definition.clone();
        start_deployment(account, "web", "app", &definition);
    };
    before_each_call(42, change, &[], |stage, _, call| {
        stage.assert_clean();
        let is_over =
            stage.simulator.account(|account| account.clusters["web"].services["app"].deployments.len());
        assert_eq!(is_over, 1, "before call {call}");
    });
}

#[test]
fn a_task_that_somebody_else_protects_is_left_running_and_protected() {
    let change: Change = |account| {
        let until = account.now + Duration::from_secs(4 * 3600 + 77);
        let first = tasks(account).map(|task| task.arn.clone()).next().unwrap();
        let task = account.clusters.get_mut("web").unwrap().tasks.get_mut(&first).unwrap();
        task.protected_until = Some(until);
        account.happenings.push(simulator::account::Happening {
            at: account.now,
            actor: "person".to_owned(),
            subject: first,
            what: "protects this task".to_owned(),
        });
    };
    before_each_call(43, change, &["UpdateTaskProtection"], |stage, _, call| {
        stage.assert_promises();
        let theirs = stage.simulator.account(|account| {
            let happening = account.happenings.iter().find(|it| it.actor == "person");
            let arn = happening.expect("somebody protected a task").subject.clone();
            account.clusters["web"]
                .tasks
                .get(&arn)
                .map(|task| (task.is_wanted(), task.protected_until.is_some()))
        });
        assert_eq!(theirs, Some((true, true)), "before call {call}\n{}", stage.simulator.timeline());
        let others = stage
            .simulator
            .account(|account| tasks(account).filter(|it| it.protected_until.is_some()).count());
        assert_eq!(others, 1, "before call {call}: only theirs is left");
    });
}

#[test]
fn a_task_that_dies_by_itself_is_not_counted_twice() {
    let change: Change = |account| {
        let any = tasks(account).map(|task| task.arn.clone()).last().unwrap();
        simulator::scheduler::lifecycle::begin_stop(
            account,
            "web",
            &any,
            simulator::account::StopCode::EssentialContainerExited,
            "Essential container in task exited",
        );
    };
    before_each_call(44, change, &[], |stage, _, _| stage.assert_clean());
}

#[test]
fn an_erased_record_is_reported_and_nothing_is_guessed() {
    let change: Change = |account| drop(app(account).tags.remove("evenkeel:move"));
    before_each_call(45, change, &[], |stage, _, _| stage.assert_promises());
}

#[test]
fn a_pause_tag_stops_new_work_and_lets_the_undoing_go_on() {
    let change: Change = |account| {
        let cluster = account.clusters.get_mut("web").unwrap();
        cluster.tags.insert("evenkeel:pause".to_owned(), "maintenance".to_owned());
    };
    before_each_call(46, change, &[], |stage, _, _| {
        stage
            .simulator
            .change(|account| drop(account.clusters.get_mut("web").unwrap().tags.remove("evenkeel:pause")));
        stage.assert_clean();
    });
}

/// ECS gives a task that a drain takes the same reason as one that a lowered count takes.
#[test]
fn an_instance_drained_by_somebody_else_keeps_no_increment() {
    let cluster = || clusters::one_zone(47, &[3, 0]);
    let slowly = |stage: Stage| stage.with("EVENKEEL_POLL_INTERVAL", "20s");
    let calls = play(47, cluster(), async |stage| {
        let stage = slowly(stage);
        let _ = stage.scheduled().await;
        stage.simulator.calls().len() as u64
    });
    for call in 1..=calls {
        play(47, cluster(), async |stage| {
            let stage = slowly(stage);
            stage.simulator.before_call(call, Box::new(drain_the_full_one));
            let _ = stage.scheduled_until_quiet(8).await;
            let desired =
                stage.simulator.account(|account| account.clusters["web"].services["app"].desired_count);
            assert_eq!(desired, 3, "before call {call}\n{}", stage.simulator.timeline());
            stage.assert_promises();
        });
    }
}

fn drain_the_full_one(account: &mut Account) {
    let instances = &mut account.clusters.get_mut("web").unwrap().container_instances;
    let full = instances.values_mut().find(|it| it.ec2_instance_id == "i-a1").unwrap();
    full.status = simulator::account::ContainerInstanceStatus::Draining;
}
