//! A Lambda Runtime API (2018-06-01) on a loopback socket, so that a function's binary runs unchanged.
//!
//! It keeps what handlers rely on: real deadlines, request ids, errors as their own kind of answer, one
//! invocation at a time. The deadline is wall time, as in Lambda; when it passes, `invoke` returns `TimedOut`
//! and the caller is expected to kill the process, as Lambda does.
//!
//! Simplified: no extensions, no telemetry, no payload limit, no response streaming, and nothing restarts a
//! function.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Router, body};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::{Mutex as AsyncMutex, mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

/// What became of an invocation.
#[derive(Clone, Debug, PartialEq)]
pub enum InvocationResult {
    /// The handler returned this.
    Response(Value),
    /// The handler failed with this (`errorType`, `errorMessage`).
    Error(Value),
    /// The runtime could not be initialised.
    InitError(Value),
    /// The deadline passed without an answer.
    TimedOut,
}

/// An invocation's result and how long it took.
#[derive(Clone, Debug, PartialEq)]
pub struct InvocationOutcome {
    /// What came of it.
    pub result: InvocationResult,
    /// Wall time from hand-over to answer.
    pub wall: Duration,
}

/// An invocation on its way to the function.
struct Invocation {
    id: String,
    event: Vec<u8>,
    deadline: Duration,
}

type Answers = Mutex<BTreeMap<String, oneshot::Sender<InvocationResult>>>;

struct Shared {
    waiting: AsyncMutex<mpsc::UnboundedReceiver<Invocation>>,
    answers: Answers,
}

/// A running Runtime API; dropping it closes the socket.
#[derive(Debug)]
pub struct RuntimeApi {
    address: SocketAddr,
    invocations: mpsc::UnboundedSender<Invocation>,
    shared: Arc<Shared>,
    one_at_a_time: AsyncMutex<()>,
    next: AtomicU64,
    server: JoinHandle<()>,
}

impl RuntimeApi {
    /// Serves on this listener until the value is dropped.
    pub fn start(listener: TcpListener) -> std::io::Result<Self> {
        let address = listener.local_addr()?;
        let (invocations, waiting) = mpsc::unbounded_channel();
        let shared = Arc::new(Shared { waiting: AsyncMutex::new(waiting), answers: Mutex::default() });
        let router = router(Arc::clone(&shared));
        let server = tokio::spawn(async move {
            // Serving ends only when the task is aborted; an accept error is not worth more than a closed
            // socket.
            let _ = axum::serve(listener, router).await;
        });
        let next = AtomicU64::new(1);
        Ok(Self { address, invocations, shared, one_at_a_time: AsyncMutex::default(), next, server })
    }

    /// What the function's `AWS_LAMBDA_RUNTIME_API` must be.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Hands an event to the function and waits for its answer, at most until the deadline.
    pub async fn invoke(&self, event: Value, deadline: Duration) -> InvocationOutcome {
        let _turn = self.one_at_a_time.lock().await;
        let id = format!("00000000-0000-4000-8000-{:012x}", self.next.fetch_add(1, Ordering::Relaxed));
        let (sender, answer) = oneshot::channel();
        self.shared.answers().insert(id.clone(), sender);
        let started = Instant::now();
        let event = event.to_string().into_bytes();
        let sent = self.invocations.send(Invocation { id: id.clone(), event, deadline: epoch() + deadline });
        sent.expect("the receiver is held by the same value");
        let result = timeout(deadline, answer).await;
        self.shared.answers().remove(&id);
        let result = result.ok().and_then(Result::ok).unwrap_or(InvocationResult::TimedOut);
        InvocationOutcome { result, wall: started.elapsed() }
    }
}

impl Drop for RuntimeApi {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Shared {
    fn answers(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, oneshot::Sender<InvocationResult>>> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Passes an answer to whoever waits for it; false if nobody does (any more).
    fn answer(&self, id: &str, result: InvocationResult) -> bool {
        self.answers().remove(id).is_some_and(|waiting| waiting.send(result).is_ok())
    }
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Shared").finish_non_exhaustive()
    }
}

/// Wall time since the Unix epoch. The one place in the workspace that reads it: the deadline header is epoch
/// time by definition, and the runtime on the other side of the socket compares it with the wall clock.
#[allow(clippy::disallowed_methods)]
fn epoch() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/2018-06-01/runtime/invocation/next", get(next))
        .route("/2018-06-01/runtime/invocation/{id}/response", post(respond))
        .route("/2018-06-01/runtime/invocation/{id}/error", post(fail))
        .route("/2018-06-01/runtime/init/error", post(fail_init))
        .with_state(shared)
}

async fn next(State(shared): State<Arc<Shared>>) -> Response {
    let invocation = loop {
        let received = shared.waiting.lock().await.recv().await;
        let Some(invocation) = received else { return answer(StatusCode::GONE, Body::empty()) };
        // One that nobody waits for any more has timed out before the function asked for work.
        if shared.answers().contains_key(&invocation.id) {
            break invocation;
        }
    };
    let trace = format!("Root=1-5759e988-{};Sampled=0", &invocation.id.replace('-', "")[8..]);
    let headers = [
        ("lambda-runtime-deadline-ms", invocation.deadline.as_millis().to_string()),
        ("lambda-runtime-invoked-function-arn", FUNCTION_ARN.to_owned()),
        ("lambda-runtime-trace-id", trace),
        ("lambda-runtime-invocation-id", invocation.id.clone()),
        ("lambda-runtime-aws-request-id", invocation.id),
        ("content-type", "application/json".to_owned()),
    ];
    let mut response = answer(StatusCode::OK, Body::from(invocation.event));
    for (name, value) in headers {
        response
            .headers_mut()
            .insert(name, value.parse().expect("ids, numbers and ARNs are valid header values"));
    }
    response
}

const FUNCTION_ARN: &str = "arn:aws:lambda:eu-west-1:111122223333:function:evenkeel";

async fn respond(State(shared): State<Arc<Shared>>, Path(id): Path<String>, body: Bytes) -> Response {
    let value = value(&body);
    accepted(shared.answer(&id, InvocationResult::Response(value)))
}

async fn fail(State(shared): State<Arc<Shared>>, Path(id): Path<String>, body: Bytes) -> Response {
    let value = value(&body);
    accepted(shared.answer(&id, InvocationResult::Error(value)))
}

/// Ends every waiting invocation: without a runtime none of them will be answered.
async fn fail_init(State(shared): State<Arc<Shared>>, body: Bytes) -> Response {
    let value = value(&body);
    for (_, waiting) in std::mem::take(&mut *shared.answers()) {
        // A waiter that has gone away needs no answer.
        let _ = waiting.send(InvocationResult::InitError(value.clone()));
    }
    accepted(true)
}

/// A body that is not JSON is kept as a string, so that a test sees what the function wrote.
fn value(body: &body::Bytes) -> Value {
    serde_json::from_slice(body).unwrap_or_else(|_| Value::String(String::from_utf8_lossy(body).into_owned()))
}

fn accepted(known: bool) -> Response {
    if known {
        return answer(StatusCode::ACCEPTED, Body::from(r#"{"status":"OK"}"#));
    }
    let refusal = r#"{"errorType":"InvalidRequestID","errorMessage":"Invalid request ID"}"#;
    answer(StatusCode::BAD_REQUEST, Body::from(refusal))
}

fn answer(status: StatusCode, body: Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;

    use super::*;

    async fn start() -> Arc<RuntimeApi> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Arc::new(RuntimeApi::start(listener).unwrap())
    }

    /// One HTTP exchange as bare as it gets: head and body of the response as text.
    async fn exchange(address: SocketAddr, method: &str, path: &str, body: &str) -> String {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let head =
            format!("{method} /2018-06-01/runtime/{path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n");
        let request = format!("{head}content-length: {}\r\n\r\n{body}", body.len());
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut response = String::new();
        stream.read_to_string(&mut response).await.unwrap();
        response
    }

    fn header<'a>(response: &'a str, name: &str) -> &'a str {
        let line = response.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.trim_start_matches(':').trim()
    }

    #[tokio::test]
    async fn an_event_goes_there_and_an_answer_comes_back() {
        let api = start().await;
        let shared = Arc::clone(&api);
        let event = json!({ "cluster": "web" });
        let invoked = tokio::spawn(async move { shared.invoke(event, Duration::from_secs(30)).await });
        let next = exchange(api.address(), "GET", "invocation/next", "").await;
        assert!(next.ends_with(r#"{"cluster":"web"}"#), "{next}");
        let left =
            header(&next, "lambda-runtime-deadline-ms").parse::<i64>().unwrap() - epoch().as_millis() as i64;
        assert!((25_000..=30_000).contains(&left), "{left}");
        let id = header(&next, "lambda-runtime-aws-request-id").to_owned();
        let path = format!("invocation/{id}/response");
        let accepted = exchange(api.address(), "POST", &path, r#"{"status":"done"}"#).await;
        assert!(accepted.starts_with("HTTP/1.1 202"), "{accepted}");
        assert_eq!(invoked.await.unwrap().result, InvocationResult::Response(json!({ "status": "done" })));
        let again = exchange(api.address(), "POST", &path, "{}").await;
        assert!(again.starts_with("HTTP/1.1 400"), "{again}");
    }

    #[tokio::test]
    async fn errors_of_the_handler_and_of_initialisation_are_told_apart() {
        let api = start().await;
        let invoke = |api: &Arc<RuntimeApi>| {
            let api = Arc::clone(api);
            tokio::spawn(async move { api.invoke(json!({}), Duration::from_secs(30)).await.result })
        };
        let first = invoke(&api);
        let next = exchange(api.address(), "GET", "invocation/next", "").await;
        let path = format!("invocation/{}/error", header(&next, "lambda-runtime-aws-request-id"));
        exchange(api.address(), "POST", &path, r#"{"errorType":"Config"}"#).await;
        assert_eq!(first.await.unwrap(), InvocationResult::Error(json!({ "errorType": "Config" })));
        let second = invoke(&api);
        exchange(api.address(), "GET", "invocation/next", "").await;
        exchange(api.address(), "POST", "init/error", r#"{"errorType":"Init"}"#).await;
        assert_eq!(second.await.unwrap(), InvocationResult::InitError(json!({ "errorType": "Init" })));
    }

    #[tokio::test]
    async fn silence_until_the_deadline_is_a_time_out() {
        let api = start().await;
        let outcome = api.invoke(json!({}), Duration::from_millis(50)).await;
        assert_eq!(outcome.result, InvocationResult::TimedOut);
        assert!(outcome.wall >= Duration::from_millis(50));
    }
}
