//! What people and demos ask the simulated account beside its AWS APIs: `/_sim/…`.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::Response;
use serde_json::{Value, json};

use super::Front;
use crate::account::{Account, Cluster, InterruptionAction};
use crate::placement;
use crate::scheduler::spot;
use crate::timeline as render;

/// The longest jump in one request: a year. Every second of it is simulated.
const LONGEST_JUMP_SECONDS: u64 = 366 * 24 * 3600;

/// `POST /_sim/advance?seconds=600` moves the account's clock forward.
pub(super) async fn advance(State(front): State<Arc<Front>>, uri: Uri) -> Response {
    let seconds = parameter(&uri, "seconds").and_then(|text| text.parse().ok());
    let Some(seconds) = seconds.filter(|seconds| *seconds <= LONGEST_JUMP_SECONDS) else {
        return refused("seconds must be a number of at most a year\n");
    };
    front.simulator.skip(Duration::from_secs(seconds));
    json_response(&json!({ "now": front.simulator.now().epoch_seconds() }))
}

/// `GET /_sim/timeline` is everything that happened.
pub(super) async fn timeline(State(front): State<Arc<Front>>) -> Response {
    text(front.simulator.timeline())
}

/// `GET /_sim/bars` is one bar for each container instance.
pub(super) async fn bars(State(front): State<Arc<Front>>) -> Response {
    let draw = |account: &Account| {
        let clusters = account.clusters.keys();
        clusters.flat_map(|name| [name.clone(), "\n".to_owned(), render::bars(account, name)]).collect()
    };
    text(front.simulator.account(draw))
}

/// `GET /_sim/calls` is how often each operation was called.
pub(super) async fn calls(State(front): State<Arc<Front>>) -> Response {
    json_response(&json!(front.simulator.calls_by_operation()))
}

/// `GET /_sim/state` is the account in a few numbers.
pub(super) async fn state(State(front): State<Arc<Front>>) -> Response {
    let violations = front.simulator.violations().len();
    json_response(&front.simulator.account(|account| summary(account, violations)))
}

/// `POST /_sim/interrupt?instance=i-a1&action=terminate&seconds=120` lets Spot warn a machine.
pub(super) async fn interrupt(State(front): State<Arc<Front>>, uri: Uri) -> Response {
    let action = match parameter(&uri, "action").unwrap_or("terminate") {
        "terminate" => Some(InterruptionAction::Terminate),
        "stop" => Some(InterruptionAction::Stop),
        "hibernate" => Some(InterruptionAction::Hibernate),
        _ => None,
    };
    let seconds = parameter(&uri, "seconds").map_or(Some(spot::NOTICE.as_secs()), |text| text.parse().ok());
    let (Some(id), Some(action), Some(seconds)) = (parameter(&uri, "instance"), action, seconds) else {
        return refused("instance must be an EC2 instance id, action terminate, stop or hibernate\n");
    };
    let told = front.simulator.change(|account| {
        let before = account.events.len();
        spot::interrupt_within(account, id, action, seconds);
        account.events.get(before).map(|event| event.envelope.clone())
    });
    told.map_or_else(|| refused("no such machine runs\n"), |envelope| json_response(&envelope))
}

/// `GET /_sim/events` is everything AWS has told EventBridge, in the envelopes its targets get.
pub(super) async fn events(State(front): State<Arc<Front>>) -> Response {
    let envelopes = |account: &Account| account.events.iter().map(|event| event.envelope.clone()).collect();
    json_response(&Value::Array(front.simulator.account(envelopes)))
}

fn summary(account: &Account, violations: usize) -> Value {
    let clusters = account.clusters.values().map(|of| (of.name.clone(), cluster(account, of)));
    json!({
        "now": account.now.epoch_seconds(),
        "violations": violations,
        "clusters": clusters.collect::<serde_json::Map<_, _>>(),
    })
}

fn cluster(account: &Account, cluster: &Cluster) -> Value {
    let instances = cluster.container_instances.values().map(|instance| {
        let (running, pending) = placement::counts(account, &cluster.name, &instance.arn);
        json!({
            "ec2InstanceId": instance.ec2_instance_id,
            "zone": instance.zone(),
            "status": crate::operations::status_of(instance),
            "running": running,
            "pending": pending,
        })
    });
    let services = cluster.services.values().map(|service| {
        let wanted = cluster.tasks.values().filter(|task| task.service() == Some(&service.name));
        let wanted = wanted.filter(|task| task.is_wanted()).count();
        json!({ "name": service.name, "desired": service.desired_count, "tasks": wanted })
    });
    json!({ "instances": instances.collect::<Vec<_>>(), "services": services.collect::<Vec<_>>() })
}

fn parameter<'a>(uri: &'a Uri, name: &str) -> Option<&'a str> {
    let pairs = uri.query()?.split('&').filter_map(|pair| pair.split_once('='));
    pairs.into_iter().find(|(key, _)| *key == name).map(|(_, value)| value)
}

fn refused(why: &str) -> Response {
    let mut response = text(why.to_owned());
    *response.status_mut() = StatusCode::BAD_REQUEST;
    response
}

fn text(body: String) -> Response {
    with_type(body, "text/plain; charset=utf-8")
}

fn json_response(value: &Value) -> Response {
    with_type(format!("{value}\n"), "application/json")
}

fn with_type(body: String, content_type: &'static str) -> Response {
    let mut response = Response::new(Body::from(body));
    response.headers_mut().insert("content-type", axum::http::HeaderValue::from_static(content_type));
    response
}
