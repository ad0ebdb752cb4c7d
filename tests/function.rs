//! The functions' own binaries under a Lambda Runtime API, over TCP against the simulated account: what a user installs.
//!
//! `make test` builds them first; without it these tests fail and say so.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use evenkeel_tests::{clusters, drains, rollouts};
use serde_json::{Value, json};
use simulator::account::{Account, InterruptionAction};
use simulator::runtime_api::{InvocationResult, RuntimeApi};
use simulator::scheduler::spot;
use simulator::simulator::Simulator;
use tokio::net::TcpListener;

/// How much faster than wall time the account lives: slow enough for a loaded machine, fast enough for a test.
const MULTIPLE: f64 = 40.0;

fn binary(name: &str) -> PathBuf {
    let tests = std::env::current_exe().expect("a test knows where it is");
    let built = tests.parent().and_then(|deps| deps.parent()).expect("tests lie in target/<profile>/deps");
    let binary = built.join(name);
    assert!(binary.exists(), "{} is not built: run `make test`", binary.display());
    binary
}

/// The function's process; it ends with the test.
struct Function(Child);

impl Drop for Function {
    fn drop(&mut self) {
        // It is gone already if this fails, which is what was wanted.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start(name: &str, runtime: &RuntimeApi, endpoint: &str, settings: &[(&str, &str)]) -> Function {
    let fixed = [
        ("AWS_LAMBDA_FUNCTION_NAME", "evenkeel-rebalance"),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"),
        ("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/evenkeel-rebalance"),
        ("AWS_LAMBDA_LOG_STREAM_NAME", "test"),
        ("AWS_LAMBDA_LOG_LEVEL", "ERROR"),
        ("AWS_REGION", "eu-west-1"),
        ("AWS_ACCESS_KEY_ID", "AKIDTEST"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_EC2_METADATA_DISABLED", "true"),
        ("AWS_ENDPOINT_URL", endpoint),
    ];
    let mut command = Command::new(binary(name));
    command.env_clear().env("AWS_LAMBDA_RUNTIME_API", runtime.address().to_string());
    command.envs(fixed).envs(settings.iter().copied()).stdin(Stdio::null()).stdout(Stdio::null());
    Function(command.spawn().expect("the binary starts"))
}

/// Invokes a fresh instance of `rebalance` with each event in turn and returns the answers and the account.
fn answers(settings: &[(&str, &str)], events: &[Value]) -> (Vec<InvocationResult>, Simulator) {
    answers_of("rebalance", clusters::lost_and_returned(1), settings, events)
}

fn answers_of(
    name: &str,
    account: Account,
    settings: &[(&str, &str)],
    events: &[Value],
) -> (Vec<InvocationResult>, Simulator) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let endpoint = format!("http://{}", listener.local_addr().expect("it is bound"));
        let simulator = Simulator::new(account, 1);
        let serving = tokio::spawn(simulator::server::serve(simulator.clone(), listener, MULTIPLE));
        let api = RuntimeApi::start(TcpListener::bind("127.0.0.1:0").await.expect("a port is free"));
        let api = api.expect("the Runtime API starts");
        let _function = start(name, &api, &endpoint, settings);
        let mut answers = Vec::new();
        for event in events {
            answers.push(api.invoke(event.clone(), Duration::from_mins(3)).await.result);
        }
        tokio::time::sleep(Duration::from_secs(2)).await;
        serving.abort();
        (answers, simulator)
    })
}

fn scheduled_event() -> Value {
    json!({
        "version": "0", "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa", "detail-type": "Scheduled Event",
        "source": "aws.events", "account": "123456789012", "time": "2026-01-02T03:04:06Z", "region": "eu-west-1",
        "resources": ["arn:aws:events:eu-west-1:123456789012:rule/evenkeel"], "detail": {}
    })
}

/// Fails if any call was to change something.
fn assert_only_read(simulator: &Simulator) {
    let mut calls = simulator.calls().into_iter();
    let write = calls.find(|call| !simulator::operations::is_read(&call.operation));
    assert!(write.is_none(), "{write:#?}");
}

const SETTINGS: [(&str, &str); 2] = [("EVENKEEL_CLUSTERS", "web"), ("EVENKEEL_POLL_INTERVAL", "125ms")];

#[test]
fn the_binary_evens_out_a_cluster_on_a_scheduled_event() {
    let (answers, simulator) = answers(&SETTINGS, &[scheduled_event()]);
    let InvocationResult::Response(report) = &answers[0] else { panic!("{answers:#?}") };
    assert_eq!(report["status"], "done", "{report:#}");
    assert_eq!(report["clusters"][0]["moves"]["completed"], report["clusters"][0]["moves"]["lowerBound"]);
    assert!(simulator.violations().is_empty(), "{:#?}\n{}", simulator.violations(), simulator.timeline());
    let account = simulator.account(Clone::clone);
    let rest = simulator.checkers(|checkers| checkers.left_over(&account));
    assert!(rest.is_empty(), "{rest:#?}\n{}", simulator.timeline());
}

#[test]
fn bad_events_are_errors_with_a_type_and_a_place() {
    let events = [
        json!({"cluster": "web", "skewThreshold": 3000}),
        json!({"cluster": "nowhere"}),
        json!({"cluster": "web", "colour": "blue"}),
        json!("not an object"),
    ];
    let expected = [
        ("EventInvalid", "skewThreshold"),
        ("NotFound", "nowhere"),
        ("EventInvalid", "colour"),
        ("EventInvalid", "command"),
    ];
    let (answers, simulator) = answers(&SETTINGS, &events);
    for (answer, (kind, place)) in answers.iter().zip(expected) {
        let InvocationResult::Error(error) = answer else { panic!("{answer:#?}") };
        assert_eq!(error["errorType"], kind, "{error}");
        assert!(error["errorMessage"].as_str().is_some_and(|text| text.contains(place)), "{error}");
    }
    assert_only_read(&simulator);
}

#[test]
fn the_drain_binary_empties_an_interrupted_instance_and_brings_another() {
    let mut account = drains::bare_fleet(1);
    spot::interrupt(&mut account, "i-a1", InterruptionAction::Terminate);
    let warning = account.events[0].envelope.clone();
    let (answers, simulator) = answers_of("drain", account, &SETTINGS, &[warning]);
    let InvocationResult::Response(report) = &answers[0] else { panic!("{answers:#?}") };
    let instance = &report["instances"][0];
    assert_eq!((&report["status"], &instance["stage"]), (&json!("done"), &json!("empty")), "{report:#}");
    assert_eq!(instance["replacement"], "detach", "{report:#}");
    assert!(simulator.violations().is_empty(), "{:#?}\n{}", simulator.violations(), simulator.timeline());
    assert_eq!(simulator.account(|account| account.machines.len()), 7, "{}", simulator.timeline());
}

#[test]
fn the_drain_binary_refuses_an_event_of_another_region() {
    let mut account = drains::bare_fleet(1);
    spot::interrupt(&mut account, "i-a1", InterruptionAction::Terminate);
    let mut warning = account.events[0].envelope.clone();
    warning["region"] = json!("us-east-1");
    let (answers, simulator) = answers_of("drain", account, &SETTINGS, &[warning]);
    let InvocationResult::Error(error) = &answers[0] else { panic!("{answers:#?}") };
    assert_eq!((&error["errorType"], simulator.calls().len()), (&json!("EventInvalid"), 0), "{error}");
}

#[test]
fn the_rollout_binary_looks_before_it_leaps_and_knows_its_actions() {
    let mut dry_run = rollouts::start();
    dry_run["dryRun"] = json!(true);
    let events = [dry_run, rollouts::command("fly")];
    let (answers, simulator) = answers_of("rollout", rollouts::outdated(1, |it| it), &SETTINGS, &events);
    let InvocationResult::Response(report) = &answers[0] else { panic!("{answers:#?}") };
    let preflight = &report["groups"][0]["preflight"];
    assert_eq!((&report["status"], &report["dryRun"]), (&json!("inProgress"), &json!(true)), "{report:#}");
    assert_eq!((&preflight["sizes"], &preflight["surge"]), (&json!([3, 6, 9]), &json!(6)), "{report:#}");
    assert_eq!(
        (&preflight["target"]["version"], &preflight["blockers"]),
        (&json!(2), &json!([])),
        "{report:#}"
    );
    assert_eq!(preflight["old"].as_array().map(Vec::len), Some(6), "{report:#}");
    let InvocationResult::Error(error) = &answers[1] else { panic!("{answers:#?}") };
    assert_eq!(error["errorType"], "EventInvalid", "{error}");
    assert!(error["errorMessage"].as_str().is_some_and(|text| text.contains("action is 'fly'")), "{error}");
    assert_only_read(&simulator);
}

#[test]
fn faulty_settings_are_all_named_to_the_invoker() {
    let settings = [("EVENKEEL_DRY_RUN", "maybe"), ("EVENKEEL_COOLDOWN", "soon")];
    let (answers, _) = answers(&settings, &[json!({})]);
    let InvocationResult::Error(error) = &answers[0] else { panic!("{answers:#?}") };
    assert_eq!(error["errorType"], "SettingsInvalid");
    let text = error["errorMessage"].as_str().expect("a message");
    for name in ["EVENKEEL_CLUSTERS", "EVENKEEL_DRY_RUN", "EVENKEEL_COOLDOWN"] {
        assert!(text.contains(name), "{text}");
    }
}
