//! The traps into which other tools have stepped: hooks that come and go, two signals for one instance, templates that change
//! under the rollout, AMIs that change under a template's version.

use evenkeel_tests::drains::{bus, fleet, with_hook};
use evenkeel_tests::play;
use evenkeel_tests::rollouts::{outdated, sized, start, with_new_version};
use serde_json::Value;
use simulator::account::{Account, InterruptionAction, TemplateVersion};
use simulator::event_bridge::Mishaps;
use simulator::scheduler::spot;

use super::*;

const LONG: Duration = Duration::from_mins(25);

fn drifted() -> Value {
    let mut event = start();
    event["onlyIfDrifted"] = true.into();
    event
}

/// Plays a whole rollout, during which `change` happens after so many seconds, beside the function `drain`.
fn meanwhile(seed: u64, account: Account, seconds: u64, change: impl Fn(&mut Account)) {
    play(seed, account, async |stage| {
        let mut bus = bus(seed, Mishaps::default());
        let changed = async {
            tokio::time::sleep(Duration::from_secs(seconds)).await;
            stage.simulator.change(&change);
        };
        let ((reports, lived), ()) = tokio::join!(stage.rolled_out(&mut bus, LONG), changed);
        let words = || format!("{seconds} {reports:#?} {lived:#?}\n{}", stage.simulator.timeline());
        assert!(reports.iter().any(|it| it.status == Status::Done), "{}", words());
        assert!(lived.errors.is_empty(), "{}", words());
        let (images, listed) = stage.simulator.account(images);
        assert_eq!((images, listed), (vec![NEW_IMAGE.to_owned(); 6], 6), "{}", words());
        assert_eq!(killed_running(&stage), 0, "{}", words());
        stage.assert_clean();
    });
}

/// Before the double, while old instances are drained, and while the hook holds them.
const MOMENTS: [u64; 4] = [2, 70, 110, 150];

#[test]
fn a_hook_that_is_deleted_on_the_way() {
    for (seed, seconds) in (1601..).zip(MOMENTS) {
        meanwhile(seed, outdated(seed, with_hook), seconds, |account| {
            account.auto_scaling_groups.get_mut("web-asg").unwrap().hooks.clear();
        });
    }
}

#[test]
fn a_hook_that_is_added_on_the_way() {
    for (seed, seconds) in (1611..).zip(MOMENTS) {
        let hooks = outdated(seed, with_hook).auto_scaling_groups["web-asg"].hooks.clone();
        meanwhile(seed, outdated(seed, |it| it), seconds, |account| {
            account.auto_scaling_groups.get_mut("web-asg").unwrap().hooks.clone_from(&hooks);
        });
    }
}

/// The hook holds an old instance, or is about to, when EC2 takes that very one.
#[test]
fn a_hook_and_a_spot_notice_for_one_instance() {
    for (seed, seconds) in (1621..).zip([2, 70, 110, 125, 140, 155]) {
        meanwhile(seed, outdated(seed, with_hook), seconds, |account| {
            if account.machines.contains_key("i-b1") {
                spot::interrupt(account, "i-b1", InterruptionAction::Terminate);
            }
        });
    }
}

/// The old ones keep their marks as long as a hook holds them, and the rollout is over all the same.
#[test]
fn a_hook_that_holds_old_ones_beyond_the_end() {
    let theirs = |it: simulator::builder::GroupBuilder| {
        it.terminate_hook("ship-logs", Duration::from_mins(10), simulator::account::ActionResult::Continue)
    };
    play(1629, outdated(1629, theirs), async |stage| {
        let report = stage.rollout(start()).await.unwrap();
        assert_eq!(report.status, Status::Done, "{report:#?}");
        let report = stage.rollout(serde_json::json!({})).await.unwrap();
        assert_eq!((report.status, report.groups.len()), (Status::NothingToDo, 0), "{report:#?}");
        let report = stage.rollout(drifted()).await.unwrap();
        assert_eq!(report.status, Status::NothingToDo, "{report:#?}");
        tokio::time::sleep(Duration::from_mins(15)).await;
        assert_replaced(&stage, 6).await;
    });
}

#[test]
fn the_default_version_is_the_one_that_is_meant() {
    let by_default =
        |it: simulator::builder::GroupBuilder| it.launch_template("web", TemplateVersion::Default);
    play(1631, outdated(1631, by_default), async |stage| {
        let report = stage.rollout(drifted()).await.unwrap();
        assert_eq!((report.status, stage.writes()), (Status::NothingToDo, 0), "{report:#?}");
        stage.simulator.change(|account| {
            account.launch_templates.get_mut("web").unwrap().default_version = 2;
        });
        let report = stage.rollout(drifted()).await.unwrap();
        assert_eq!(report.status, Status::Done, "{report:#?}");
        assert_replaced(&stage, 6).await;
    });
}

/// A third version comes on the way: what was meant at the start is done, and the next start for what has drifted finds the
/// rest.
#[test]
fn a_template_that_changes_on_the_way() {
    for (seed, seconds) in (1641..).zip([3, 60, 120]) {
        play(seed, outdated(seed, |it| it), async |stage| {
            let newer = async {
                tokio::time::sleep(Duration::from_secs(seconds)).await;
                stage.simulator.change(|account| {
                    let template = account.launch_templates.get_mut("web").unwrap();
                    let mut version = template.versions[&2].clone();
                    "ami-3".clone_into(&mut version.image_id);
                    template.versions.insert(3, version);
                });
            };
            let (report, ()) = tokio::join!(stage.rollout(start()), newer);
            let words = || format!("{seconds} {report:#?}\n{}", stage.simulator.timeline());
            assert_eq!(report.as_ref().unwrap().status, Status::Done, "{}", words());
            tokio::time::sleep(Duration::from_mins(3)).await;
            let (images_then, listed) = stage.simulator.account(images);
            assert!(listed == 6 && images_then.iter().all(|it| it != "ami-1"), "{images_then:?} {}", words());
            let again = stage.rollout(drifted()).await.unwrap();
            tokio::time::sleep(Duration::from_mins(3)).await;
            let found = stage.simulator.account(images);
            assert_eq!(found, (vec!["ami-3".to_owned(); 6], 6), "{again:#?}");
            stage.assert_clean();
        });
    }
}

/// The version stays, and the parameter that names its AMI changes.
#[test]
fn an_ami_that_changes_under_its_version() {
    let by_parameter = |seed| {
        let mut account = fleet(seed, |it| it).build();
        let template = account.launch_templates.get_mut("web").unwrap();
        "resolve:ssm:/images/web".clone_into(&mut template.versions.get_mut(&1).unwrap().image_id);
        account.parameters.insert("/images/web".to_owned(), "ami-1".to_owned());
        account
    };
    play(1651, by_parameter(1651), async |stage| {
        let report = stage.rollout(drifted()).await.unwrap();
        assert_eq!((report.status, stage.writes()), (Status::NothingToDo, 0), "{report:#?}");
        stage.simulator.change(|account| {
            account.parameters.insert("/images/web".to_owned(), NEW_IMAGE.to_owned());
        });
        let report = stage.rollout(drifted()).await.unwrap();
        assert_eq!(report.status, Status::Done, "{report:#?}");
        assert_replaced(&stage, 6).await;
        let writes = stage.writes();
        let report = stage.rollout(drifted()).await.unwrap();
        assert_eq!((report.status, stage.writes()), (Status::NothingToDo, writes), "{report:#?}");
    });
    play(1652, by_parameter(1652), async |stage| {
        stage.simulator.change(|account| account.parameters.clear());
        let report = stage.rollout(drifted()).await.unwrap();
        assert_eq!((report.status, stage.writes()), (Status::Blocked, 0), "{report:#?}");
        assert!(report.blocked[0].sentence.contains("which AMIs run"), "{report:#?}");
    });
}

/// One task an instance, by constraint or by host port: beside every old instance comes a new one.
#[test]
fn tasks_that_share_no_instance_find_their_places() {
    for (seed, surge) in [(1661, "100"), (1662, "34")] {
        let all = ["i-a1", "i-a2", "i-b1", "i-b2", "i-c1", "i-c2"];
        let account = fleet(seed, |it| it)
            .task_definition("proxy", |it| it.cpu(128).memory(128).container_port(8080, 8080))
            .service("proxy", |it| it.task_definition("proxy").spread_zone().on(&all))
            .service("agent", |it| it.task_definition("app").distinct_instance().on(&all))
            .build();
        play(seed, with_new_version(account), async |stage| {
            let stage = stage.with("EVENKEEL_SURGE_PERCENT", surge);
            let report = stage.rollout(start()).await.unwrap();
            assert_eq!(report.status, Status::Done, "{surge} {report:#?}\n{}", stage.simulator.timeline());
            assert_eq!(stage.task_seconds_below(), 0);
            assert_replaced(&stage, 6).await;
        });
    }
}

/// What two looks have to agree on is seen within one invocation, however far apart they are set.
#[test]
fn looks_that_are_a_minute_apart_agree_within_an_invocation_of_the_schedule() {
    play(1672, sized(1672, 3, 3, |it| it), async |stage| {
        let stage = stage.with("EVENKEEL_EMPTY_AFTER", "1m");
        super::back::until(&stage, "drain").await;
        let reports = stage.resumed(30).await;
        assert!(reports.iter().any(|it| it.status == Status::Done), "{reports:#?}");
        assert_replaced(&stage, 3).await;
    });
}

/// One look takes longer than an invocation of the schedule is meant to last: it takes a second one all the same.
#[test]
fn looks_that_take_a_minute_agree_within_an_invocation_of_the_schedule() {
    play(1673, sized(1673, 24, 3, |it| it), async |stage| {
        super::back::until(&stage, "drain").await;
        stage.simulator.rule(Rule::delay(1.0, Duration::from_secs(9)));
        let reports = stage.resumed(60).await;
        assert!(reports.iter().any(|it| it.status == Status::Done), "{:#?}", reports.last());
        stage.simulator.clear_rules();
        assert_replaced(&stage, 24).await;
    });
}

/// The schedule leaves a rollout to its next turn before that begins: a function that runs for nine minutes would have eight
/// beside it.
#[test]
fn scheduled_invocations_do_not_pile_up() {
    play(1671, sized(1671, 3, 3, |it| it), async |stage| {
        let stage = stage.with("EVENKEEL_BAKE_TIME", "10m");
        super::back::until(&stage, "gate").await;
        let began = tokio::time::Instant::now();
        let report = stage.rollout(serde_json::json!({})).await.unwrap();
        assert_eq!(report.status, Status::InProgress, "{report:#?}");
        assert!(began.elapsed() < Duration::from_mins(1), "{:?}", began.elapsed());
    });
}
