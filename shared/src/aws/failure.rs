//! From the SDK's errors to ours, by AWS's error codes.

use std::error::Error as StdError;
use std::fmt;

use aws_sdk_ecs::error::ProvideErrorMetadata;
use aws_smithy_runtime_api::client::result::SdkError;

use crate::error::{Cause, Error};

/// Codes that ask for fewer calls. Source: AWS SDKs and Tools Reference Guide, "Retry behavior".
const THROTTLED: [&str; 5] =
    ["ThrottlingException", "Throttling", "RequestLimitExceeded", "TooManyRequestsException", "SlowDown"];
/// Codes for a missing permission (JSON protocol, query protocol and EC2 spell it differently) or for wrong credentials.
const DENIED: [&str; 7] = [
    "AccessDeniedException",
    "AccessDenied",
    "UnauthorizedOperation",
    "AuthFailure",
    "UnrecognizedClientException",
    "ExpiredTokenException",
    "InvalidClientTokenId",
];
/// Codes for something that is not there.
const NOT_FOUND: [&str; 7] = [
    "ClusterNotFoundException",
    "ServiceNotFoundException",
    "ResourceNotFoundException",
    "TargetGroupNotFound",
    "InvalidLaunchTemplateId.NotFound",
    "InvalidLaunchTemplateId.VersionNotFound",
    "InvalidLaunchTemplateName.NotFoundException",
];

/// Sorts the failure of one call by what the reader can do about it.
#[expect(clippy::needless_pass_by_value, reason = "it is handed to map_err, which gives the error away")]
pub(super) fn failed<E, R>(operation: &'static str, resource: &str, error: SdkError<E, R>) -> Error
where
    E: StdError + Send + Sync + ProvideErrorMetadata + 'static,
    R: fmt::Debug + Send + Sync + 'static,
{
    let code = error.code().unwrap_or_default().to_owned();
    let resource = resource.to_owned();
    let source: Cause = Box::new(Plain(words(&code, &error)));
    match code.as_str() {
        code if THROTTLED.contains(&code) => Error::Throttled { operation, resource, source },
        code if DENIED.contains(&code) => Error::Denied { operation, resource, source },
        code if NOT_FOUND.contains(&code) => Error::NotFound { operation, resource, source },
        _ => Error::Aws { operation, resource, source },
    }
}

/// AWS's code and message where there are any, else what the SDK says of the connection.
fn words<E: ProvideErrorMetadata + StdError + 'static, R: fmt::Debug>(
    code: &str,
    error: &SdkError<E, R>,
) -> String {
    match error.message() {
        Some(message) => format!("{code}: {message}"),
        None if code.is_empty() => connection_words(error),
        None => code.to_owned(),
    }
}

fn connection_words<E: StdError + 'static, R: fmt::Debug>(error: &SdkError<E, R>) -> String {
    let mut text = error.to_string();
    let mut cause = StdError::source(error);
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}

/// A cause as text: the SDK's own error types are large and carry the whole response.
#[derive(Debug)]
struct Plain(String);

impl fmt::Display for Plain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl StdError for Plain {}
