//! What travels between a client and the account: requests, responses, errors, in the two protocols AWS uses
//! here.
//!
//! ECS speaks awsJson 1.1: the operation is in `X-Amz-Target`, everything else in JSON. Elastic Load
//! Balancing and Auto Scaling speak the query protocol: a form with `Action` and `Version`, answered in XML. Both
//! become one `Request` with a JSON value as input, so that an operation does not know how it was called.
//!
//! Simplified: signatures are not verified, and the host name is not looked at.

pub mod ec2;
pub mod json;
pub mod query;

use serde_json::Value;

/// An AWS service of the simulated account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Service {
    /// Amazon ECS.
    Ecs,
    /// Elastic Load Balancing, version 2.
    ElasticLoadBalancing,
    /// Amazon EC2 Auto Scaling.
    AutoScaling,
    /// Amazon EC2.
    Ec2,
}

impl Service {
    /// The prefix of `X-Amz-Target` that selects ECS.
    const ECS_TARGET: &str = "AmazonEC2ContainerServiceV20141113.";

    fn by_query_version(version: &str) -> Option<Self> {
        match version {
            "2011-01-01" => Some(Self::AutoScaling),
            "2015-12-01" => Some(Self::ElasticLoadBalancing),
            "2016-11-15" => Some(Self::Ec2),
            _ => None,
        }
    }

    /// The namespace of a query service's answers.
    fn xml_namespace(self) -> &'static str {
        match self {
            Self::Ecs => "",
            Self::ElasticLoadBalancing => "http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/",
            Self::AutoScaling => "http://autoscaling.amazonaws.com/doc/2011-01-01/",
            Self::Ec2 => "http://ec2.amazonaws.com/doc/2016-11-15/",
        }
    }

    /// The name as it appears in credential scopes and logs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ecs => "ecs",
            Self::ElasticLoadBalancing => "elasticloadbalancing",
            Self::AutoScaling => "autoscaling",
            Self::Ec2 => "ec2",
        }
    }

    /// The code with which this service says that it throttles.
    pub fn throttling_code(self) -> &'static str {
        match self {
            Self::Ecs => "ThrottlingException",
            Self::ElasticLoadBalancing | Self::AutoScaling => "Throttling",
            Self::Ec2 => "RequestLimitExceeded",
        }
    }

    /// The code with which this service says that a caller may not do something.
    pub fn denied_code(self) -> &'static str {
        match self {
            Self::Ecs => "AccessDeniedException",
            Self::ElasticLoadBalancing | Self::AutoScaling => "AccessDenied",
            Self::Ec2 => "UnauthorizedOperation",
        }
    }

    /// The code with which this service admits a fault of its own.
    pub fn server_error_code(self) -> &'static str {
        match self {
            Self::Ecs => "ServerException",
            Self::ElasticLoadBalancing | Self::AutoScaling => "InternalFailure",
            Self::Ec2 => "InternalError",
        }
    }
}

/// One decoded API call.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// Which service is asked.
    pub service: Service,
    /// Operation name, as in `CloudTrail`.
    pub operation: String,
    /// The operation's input; values of the query protocol are strings.
    pub input: Value,
}

/// One HTTP response, still independent of the transport.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// HTTP status.
    pub status: u16,
    /// All headers.
    pub headers: Vec<(&'static str, String)>,
    /// Body.
    pub body: Vec<u8>,
}

/// An error the API answers with.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct ApiError {
    /// Error code, such as `ClusterNotFoundException`.
    pub code: String,
    /// Sentence for people.
    pub message: String,
    /// HTTP status.
    pub status: u16,
}

impl ApiError {
    /// An error of the caller's making.
    pub fn new(code: &str, message: impl Into<String>) -> Self {
        Self { code: code.to_owned(), message: message.into(), status: 400 }
    }

    /// ECS's most common refusal.
    pub fn invalid_parameter(message: impl Into<String>) -> Self {
        Self::new("InvalidParameterException", message)
    }

    /// The service's own fault.
    pub fn server(service: Service) -> Self {
        let message = "An internal error occurred".to_owned();
        Self { code: service.server_error_code().to_owned(), message, status: 500 }
    }

    /// Auto Scaling waits for an activity of the group first.
    pub fn activity_in_progress(activity: &str) -> Self {
        let message = format!("Scaling activity {activity} is in progress and blocks this action");
        Self::new("ScalingActivityInProgress", message)
    }

    /// Auto Scaling is at work on the same thing; its status is 500.
    pub fn resource_contention() -> Self {
        let message = "You already have a pending update to an Amazon EC2 Auto Scaling resource (for example, an Auto \
                       Scaling group, instance, or load balancer).";
        Self { status: 500, ..Self::new("ResourceContention", message) }
    }

    /// The caller, or somebody else in the account, calls too often.
    pub fn throttled(service: Service) -> Self {
        Self::new(service.throttling_code(), "Rate exceeded")
    }
}

/// Reads a call from its `X-Amz-Target` header, if it has one, and its body.
pub fn decode(target: Option<&str>, body: &[u8]) -> Result<Request, (Service, ApiError)> {
    let Some(target) = target else { return query::decode(body) };
    let operation = target.strip_prefix(Service::ECS_TARGET).ok_or_else(|| {
        (Service::Ecs, ApiError::new("UnknownOperationException", format!("Unknown target {target}")))
    })?;
    let input = json::decode(body).map_err(|error| (Service::Ecs, error))?;
    Ok(Request { service: Service::Ecs, operation: operation.to_owned(), input })
}

/// Writes an answer or an error in the protocol of the service.
pub fn encode(
    service: Service,
    operation: &str,
    answer: Result<Vec<u8>, ApiError>,
    request_id: &str,
) -> Response {
    match (service, answer) {
        (Service::Ecs, Ok(body)) => json::response(200, body),
        (Service::Ecs, Err(error)) => json::error(&error),
        (Service::Ec2, Ok(body)) => ec2::response(operation, &body, request_id),
        (Service::Ec2, Err(error)) => ec2::error(&error, request_id),
        (service, Ok(body)) => query::response(service, operation, &body, request_id),
        (service, Err(error)) => query::error(service, &error, request_id),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_target_is_a_typed_error() {
        let (service, error) = decode(Some("AmazonSQS.SendMessage"), b"{}").unwrap_err();
        let response = encode(service, "", Err(error), "id");
        assert_eq!(response.status, 400);
        assert!(String::from_utf8(response.body).unwrap().contains("UnknownOperationException"));
    }

    #[test]
    fn the_target_header_names_the_operation() {
        let target = "AmazonEC2ContainerServiceV20141113.ListTasks";
        let request = decode(Some(target), br#"{"cluster":"web"}"#).unwrap();
        assert_eq!(
            (request.operation.as_str(), request.input["cluster"].as_str()),
            ("ListTasks", Some("web"))
        );
    }
}
