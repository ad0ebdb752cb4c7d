//! What EC2 says of launch templates and instances: versions by every name, unknown ids, pages, refusals, retries.

use std::time::Duration;

use evenkeel::aws::Aws;
use evenkeel::error::Error;
use evenkeel::ids::{ImageId, InstanceId, LaunchTemplateId};
use evenkeel::snapshot::{LaunchTemplateSpecification, MachineState};
use evenkeel_tests::recorded::Recorded;
use evenkeel_tests::{Stage, clusters, play, sdk_config};
use simulator::account::{Account, MachineState as Simulated};
use simulator::builder::{AccountBuilder, LaunchTemplateBuilder};
use simulator::faults::Rule;
use simulator::wire::Service;

/// Three versions of the template `web`, the second by default, and a group of that many.
fn account(size: u32) -> Account {
    AccountBuilder::new(1)
        .cluster("web")
        .launch_template("web", |it| {
            it.spot().version("ami-1").version("ami-2").version("ami-3").default_version(2)
        })
        .auto_scaling_group("web-asg", |it| it.zones(&clusters::ZONES).size(0, size, size))
        .build()
}

fn of(name: &str, version: &str) -> LaunchTemplateSpecification {
    LaunchTemplateSpecification { id: None, name: Some(name.to_owned()), version: version.to_owned() }
}

fn ids(stage: &Stage) -> Vec<InstanceId> {
    stage.simulator.account(|account| account.machines.keys().map(InstanceId::new).collect())
}

fn called(stage: &Stage, operation: &str) -> u64 {
    stage.simulator.calls_by_operation().get(operation).copied().unwrap_or(0)
}

#[test]
fn a_version_is_found_by_each_of_its_names_and_has_a_number() {
    play(1, account(1), async |stage| {
        let aws = stage.aws();
        let id = stage.simulator.account(|it| it.launch_templates["web"].id.clone());
        for (asked, number, image) in [("$Latest", 3, "ami-3"), ("$Default", 2, "ami-2"), ("1", 1, "ami-1")] {
            let found = aws.launch_template_version(&of("web", asked)).await.unwrap();
            assert_eq!((found.version, found.image), (number, Some(ImageId::new(image))), "{asked}");
            assert_eq!((found.id.as_str(), found.name.as_str()), (id.as_str(), "web"));
            assert_eq!(found.instance_type.as_deref(), Some("m5.large"));
            let by_id = LaunchTemplateSpecification {
                id: Some(LaunchTemplateId::new(id.clone())),
                ..of("the id decides", asked)
            };
            assert_eq!(aws.launch_template_version(&by_id).await.unwrap().version, number);
        }
    });
}

#[test]
fn an_unknown_template_or_version_is_not_found_in_ec2s_own_words() {
    play(1, account(1), async |stage| {
        let aws = stage.aws();
        for (template, code) in [
            (of("no", "$Latest"), "InvalidLaunchTemplateName.NotFoundException"),
            (of("web", "9"), "InvalidLaunchTemplateId.VersionNotFound"),
        ] {
            let error = aws.launch_template_version(&template).await.unwrap_err();
            let text = error.chain();
            assert!(matches!(error, Error::NotFound { .. }), "{text}");
            assert!(text.starts_with("DescribeLaunchTemplateVersions"), "{text}");
            assert!(text.contains(code) && text.contains(&template.version), "{text}");
        }
        assert_eq!(called(&stage, "DescribeLaunchTemplateVersions"), 2, "neither is tried again");
    });
}

#[test]
fn a_template_without_a_name_is_never_asked_for() {
    play(1, account(1), async |stage| {
        let nameless = LaunchTemplateSpecification { name: None, ..of("", "$Latest") };
        let error = stage.aws().launch_template_version(&nameless).await.unwrap_err();
        assert!(error.chain().contains("no launch template was named"), "{}", error.chain());
        assert!(stage.simulator.calls().is_empty(), "AWS would answer with all templates");
    });
}

#[test]
fn instances_come_in_batches_and_pages_and_unknown_ids_are_dropped() {
    play(1, account(250), async |stage| {
        let known = ids(&stage);
        let mut asked = known.clone();
        asked.insert(7, InstanceId::new("i-0000000000000dead"));
        let mut found = stage.aws().machines(&asked).await.unwrap();
        found.sort_by(|a, b| a.id.cmp(&b.id));
        assert_eq!(found.iter().map(|it| it.id.clone()).collect::<Vec<_>>(), known);
        assert_eq!(called(&stage, "DescribeInstances"), 3, "200 ids in two pages, 51 in one");
        assert!(found.iter().all(|it| it.state == MachineState::Running && it.is_spot));
    });
}

#[test]
fn an_instance_has_an_image_a_state_a_zone_and_a_moment_of_launch() {
    play(1, clusters::lost_and_returned(1), async |stage| {
        let aws = stage.aws();
        let id = ids(&stage).remove(0);
        stage.simulator.change(|account| {
            let machine = account.machines.get_mut(id.as_str()).unwrap();
            machine.state = Simulated::ShuttingDown;
        });
        let found = aws.machines(std::slice::from_ref(&id)).await.unwrap().remove(0);
        let (image, zone, launched) = stage.simulator.account(|account| {
            let machine = &account.machines[id.as_str()];
            (machine.image_id.clone(), machine.zone.clone(), machine.launched_at)
        });
        assert_eq!((found.id, found.state, found.is_spot), (id, MachineState::ShuttingDown, false));
        assert_eq!((found.image, found.zone.as_str()), (Some(ImageId::new(image)), zone.as_str()));
        let whole_seconds = launched.0.div_euclid(1000);
        assert_eq!(found.launched_at.map(evenkeel::timestamp::Timestamp::as_secs), Some(whole_seconds));
        assert!(aws.machines(&[]).await.unwrap().is_empty());
        assert_eq!(called(&stage, "DescribeInstances"), 1, "nothing asked, no call");
    });
}

#[test]
fn throttling_and_faults_of_the_server_are_retried_and_each_attempt_is_counted() {
    for rule in [Rule::throttle(1.0), Rule::server_error(1.0), Rule::lose_response(1.0)] {
        play(2, account(3), async |stage| {
            let aws = stage.aws();
            let now = stage.simulator.now();
            stage.simulator.rule(rule.between(now, now + Duration::from_millis(100)));
            assert_eq!(aws.machines(&ids(&stage)).await.unwrap().len(), 3);
            let calls = called(&stage, "DescribeInstances");
            assert!(calls > 1, "{calls}");
            assert_eq!(aws.calls().get("DescribeInstances"), Some(&calls));
        });
    }
}

#[test]
fn a_bucket_that_others_have_emptied_is_waited_for() {
    play(3, account(3), async |stage| {
        stage.simulator.spend_tokens(Service::Ec2, "DescribeInstances", 1000);
        assert_eq!(stage.aws().machines(&ids(&stage)).await.unwrap().len(), 3);
    });
}

#[test]
fn what_does_not_pass_is_sorted_by_what_can_be_done_about_it() {
    play(4, account(3), async |stage| {
        let aws = stage.aws();
        stage.simulator.rule(Rule::throttle(1.0));
        let error = aws.machines(&ids(&stage)).await.unwrap_err();
        assert!(matches!(error, Error::Throttled { .. }), "{}", error.chain());
        assert_eq!(
            error.chain(),
            "DescribeInstances on 3 instances was throttled: RequestLimitExceeded: Rate exceeded"
        );
        assert_eq!(called(&stage, "DescribeInstances"), 4);
        stage.simulator.clear_rules();
        stage.simulator.rule(Rule::deny("DescribeInstances"));
        let error = aws.machines(&ids(&stage)).await.unwrap_err();
        assert!(matches!(error, Error::Denied { .. }), "{}", error.chain());
        stage.simulator.clear_rules();
        stage.simulator.rule(Rule::time_out(1.0));
        let started = tokio::time::Instant::now();
        let error = aws.machines(&ids(&stage)).await.unwrap_err();
        assert!(matches!(error, Error::Aws { .. }), "{}", error.chain());
        assert!(started.elapsed() < Duration::from_mins(1), "{:?}", started.elapsed());
    });
}

#[test]
fn an_answer_of_ec2_tells_the_time_there() {
    play(5, account(1), async |stage| {
        let slow = sdk_config(&stage.simulator).into_builder();
        let slow =
            slow.time_source(aws_smithy_async::time::StaticTimeSource::from_secs(1_700_000_000)).build();
        let aws = Aws::new(&slow, "clock");
        assert_eq!(aws.now().as_secs(), 1_700_000_000);
        aws.machines(&ids(&stage)).await.unwrap();
        let there = stage.simulator.now().0.div_euclid(1000);
        assert!((there - 1..=there).contains(&aws.now().as_secs()));
    });
}

/// The client of a stage that keeps what it sends.
fn recording(stage: &Stage) -> (Aws, Recorded) {
    let recorded = Recorded::default();
    let config = sdk_config(&stage.simulator);
    let client = recorded.client(stage.simulator.http_client_of("evenkeel"));
    (Aws::new(&config.into_builder().http_client(client).build(), "recorded"), recorded)
}

#[test]
fn requests_are_signed_forms_of_the_query_api() {
    play(6, account(2), async |stage| {
        let (aws, recorded) = recording(&stage);
        aws.launch_template_version(&of("web & co", "$Latest")).await.unwrap_err();
        aws.machines(&[InstanceId::new("i-1"), InstanceId::new("i-2")]).await.unwrap();
        let version = "Version=2016-11-15";
        assert_eq!(
            recorded.forms(),
            [
                format!(
                    "Action=DescribeLaunchTemplateVersions&{version}&LaunchTemplateName=web+%26+co\
                     &LaunchTemplateVersion.1=$Latest"
                ),
                format!(
                    "Action=DescribeInstances&{version}&Filter.1.Name=instance-id&Filter.1.Value.1=i-1\
                     &Filter.1.Value.2=i-2&MaxResults=100"
                ),
            ]
        );
        let sent = recorded.sent().remove(0);
        assert_eq!(
            (sent.method.as_str(), sent.uri.as_str()),
            ("POST", "https://ec2.eu-west-1.amazonaws.com/")
        );
        assert_eq!(sent.headers["content-type"], "application/x-www-form-urlencoded");
        assert_eq!(sent.headers["content-length"], sent.body.len().to_string());
        let scope =
            "AWS4-HMAC-SHA256 Credential=AKIDSIMULATOR/20260102/eu-west-1/ec2/aws4_request, SignedHeaders=";
        assert!(sent.headers["authorization"].starts_with(scope), "{:?}", sent.headers);
        assert!(sent.headers["user-agent"].contains("aws-sdk-rust"), "{:?}", sent.headers);
        assert!(sent.headers["amz-sdk-request"].contains("max=4"), "{:?}", sent.headers);
    });
}

#[test]
fn a_configured_address_is_used_instead() {
    play(7, account(1), async |stage| {
        let recorded = Recorded::default();
        let client = recorded.client(stage.simulator.http_client_of("evenkeel"));
        let config = sdk_config(&stage.simulator).into_builder().http_client(client);
        let aws = Aws::new(&config.endpoint_url("http://127.0.0.1:9000").build(), "address");
        aws.machines(&ids(&stage)).await.unwrap();
        assert_eq!(recorded.sent()[0].uri, "http://127.0.0.1:9000/");
    });
}

#[test]
fn without_any_agent_a_template_serves_all_the_same() {
    let account = AccountBuilder::new(1)
        .launch_template("bare", LaunchTemplateBuilder::without_agent)
        .auto_scaling_group("bare-asg", |it| it.size(0, 2, 2))
        .build();
    play(8, account, async |stage| {
        let found = stage.aws().launch_template_version(&of("bare", "$Default")).await.unwrap();
        assert_eq!((found.version, found.fixed_image().is_some()), (1, true));
    });
}
