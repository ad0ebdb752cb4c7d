//! The account behind a TCP port, for real clients: Lambda binaries, boto3, the `aws` command.
//!
//! The same calls as in process, plus a few addresses under `/_sim/` for people and demos. Never on a paused
//! clock: real sockets on it make every timeout of the client fire at once.
//!
//! Simplified: plain HTTP, one account, one Region, whatever host name or credentials the client uses.

mod control;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::{get, post};
use http_body_util::{Full, Limited};
use tokio::net::TcpListener;
use tokio::time::{MissedTickBehavior, interval};

use crate::simulator::{ClientId, Simulator};

/// How often the account moves on when nobody calls, so that the demo's views do not jump.
const BACKGROUND_TICK: Duration = Duration::from_millis(50);

/// What every handler knows.
#[derive(Clone)]
struct Front {
    simulator: Simulator,
    client: ClientId,
}

/// Serves the account on this listener, its clock running at this multiple of wall time; ends only with an
/// error.
pub async fn serve(simulator: Simulator, listener: TcpListener, multiple: f64) -> std::io::Result<()> {
    simulator.set_multiple(multiple);
    let front = Arc::new(Front { client: simulator.next_client(), simulator: simulator.clone() });
    let served = axum::serve(listener, router(front));
    tokio::select! {
        biased;
        result = async { served.await } => result,
        () = keep_moving(&simulator) => Ok(()),
    }
}

async fn keep_moving(simulator: &Simulator) {
    let mut ticks = interval(BACKGROUND_TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        ticks.tick().await;
        simulator.account(|_| ());
    }
}

fn router(front: Arc<Front>) -> Router {
    Router::new()
        .route("/_sim/advance", post(control::advance))
        .route("/_sim/timeline", get(control::timeline))
        .route("/_sim/bars", get(control::bars))
        .route("/_sim/calls", get(control::calls))
        .route("/_sim/state", get(control::state))
        .route("/_sim/interrupt", post(control::interrupt))
        .route("/_sim/events", get(control::events))
        .fallback(call)
        .with_state(front)
}

/// One API call.
async fn call(State(front): State<Arc<Front>>, headers: HeaderMap, body: Bytes) -> Response {
    let target = headers.get("x-amz-target").and_then(|value| value.to_str().ok());
    let answered = front.simulator.handle(front.client, "api", target, &body).await;
    let Ok(answer) = answered else { return broken() };
    let mut response = Response::new(Body::from(answer.body));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in answer.headers {
        response.headers_mut().insert(name, value.parse().expect("the simulator writes plain ASCII headers"));
    }
    response
}

/// A response that breaks off: its body fails before the first byte, and the server closes the connection.
fn broken() -> Response {
    Response::new(Body::new(Limited::new(Full::from("lost"), 0)))
}
