//! awsJson 1.1, the protocol of ECS: JSON in, JSON out, the error's code in `__type`, timestamps as epoch
//! seconds.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{ApiError, Response};
use crate::time::SimTime;

/// Media type of every body in either direction.
const CONTENT_TYPE: &str = "application/x-amz-json-1.1";

/// Reads a request body; a missing body is an empty input.
pub fn decode(body: &[u8]) -> Result<Value, ApiError> {
    if body.is_empty() {
        return Ok(Value::Object(serde_json::Map::new()));
    }
    serde_json::from_slice(body).map_err(|fault| ApiError::new("SerializationException", fault.to_string()))
}

/// Turns an operation's input into its typed form; a member of the wrong type is the caller's mistake.
pub fn input<T: DeserializeOwned>(value: &Value) -> Result<T, ApiError> {
    T::deserialize(value).map_err(|fault| ApiError::new("SerializationException", fault.to_string()))
}

/// Writes an operation's output.
pub fn output(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("outputs have string keys and finite numbers only")
}

/// A moment as awsJson writes it.
pub fn timestamp(at: SimTime) -> f64 {
    at.epoch_seconds()
}

/// A response with this status and body.
pub fn response(status: u16, body: Vec<u8>) -> Response {
    Response { status, headers: vec![("content-type", CONTENT_TYPE.to_owned())], body }
}

/// An error response.
pub fn error(error: &ApiError) -> Response {
    let body = serde_json::json!({ "__type": error.code, "message": error.message });
    response(error.status, output(&body))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_carries_its_code_and_message() {
        let response = error(&ApiError::new("ClusterNotFoundException", "Cluster not found."));
        let body: Value = serde_json::from_slice(&response.body).unwrap();
        assert_eq!(response.status, 400);
        assert_eq!(body["__type"], "ClusterNotFoundException");
        assert_eq!(body["message"], "Cluster not found.");
    }

    #[test]
    fn broken_json_is_a_serialization_exception() {
        assert_eq!(decode(b"{").unwrap_err().code, "SerializationException");
        assert_eq!(decode(b"").unwrap(), serde_json::json!({}));
    }
}
