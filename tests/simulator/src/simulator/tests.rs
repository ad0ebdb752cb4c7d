//! The simulator on a paused clock, through its own door: raw bodies in, responses and interruptions out.

mod interruption;

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{Instant, timeout};

use super::*;
use crate::account::ContainerInstanceStatus;
use crate::builder::AccountBuilder;

fn simulator() -> Simulator {
    let account = AccountBuilder::new(1)
        .cluster("web")
        .instance("i-a1", "eu-west-1a", |instance| instance)
        .instance("i-b1", "eu-west-1b", |instance| instance)
        .task_definition("web", |definition| definition)
        .service("web", |service| service.on(&["i-a1", "i-b1"]))
        .build();
    Simulator::new(account, 1)
}

async fn call(simulator: &Simulator, operation: &str, input: Value) -> Result<Response, Interruption> {
    call_as(simulator, ClientId(1), operation, input).await
}

async fn call_as(
    simulator: &Simulator,
    client: ClientId,
    operation: &str,
    input: Value,
) -> Result<Response, Interruption> {
    let target = format!("AmazonEC2ContainerServiceV20141113.{operation}");
    simulator.handle(client, "test", Some(&target), input.to_string().as_bytes()).await
}

fn body(response: &Response) -> Value {
    serde_json::from_slice(&response.body).unwrap()
}

fn web() -> Value {
    json!({ "cluster": "web" })
}

fn scale(count: u32) -> Value {
    json!({ "cluster": "web", "service": "web", "desiredCount": count })
}

fn desired(simulator: &Simulator) -> u32 {
    simulator.account(|account| account.clusters["web"].services["web"].desired_count)
}

#[tokio::test(start_paused = true)]
async fn a_call_takes_some_virtual_milliseconds_and_is_dated() {
    let simulator = simulator();
    let started = Instant::now();
    let response = call(&simulator, "ListTasks", web()).await.unwrap();
    assert!((15..=61).contains(&started.elapsed().as_millis()), "{:?}", started.elapsed());
    assert_eq!(body(&response)["taskArns"].as_array().unwrap().len(), 2);
    let header = |name: &str| response.headers.iter().find(|(key, _)| *key == name).unwrap().1.clone();
    assert!(header("date").ends_with(" GMT"), "{}", header("date"));
    assert_eq!(header("x-amzn-requestid").len(), 36);
}

#[tokio::test(start_paused = true)]
async fn the_account_lives_while_time_passes() {
    let simulator = simulator();
    call(&simulator, "UpdateService", scale(4)).await.unwrap();
    tokio::time::sleep(Duration::from_mins(2)).await;
    let described =
        call(&simulator, "DescribeServices", json!({ "cluster": "web", "services": ["web"] })).await;
    assert_eq!(body(&described.unwrap())["services"][0]["runningCount"], 4);
    assert!(simulator.timeline().contains("desired count 2 -> 4"));
    let passed = simulator.time_source().now().duration_since(std::time::UNIX_EPOCH).unwrap();
    assert_eq!(passed.as_millis() as i64, simulator.now().0);
}

#[tokio::test(start_paused = true)]
async fn the_same_seed_gives_the_same_run() {
    let run = || async {
        let simulator = simulator();
        simulator.rule(Rule::throttle(0.5));
        for count in 1..20 {
            call(&simulator, "UpdateService", scale(count)).await.unwrap();
            tokio::time::sleep(Duration::from_secs(7)).await;
        }
        (simulator.timeline(), simulator.calls().into_iter().map(|call| call.outcome).collect::<Vec<_>>())
    };
    assert_eq!(run().await, run().await);
}

#[tokio::test(start_paused = true)]
async fn an_empty_bucket_throttles_everybody_until_it_refills() {
    let simulator = simulator();
    simulator.spend_tokens(Service::Ecs, "UpdateService", 50);
    let throttled = call(&simulator, "UpdateService", scale(3)).await.unwrap();
    assert_eq!((throttled.status, body(&throttled)["__type"].as_str()), (400, Some("ThrottlingException")));
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(call(&simulator, "UpdateService", scale(3)).await.unwrap().status, 200);
}

#[tokio::test(start_paused = true)]
async fn a_lost_response_hides_a_write_that_took_effect() {
    let simulator = simulator();
    simulator.rule(Rule::lose_response(1.0).on(&["UpdateService"]));
    let lost = call(&simulator, "UpdateService", scale(5)).await;
    assert_eq!(lost, Err(Interruption::ConnectionReset));
    assert_eq!(desired(&simulator), 5);
    assert_eq!(simulator.calls()[0].outcome, Outcome::Lost);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_times_out_has_no_effect() {
    let simulator = simulator();
    simulator.rule(Rule::time_out(1.0));
    assert_eq!(call(&simulator, "UpdateService", scale(5)).await, Err(Interruption::TimedOut));
    assert_eq!(desired(&simulator), 2);
    simulator.clear_rules();
    simulator.rule(Rule::deny("UpdateService"));
    let denied = call(&simulator, "UpdateService", scale(5)).await.unwrap();
    assert_eq!(body(&denied)["__type"], "AccessDeniedException");
    simulator.clear_rules();
    simulator.rule(Rule::server_error(1.0));
    assert_eq!(call(&simulator, "UpdateService", scale(5)).await.unwrap().status, 500);
}

#[tokio::test(start_paused = true)]
async fn a_stale_read_shows_the_past_and_only_that() {
    let simulator = simulator();
    simulator.rule(Rule::stale_read(1.0, Duration::from_secs(10)));
    tokio::time::sleep(Duration::from_mins(1)).await;
    call(&simulator, "UpdateService", scale(5)).await.unwrap();
    let describe = json!({ "cluster": "web", "services": ["web"] });
    let stale = call(&simulator, "DescribeServices", describe.clone()).await.unwrap();
    assert_eq!(body(&stale)["services"][0]["desiredCount"], 2);
    tokio::time::sleep(Duration::from_secs(12)).await;
    let later = call(&simulator, "DescribeServices", describe).await.unwrap();
    assert_eq!(body(&later)["services"][0]["desiredCount"], 5);
}

#[tokio::test(start_paused = true)]
async fn a_killed_caller_is_never_answered_again_and_others_are() {
    let simulator = simulator();
    simulator.kill_after(2);
    call(&simulator, "ListTasks", web()).await.unwrap();
    let dying = async {
        tokio::select! {
            biased;
            () = simulator.killed() => true,
            _ = call(&simulator, "UpdateService", scale(5)) => false,
        }
    };
    assert!(dying.await, "the call whose caller dies gets no answer");
    assert_eq!(desired(&simulator), 5);
    let hour = Duration::from_hours(1);
    assert!(timeout(hour, call(&simulator, "ListTasks", web())).await.is_err());
    assert!(call_as(&simulator, ClientId(2), "ListTasks", web()).await.is_ok());
    simulator.revive();
    assert!(call(&simulator, "ListTasks", web()).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_caller_killed_before_its_call_changes_nothing() {
    let simulator = simulator();
    simulator.kill_before(1);
    assert!(timeout(Duration::from_mins(1), call(&simulator, "UpdateService", scale(5))).await.is_err());
    assert_eq!(desired(&simulator), 2);
    assert_eq!(simulator.calls()[0].outcome, Outcome::Killed);
}

#[tokio::test(start_paused = true)]
async fn a_foreign_actor_comes_between_two_calls() {
    let simulator = simulator();
    simulator.before_call(
        2,
        Box::new(|account| {
            account.clusters.get_mut("web").unwrap().services.get_mut("web").unwrap().desired_count = 9;
        }),
    );
    call(&simulator, "ListTasks", web()).await.unwrap();
    assert_eq!(desired(&simulator), 2);
    call(&simulator, "ListTasks", web()).await.unwrap();
    assert_eq!(desired(&simulator), 9);
}

#[tokio::test(start_paused = true)]
async fn calls_are_logged_with_what_they_name() {
    let simulator = simulator();
    let arn = simulator
        .account(|account| account.clusters["web"].container_instances.keys().next().unwrap().clone());
    let input = json!({ "cluster": "web", "containerInstances": [arn], "status": "DRAINING" });
    call(&simulator, "UpdateContainerInstancesState", input).await.unwrap();
    call(&simulator, "DescribeUnicorns", web()).await.unwrap();
    let calls = simulator.calls();
    assert_eq!(arn.rsplit('/').next(), Some(calls[0].resource.as_str()));
    assert_eq!(calls[1].outcome, Outcome::Error("UnknownOperationException".to_owned()));
    assert_eq!(simulator.calls_by_operation()["UpdateContainerInstancesState"], 1);
    let status = simulator.account(|account| account.clusters["web"].container_instances[&arn].status);
    assert_eq!(status, ContainerInstanceStatus::Draining);
}

#[tokio::test(start_paused = true)]
async fn auto_scaling_says_in_its_own_words_that_it_is_busy() {
    let simulator = simulator();
    let describe = b"Action=DescribeAutoScalingGroups&Version=2011-01-01";
    let ask = async || {
        let response = simulator.handle(ClientId(1), "test", None, describe).await.unwrap();
        (response.status, String::from_utf8(response.body).unwrap())
    };
    simulator.size_auto_scaling_bucket(2, 1);
    assert_eq!((ask().await.0, ask().await.0), (200, 200));
    let (status, body) = ask().await;
    assert!(
        status == 400 && body.contains("<Code>Throttling</Code><Message>Rate exceeded</Message>"),
        "{body}"
    );
    tokio::time::sleep(Duration::from_secs(5)).await;
    simulator.rule(Rule::resource_contention(1.0));
    let (status, body) = ask().await;
    assert!(status == 500 && body.contains("<Code>ResourceContention</Code>"), "{body}");
    simulator.clear_rules();
    simulator.rule(Rule::scaling_activity_in_progress(1.0));
    assert_eq!(ask().await.0, 200, "reads are not refused so");
}
