//! Amazon EC2's own kind of the query protocol (`ec2` in the service models).
//!
//! Lists are numbered without `member` (`InstanceId.1`, `Filter.1.Value.2`), results are not wrapped, list items are
//! called `item`, and errors come as a list of one.

use serde_json::{Map, Value};

use super::query::Xml;
use super::{ApiError, Response, Service};

/// Turns each object whose keys are numbers into a list in the order of these.
pub fn lists(value: Value) -> Value {
    let Value::Object(object) = value else { return value };
    let inner: Map<String, Value> = object.into_iter().map(|(key, value)| (key, lists(value))).collect();
    let numbers: Option<Vec<u32>> = inner.keys().map(|key| key.parse().ok()).collect();
    match numbers {
        Some(numbers) if !numbers.is_empty() => {
            let mut numbered: Vec<_> = numbers.into_iter().zip(inner.into_iter().map(|it| it.1)).collect();
            numbered.sort_by_key(|(number, _)| *number);
            Value::Array(numbered.into_iter().map(|(_, value)| value).collect())
        }
        _ => Value::Object(inner),
    }
}

/// A result with nothing around it but its operation.
pub fn response(operation: &str, result: &[u8], request_id: &str) -> Response {
    let (namespace, result) = (Service::Ec2.xml_namespace(), String::from_utf8_lossy(result));
    let mut id = Xml::default();
    id.text("requestId", request_id);
    let id = String::from_utf8_lossy(&id.into_bytes()).into_owned();
    let body = format!("<{operation}Response xmlns=\"{namespace}\">{id}{result}</{operation}Response>");
    Response { status: 200, headers: content_type(), body: body.into_bytes() }
}

/// An error response.
pub fn error(error: &ApiError, request_id: &str) -> Response {
    let mut xml = Xml::default();
    xml.element("Response", |xml| {
        xml.element("Errors", |xml| {
            xml.element("Error", |xml| {
                xml.text("Code", &error.code);
                xml.text("Message", &error.message);
            });
        });
        xml.text("RequestID", request_id);
    });
    Response { status: error.status, headers: content_type(), body: xml.into_bytes() }
}

fn content_type() -> Vec<(&'static str, String)> {
    vec![("content-type", "text/xml;charset=UTF-8".to_owned())]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::wire;

    #[test]
    fn numbered_members_become_lists() {
        let body = b"Action=DescribeInstances&Version=2016-11-15&InstanceId.10=i-10&InstanceId.2=i-2\
            &Filter.1.Name=tag%3Ateam&Filter.1.Value.1=a&Filter.1.Value.2=b&MaxResults=5";
        let request = wire::decode(None, body).unwrap();
        assert_eq!((request.service, request.operation.as_str()), (Service::Ec2, "DescribeInstances"));
        let expected = json!({
            "InstanceId": ["i-2", "i-10"], "MaxResults": "5",
            "Filter": [{ "Name": "tag:team", "Value": ["a", "b"] }],
        });
        assert_eq!(request.input, expected);
    }

    #[test]
    fn results_are_not_wrapped_and_errors_are_a_list() {
        let answer = wire::encode(Service::Ec2, "DescribeInstances", Ok(b"<reservationSet/>".into()), "id-1");
        let expected = "<DescribeInstancesResponse xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\">\
            <requestId>id-1</requestId><reservationSet/></DescribeInstancesResponse>";
        assert_eq!(String::from_utf8(answer.body).unwrap(), expected);
        let error = ApiError::new("InvalidInstanceID.NotFound", "gone");
        let answer = wire::encode(Service::Ec2, "DescribeInstances", Err(error), "id-2");
        let expected = "<Response><Errors><Error><Code>InvalidInstanceID.NotFound</Code>\
            <Message>gone</Message></Error></Errors><RequestID>id-2</RequestID></Response>";
        assert_eq!((answer.status, String::from_utf8(answer.body).unwrap().as_str()), (400, expected));
    }
}
