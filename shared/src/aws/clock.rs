//! What every answer of AWS tells besides its body: the time there, and that a call was made.
//!
//! Ages are compared with timestamps that AWS wrote (`createdAt`, `expirationDate`), so "now" has to come from the same
//! clock. Every AWS answer carries a `Date` header (RFC 9110); between answers our own clock carries it forward. The
//! header has whole seconds and is rounded down, so ages are at most a second too small, which only ever waits longer.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::UNIX_EPOCH;

use aws_smithy_async::time::SharedTimeSource;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeDeserializationInterceptorContextRef, BeforeTransmitInterceptorContextRef,
};
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::orchestrator::Metadata;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::DateTime;
use aws_smithy_types::config_bag::ConfigBag;
use aws_smithy_types::date_time::Format;

use crate::timestamp::Timestamp;

/// Counts attempts and learns the time; one per [`super::Aws`], shared by its clients.
#[derive(Clone, Debug)]
pub(super) struct Wire {
    time_source: SharedTimeSource,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Debug, Default)]
struct Seen {
    calls: BTreeMap<String, u64>,
    /// AWS's clock less ours, in milliseconds; none before the first answer.
    ahead: Option<i64>,
}

impl Wire {
    pub(super) fn new(time_source: SharedTimeSource) -> Self {
        Self { time_source, seen: Arc::default() }
    }

    pub(super) fn now(&self) -> Timestamp {
        let ahead = self.with(|seen| seen.ahead.unwrap_or(0));
        Timestamp::from_millis(self.own_millis() + ahead)
    }

    pub(super) fn calls(&self) -> BTreeMap<String, u64> {
        self.with(|seen| seen.calls.clone())
    }

    fn with<T>(&self, look: impl FnOnce(&mut Seen) -> T) -> T {
        look(&mut self.seen.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn own_millis(&self) -> i64 {
        let since = self.time_source.now().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
    }
}

#[dyn_dispatch_hint]
impl Intercept for Wire {
    fn name(&self) -> &'static str {
        "Wire"
    }

    fn read_before_transmit(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let operation =
            bag.load::<Metadata>().map_or_else(String::new, |metadata| metadata.name().to_owned());
        self.with(|seen| *seen.calls.entry(operation).or_default() += 1);
        Ok(())
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let date = context.response().headers().get("date");
        let date = date.and_then(|text| DateTime::from_str(text, Format::HttpDate).ok());
        if let Some(millis) = date.and_then(|date| date.to_millis().ok()) {
            let ahead = millis - self.own_millis();
            self.with(|seen| seen.ahead = Some(ahead));
        }
        Ok(())
    }
}
