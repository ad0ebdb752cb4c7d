//! What Auto Scaling and ECS say of a group: everything a rollout asks about, in pages, and what others do to it.

use std::time::Duration;

use evenkeel::aws::Aws;
use evenkeel::error::Error;
use evenkeel::ids::{GroupName, ImageId, InstanceId, ZoneName};
use evenkeel::snapshot::{AutoScalingGroup, LaunchSource, LifecycleState};
use evenkeel_tests::{Stage, clusters, play};
use simulator::account::{Account, RefreshStatus, TemplateVersion};
use simulator::builder::{AccountBuilder, GroupBuilder, LaunchTemplateBuilder};

const TARGETS: &str = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/web/0123456789abcdef";

fn account(with: impl FnOnce(GroupBuilder) -> GroupBuilder) -> Account {
    AccountBuilder::new(1)
        .cluster("web")
        .launch_template("web", |it| it.version("ami-1").version("ami-2"))
        .auto_scaling_group("web-asg", |it| with(it.zones(&clusters::ZONES).size(1, 4, 9)))
        .build()
}

fn name() -> GroupName {
    GroupName::new("web-asg")
}

async fn group(aws: &Aws) -> AutoScalingGroup {
    aws.auto_scaling_groups(&[name()]).await.unwrap().remove(0)
}

fn called(stage: &Stage, operation: &str) -> u64 {
    stage.simulator.calls_by_operation().get(operation).copied().unwrap_or(0)
}

#[test]
fn a_plain_group_is_what_it_is_and_nothing_else() {
    play(1, account(|it| it), async |stage| {
        let found = group(&stage.aws()).await;
        assert_eq!((found.name.clone(), found.min, found.max, found.desired), (name(), 1, 9, 4));
        assert!(found.arn.ends_with(":autoScalingGroupName/web-asg"), "{}", found.arn);
        let template = found.launch_source.launch_template().unwrap();
        assert!(matches!(found.launch_source, LaunchSource::LaunchTemplate(_)));
        assert_eq!((template.name.as_deref(), template.version.as_str()), (Some("web"), "$Latest"));
        assert_eq!(found.zones, clusters::ZONES.map(ZoneName::new));
        assert_eq!(found.termination_policies, ["Default"]);
        assert!(!found.counts_units() && found.desired_capacity_type == "units");
        assert!(found.suspended.is_empty() && found.tags.is_empty() && found.traffic_sources.is_empty());
        let flags = [
            found.waits_for_zones,
            found.protects_new_instances,
            found.capacity_rebalance,
            found.has_warm_pool,
            found.retains_abandoned,
            found.max_instance_lifetime.is_some() || found.operator.is_some() || found.status.is_some(),
        ];
        assert_eq!(flags, [false; 6]);
        assert_eq!((found.instances.len(), found.capacity()), (4, 4));
    });
}

#[test]
fn every_setting_that_stands_in_the_way_of_a_rollout_is_read() {
    let all = |it: GroupBuilder| {
        it.suspends(&["AZRebalance"])
            .termination_policies(&["OldestLaunchTemplate", "Default"])
            .protects_new_instances()
            .capacity_rebalance()
            .warm_pool(Some(6))
            .balanced_only()
            .retains_abandoned()
            .max_instance_lifetime(Duration::from_hours(48))
            .target_groups(&[TARGETS])
            .tag("team", "shop", true)
    };
    play(1, account(all), async |stage| {
        stage.simulator.change(|account| {
            account.auto_scaling_groups.get_mut("web-asg").unwrap().status =
                Some("Delete in progress".into());
        });
        let found = group(&stage.aws()).await;
        assert_eq!(found.suspended["AZRebalance"], "User suspended");
        assert_eq!(found.termination_policies, ["OldestLaunchTemplate", "Default"]);
        assert!(found.protects_new_instances && found.capacity_rebalance && found.has_warm_pool);
        assert!(found.waits_for_zones && found.retains_abandoned);
        assert_eq!(found.max_instance_lifetime, Some(Duration::from_hours(48)));
        assert_eq!(found.traffic_sources.iter().collect::<Vec<_>>(), [TARGETS], "once, of two lists");
        assert_eq!(found.tags["team"], "shop");
        assert_eq!(found.status.as_deref(), Some("Delete in progress"));
        assert!(found.instances.values().all(|it| it.is_protected && it.is_healthy));
    });
}

#[test]
fn weights_and_shares_of_a_mixed_group_are_read() {
    let mixed = |it: GroupBuilder| {
        it.overrides(&[("m5.large", Some(2)), ("m5.xlarge", Some(4)), ("c5.large", None)]).on_demand(1, 50)
    };
    play(1, account(mixed), async |stage| {
        let found = group(&stage.aws()).await;
        let LaunchSource::MixedInstancesPolicy(policy) = &found.launch_source else { panic!("{found:#?}") };
        assert_eq!((policy.on_demand_base, policy.on_demand_percentage), (1, 50));
        let weights: Vec<_> = policy.overrides.iter().map(|it| it.weighted_capacity).collect();
        assert_eq!(weights, [Some(2), Some(4), None]);
        assert_eq!(policy.launch_template.version, "$Latest");
        assert!(found.counts_units());
        let units: u32 = found.instances.values().map(|it| it.weighted_capacity.unwrap()).sum();
        assert_eq!((found.capacity(), units > found.instances.len() as u32), (units, true));
    });
}

#[test]
fn an_instance_names_its_version_image_type_zone_and_state() {
    let old = |it: GroupBuilder| {
        it.instances(&[("i-a1", "eu-west-1a")]).launch_template("web", TemplateVersion::Number(1))
    };
    play(1, account(old), async |stage| {
        stage.simulator.change(|account| {
            let group = account.auto_scaling_groups.get_mut("web-asg").unwrap();
            group.instances.get_mut("i-a1").unwrap().healthy = false;
            group.version = TemplateVersion::Latest;
        });
        let found = group(&stage.aws()).await;
        let instance = &found.instances[&InstanceId::new("i-a1")];
        let template = instance.launch_template.as_ref().unwrap();
        assert_eq!((template.name.as_deref(), template.version.as_str()), (Some("web"), "1"));
        assert!(template.id.as_ref().unwrap().as_str().starts_with("lt-"));
        assert_eq!(instance.image, Some(ImageId::new("ami-1")));
        assert_eq!((instance.instance_type.as_str(), instance.zone.as_str()), ("m5.large", "eu-west-1a"));
        assert_eq!((instance.state, instance.is_healthy), (LifecycleState::InService, false));
        assert_eq!((instance.weighted_capacity, instance.units()), (None, 1));
    });
}

#[test]
fn groups_come_in_pages_and_names_in_batches() {
    let mut builder = AccountBuilder::new(1).launch_template("web", LaunchTemplateBuilder::without_agent);
    for number in 0..250 {
        builder = builder.auto_scaling_group(&format!("g{number:03}"), |it| it.size(0, 1, 1));
    }
    play(1, builder.build(), async |stage| {
        let aws = stage.aws();
        assert_eq!(aws.auto_scaling_groups(&[]).await.unwrap().len(), 250);
        assert_eq!(called(&stage, "DescribeAutoScalingGroups"), 3);
        let names: Vec<GroupName> =
            (100..300).map(|number| GroupName::new(format!("g{number:03}"))).collect();
        let found = aws.auto_scaling_groups(&names).await.unwrap();
        assert_eq!(found.len(), 150, "unknown names are missing from the answer");
        assert_eq!(called(&stage, "DescribeAutoScalingGroups"), 5);
    });
}

#[test]
fn activities_are_read_newest_first_and_no_further_than_asked() {
    play(1, account(|it| it.size(1, 4, 9)), async |stage| {
        let aws = stage.aws();
        aws.set_desired_capacity(&name(), 5).await.unwrap();
        tokio::time::sleep(Duration::from_mins(5)).await;
        let launched = aws.scaling_activities(&name(), 1).await.unwrap().remove(0);
        assert!(launched.is_over() && !launched.has_failed(), "{launched:#?}");
        assert!(launched.description.starts_with("Launching a new EC2 instance"), "{launched:#?}");
        assert!(launched.cause.contains("from 4 to 5") && launched.ended_at > launched.started_at);
        stage.simulator.change(|account| {
            let activities = &mut account.auto_scaling_groups.get_mut("web-asg").unwrap().activities;
            let last = activities[0].clone();
            activities.extend((0..250).map(|number| {
                let id = format!("{number:03}");
                let start = last.start - Duration::from_mins(number);
                simulator::account::Activity { id, start, ..last.clone() }
            }));
        });
        let total = stage.simulator.account(|it| it.auto_scaling_groups["web-asg"].activities.len());
        let before = called(&stage, "DescribeScalingActivities");
        assert_eq!(aws.scaling_activities(&name(), 2).await.unwrap().len(), 200);
        assert_eq!(called(&stage, "DescribeScalingActivities"), before + 2);
        let all = aws.scaling_activities(&name(), 9).await.unwrap();
        assert_eq!((all.len(), all[0].id.clone()), (total, launched.id));
        assert!(all.is_sorted_by(|newer, older| newer.started_at >= older.started_at));
    });
}

#[test]
fn a_launch_without_capacity_shows_as_an_activity_that_failed() {
    play(1, account(|it| it), async |stage| {
        let aws = stage.aws();
        stage.simulator.change(|account| {
            for zone in clusters::ZONES {
                account.run_short_for_ever(zone, simulator::account::Market::OnDemand);
            }
        });
        aws.set_desired_capacity(&name(), 6).await.unwrap();
        tokio::time::sleep(Duration::from_mins(2)).await;
        let failed = aws.scaling_activities(&name(), 1).await.unwrap().remove(0);
        assert!(failed.has_failed() && failed.is_over(), "{failed:#?}");
        assert!(failed.status_message.unwrap().contains("capacity"));
    });
}

#[test]
fn only_refreshes_that_go_on_are_told_of() {
    let refreshed = |it: GroupBuilder| {
        let it =
            it.instance_refresh(RefreshStatus::Successful).instance_refresh(RefreshStatus::RollbackFailed);
        it.instance_refresh(RefreshStatus::Cancelled).instance_refresh(RefreshStatus::InProgress)
    };
    play(1, account(refreshed), async |stage| {
        let aws = stage.aws();
        let found = aws.instance_refreshes(&name()).await.unwrap();
        assert_eq!(found.iter().map(|it| it.status.as_str()).collect::<Vec<_>>(), ["InProgress"]);
        assert!(found[0].started_at.is_some());
        stage.simulator.change(|account| {
            let all = &mut account.auto_scaling_groups.get_mut("web-asg").unwrap().instance_refreshes;
            all[0].status = RefreshStatus::Successful;
        });
        assert!(aws.instance_refreshes(&name()).await.unwrap().is_empty());
        let error = aws.instance_refreshes(&GroupName::new("no")).await.unwrap_err();
        assert!(matches!(error, Error::Aws { .. }));
        assert!(
            error.chain().starts_with("DescribeInstanceRefreshes on no failed: ValidationError"),
            "{}",
            error.chain()
        );
    });
}

#[test]
fn refreshes_and_schedules_come_in_pages() {
    let many = |it: GroupBuilder| {
        let it = (0..130).fold(it, |it, _| it.instance_refresh(RefreshStatus::Pending));
        (0..130).fold(it, |it, number| it.scheduled_daily(&format!("s{number}"), Duration::from_hours(9), 3))
    };
    play(1, account(many), async |stage| {
        let aws = stage.aws();
        assert_eq!(aws.instance_refreshes(&name()).await.unwrap().len(), 130);
        assert_eq!(aws.scheduled_actions(&name()).await.unwrap().len(), 130);
        assert_eq!(called(&stage, "DescribeInstanceRefreshes"), 2);
        assert_eq!(called(&stage, "DescribeScheduledActions"), 2);
    });
}

#[test]
fn a_scheduled_action_is_foreseen_and_acts_at_its_time() {
    let scheduled = |it: GroupBuilder| {
        it.scheduled_action("out", Duration::from_mins(10), 6).scheduled_daily(
            "night",
            Duration::from_hours(9),
            2,
        )
    };
    play(1, account(scheduled), async |stage| {
        let aws = stage.aws();
        let built = stage.simulator.now();
        let found = aws.scheduled_actions(&name()).await.unwrap();
        let [night, out] = found.as_slice() else { panic!("{found:#?}") };
        assert_eq!((night.name.as_str(), night.recurrence.as_deref()), ("night", Some("4 12 * * *")));
        assert_eq!((out.desired, out.min, out.max, out.recurrence.as_ref()), (Some(6), None, None, None));
        let at = (built + Duration::from_mins(10)).0.div_euclid(1000);
        assert_eq!(out.starts_at.unwrap().as_secs(), at);
        tokio::time::sleep(Duration::from_mins(20)).await;
        let grown = group(&aws).await;
        assert_eq!((grown.desired, grown.capacity()), (6, 6));
        assert_eq!(aws.scheduled_actions(&name()).await.unwrap().len(), 1, "what has run is gone");
    });
}

#[test]
fn capacity_providers_come_in_pages_and_name_their_groups() {
    let mut builder = AccountBuilder::new(1).cluster("web").launch_template("web", |it| it.version("ami-1"));
    for number in 0..12 {
        let asg = format!("g{number:02}");
        builder = builder.auto_scaling_group(&asg, |it| it.size(0, 1, 1));
        builder = builder.capacity_provider(&format!("cp{number:02}"), &asg, |it| match number {
            0 => it.managed_draining().managed_termination_protection().managed_scaling(80),
            _ => it,
        });
    }
    play(1, builder.build(), async |stage| {
        let aws = stage.aws();
        let mut names: Vec<String> = (0..12).map(|number| format!("cp{number:02}")).collect();
        names.push("no".to_owned());
        let found = aws.capacity_providers(&names).await.unwrap();
        assert_eq!(found.len(), 12);
        assert_eq!(called(&stage, "DescribeCapacityProviders"), 2);
        let (managed, plain) = (&found[0], &found[1]);
        assert_eq!((managed.name.as_str(), managed.managed_scaling), ("cp00", Some(80)));
        assert!(managed.manages_draining && managed.manages_termination_protection);
        assert_eq!((plain.name.as_str(), plain.managed_scaling), ("cp01", None));
        assert!(!plain.manages_draining && !plain.manages_termination_protection);
        assert!(aws.capacity_providers(&[]).await.unwrap().is_empty());
        assert_eq!(called(&stage, "DescribeCapacityProviders"), 2, "no names, no call");
    });
}

#[test]
fn what_was_read_can_be_saved_and_read_back() {
    play(1, account(|it| it.overrides(&[("m5.large", Some(1))]).suspends(&["Launch"])), async |stage| {
        let found = group(&stage.aws()).await;
        let text = serde_json::to_string(&found).unwrap();
        assert_eq!(serde_json::from_str::<AutoScalingGroup>(&text).unwrap(), found);
    });
}
