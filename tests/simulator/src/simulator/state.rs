//! Everything behind the lock of a simulator, and the path of one call through it.
//!
//! In this order: a foreign actor's change, a caller that dies before its call, a fault, the token bucket,
//! the operation itself, a caller that dies after it.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::crash::{ClientId, Crash, Moment};
use super::{Call, Outcome};
use crate::account::Account;
use crate::checkers::Checkers;
use crate::faults::{self, Fault, HISTORY, Rules};
use crate::operations;
use crate::scheduler::{Engine, TICK};
use crate::throttle::Throttle;
use crate::time::SimTime;
use crate::wire::{self, ApiError, Request, Response};

/// A change some other actor makes right before a call.
pub(super) type Interference = Box<dyn FnOnce(&mut Account) + Send>;

/// How long a call travels in each direction: 15 to 60 ms there and back, as seen within a Region.
const LATENCY_MILLIS: std::ops::RangeInclusive<u64> = 15..=60;

/// What comes of a call.
pub(super) enum Reply {
    /// A response, later than usual by some time.
    Response(Response, Duration),
    /// The connection breaks.
    Lost,
    /// Nothing, until the network gives up.
    Hang,
    /// Nothing, ever: the caller is dead.
    Never,
}

pub(super) struct State {
    pub(super) account: Account,
    pub(super) checkers: Checkers,
    pub(super) rules: Rules,
    pub(super) throttle: Throttle,
    pub(super) crash: Crash,
    pub(super) interference: BTreeMap<u64, Interference>,
    pub(super) calls: Vec<Call>,
    engine: Engine,
    history: VecDeque<Account>,
    latency: StdRng,
    dice: StdRng,
}

impl State {
    pub(super) fn new(account: Account, seed: u64) -> Self {
        Self {
            checkers: Checkers::new(&account),
            rules: Rules::default(),
            throttle: Throttle::default(),
            crash: Crash::default(),
            interference: BTreeMap::new(),
            calls: Vec::new(),
            engine: Engine::new(seed),
            history: VecDeque::new(),
            // Streams of their own, so that a fault rule or one call more leaves the scheduler's choices as
            // they were.
            latency: StdRng::seed_from_u64(seed ^ 0x1a7e),
            dice: StdRng::seed_from_u64(seed ^ 0xd1ce),
            account,
        }
    }

    /// Brings the account to the present, checking it and remembering it second by second.
    pub(super) fn advance(&mut self, now: SimTime) {
        let Self { account, engine, checkers, history, rules, .. } = self;
        let keeps_history = rules.need_history();
        if !keeps_history {
            history.clear();
        }
        engine.advance(account, now, &mut |account| {
            checkers.check(account);
            if keeps_history {
                remember(history, account);
            }
        });
    }

    /// Lets every agent lose its connection about this often.
    pub(super) fn flap_agents(&mut self, per_hour: u32) {
        self.engine.flap(per_hour);
    }

    /// Keeps the present as the past of later stale reads.
    pub(super) fn remember(&mut self) {
        remember(&mut self.history, &self.account);
    }

    /// The travel time of a call, there and back.
    pub(super) fn draw_latency(&mut self) -> (Duration, Duration) {
        let millis = self.latency.random_range(LATENCY_MILLIS);
        let there = self.latency.random_range(1..millis);
        (Duration::from_millis(there), Duration::from_millis(millis - there))
    }

    /// Takes one call; the account is at `now`.
    pub(super) fn take(
        &mut self,
        client: ClientId,
        actor: &str,
        decoded: Result<Request, (wire::Service, ApiError)>,
        now: SimTime,
    ) -> Reply {
        let number = self.calls.len() as u64 + 1;
        if let Some(change) = self.interference.remove(&number) {
            change(&mut self.account);
        }
        let request = match decoded {
            Ok(request) => request,
            Err((service, error)) => return self.refuse(service, error, actor, now),
        };
        if self.crash.strikes(number, client, Moment::BeforeEffect) {
            self.log(&request, actor, now, (None, Outcome::Killed));
            return Reply::Never;
        }
        let fault = self.rules.verdict(&request.operation, now, &mut self.dice);
        let answer = self.answer(&request, actor, fault, now);
        let outcome = outcome(fault, answer.as_ref());
        self.log(&request, actor, now, (fault, outcome));
        if self.crash.strikes(number, client, Moment::AfterEffect) {
            return Reply::Never;
        }
        let response = self.encode(request.service, &request.operation, answer, now);
        match fault {
            Some(Fault::LoseResponse) => Reply::Lost,
            Some(Fault::TimeOut) => Reply::Hang,
            Some(Fault::Delay(by)) => Reply::Response(response, by),
            _ => Reply::Response(response, Duration::ZERO),
        }
    }

    /// A call that names no operation there is; it is still in the log.
    fn refuse(&mut self, service: wire::Service, error: ApiError, actor: &str, now: SimTime) -> Reply {
        let operation = "unknown".to_owned();
        let request = Request { service, operation, input: serde_json::Value::Null };
        self.log(&request, actor, now, (None, Outcome::Error(error.code.clone())));
        Reply::Response(self.encode(service, "", Err(error), now), Duration::ZERO)
    }

    fn answer(
        &mut self,
        request: &Request,
        actor: &str,
        fault: Option<Fault>,
        now: SimTime,
    ) -> operations::Answer {
        let service = request.service;
        match fault {
            Some(Fault::TimeOut) => return Ok(Vec::new()),
            Some(Fault::Deny) => return Err(denied(request)),
            _ => {}
        }
        if let Some(error) = fault.and_then(|fault| fault.error(service)) {
            return Err(error);
        }
        if !self.throttle.admits(service, &request.operation, now) {
            return Err(ApiError::throttled(service));
        }
        match fault {
            Some(Fault::StaleRead(age)) if operations::is_read(&request.operation) => {
                operations::answer(&mut self.past(age, now), request, actor)
            }
            Some(Fault::MissingEntry) if operations::is_read(&request.operation) => {
                operations::answer(&mut self.account, request, actor).map(faults::miss_an_entry)
            }
            Some(fault @ (Fault::SkippedEntry | Fault::RepeatedEntry))
                if !request.input["nextToken"].is_null() =>
            {
                operations::answer(&mut self.account, request, actor).map(|it| faults::unsettle(it, fault))
            }
            _ => operations::answer(&mut self.account, request, actor),
        }
    }

    /// The account of `age` ago, or the oldest that is remembered.
    fn past(&self, age: Duration, now: SimTime) -> Account {
        let then = now - age;
        let old_enough = self.history.iter().rev().find(|account| account.now <= then);
        old_enough.or(self.history.front()).unwrap_or(&self.account).clone()
    }

    fn log(
        &mut self,
        request: &Request,
        actor: &str,
        at: SimTime,
        (fault, outcome): (Option<Fault>, Outcome),
    ) {
        self.calls.push(Call {
            at,
            caller: actor.to_owned(),
            service: request.service.name(),
            operation: request.operation.clone(),
            resource: operations::resource(&request.input),
            outcome,
            fault,
        });
    }

    fn encode(
        &self,
        service: wire::Service,
        operation: &str,
        answer: operations::Answer,
        now: SimTime,
    ) -> Response {
        let request_id = format!("00000000-0000-4000-8000-{:012x}", self.calls.len());
        let mut response = wire::encode(service, operation, answer, &request_id);
        response.headers.push(("date", http_date(now)));
        response.headers.push(("x-amzn-requestid", request_id));
        response
    }
}

fn outcome(fault: Option<Fault>, answer: Result<&Vec<u8>, &ApiError>) -> Outcome {
    match (fault, answer) {
        (Some(Fault::TimeOut), _) => Outcome::TimedOut,
        (Some(Fault::LoseResponse), _) => Outcome::Lost,
        (_, Ok(_)) => Outcome::Done,
        (_, Err(error)) => Outcome::Error(error.code.clone()),
    }
}

fn denied(request: &Request) -> ApiError {
    let message =
        format!("User is not authorized to perform: {}:{}", request.service.name(), request.operation);
    ApiError::new(request.service.denied_code(), message)
}

/// A snapshot without happenings and events, which no operation reads and which make up most of an old account.
fn remember(history: &mut VecDeque<Account>, account: &Account) {
    while history.front().is_some_and(|oldest| account.now.since(oldest.now) > HISTORY + TICK) {
        history.pop_front();
    }
    history.push_back(Account { happenings: Vec::new(), events: Vec::new(), ..account.clone() });
}

fn http_date(at: SimTime) -> String {
    let date = aws_smithy_types::DateTime::from_secs(at.0.div_euclid(1000));
    date.fmt(aws_smithy_types::date_time::Format::HttpDate)
        .expect("account time is within the range of HTTP dates")
}
