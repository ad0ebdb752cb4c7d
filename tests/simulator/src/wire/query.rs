//! The query protocol of Elastic Load Balancing and Auto Scaling: a form in, XML out.
//!
//! `Targets.member.1.Id=i-1` becomes `{"Targets":[{"Id":"i-1"}]}`, so that operations read both protocols
//! alike.

use serde_json::{Map, Value};

use super::{ApiError, Request, Response, Service, ec2};
use crate::time::SimTime;

/// Reads a form body.
pub fn decode(body: &[u8]) -> Result<Request, (Service, ApiError)> {
    let fault = |code, message: String| (Service::ElasticLoadBalancing, ApiError::new(code, message));
    let form = std::str::from_utf8(body).map_err(|error| fault("MalformedInput", error.to_string()))?;
    let mut root = Map::new();
    for (name, value) in form.split('&').filter_map(|pair| pair.split_once('=')) {
        insert(&mut root, &unescape(name), unescape(value));
    }
    let mut take = |name: &str| root.remove(name).and_then(|value| value.as_str().map(str::to_owned));
    let operation =
        take("Action").ok_or_else(|| fault("MissingAction", "No Action in the request".into()))?;
    let version = take("Version").unwrap_or_default();
    let service = Service::by_query_version(&version)
        .ok_or_else(|| fault("InvalidAction", format!("No service has version {version}")))?;
    let lists = if service == Service::Ec2 { ec2::lists } else { arrays };
    Ok(Request { service, operation, input: lists(Value::Object(root)) })
}

/// Puts a value at its dotted path; lists are objects with numeric keys until `arrays` turns them round.
fn insert(object: &mut Map<String, Value>, path: &str, value: String) {
    let Some((head, rest)) = path.split_once('.') else {
        object.insert(path.to_owned(), Value::String(value));
        return;
    };
    let child = object.entry(head).or_insert_with(|| Value::Object(Map::new()));
    if let Value::Object(child) = child {
        insert(child, rest, value);
    }
}

/// Turns each `{"member":{"1":…,"2":…}}` into a list in the order of its numbers.
fn arrays(value: Value) -> Value {
    let Value::Object(mut object) = value else { return value };
    if let Some(Value::Object(members)) = object.remove("member") {
        let mut numbered: Vec<(u32, Value)> = members
            .into_iter()
            .map(|(key, value)| (key.parse().unwrap_or(u32::MAX), arrays(value)))
            .collect();
        numbered.sort_by_key(|(number, _)| *number);
        return Value::Array(numbered.into_iter().map(|(_, value)| value).collect());
    }
    Value::Object(object.into_iter().map(|(key, value)| (key, arrays(value))).collect())
}

/// Undoes form encoding; a broken escape stays as it is.
fn unescape(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        match (first, escaped(tail)) {
            (b'+', _) => bytes.push(b' '),
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            (byte, _) => bytes.push(*byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn escaped(tail: &[u8]) -> Option<u8> {
    let digits = std::str::from_utf8(tail.get(..2)?).ok()?;
    u8::from_str_radix(digits, 16).ok()
}

/// Wraps the inner XML of a result.
pub fn response(service: Service, operation: &str, result: &[u8], request_id: &str) -> Response {
    let (namespace, mut xml) = (service.xml_namespace(), Xml::default());
    let result = String::from_utf8_lossy(result);
    xml.raw(&format!(
        "<{operation}Response xmlns=\"{namespace}\"><{operation}Result>{result}</{operation}Result>"
    ));
    xml.element("ResponseMetadata", |xml| xml.text("RequestId", request_id));
    xml.raw(&format!("</{operation}Response>"));
    Response { status: 200, headers: content_type(), body: xml.into_bytes() }
}

/// An error response.
pub fn error(service: Service, error: &ApiError, request_id: &str) -> Response {
    let (namespace, mut xml) = (service.xml_namespace(), Xml::default());
    xml.raw(&format!("<ErrorResponse xmlns=\"{namespace}\">"));
    xml.element("Error", |xml| {
        xml.text("Type", if error.status < 500 { "Sender" } else { "Receiver" });
        xml.text("Code", &error.code);
        xml.text("Message", &error.message);
    });
    xml.text("RequestId", request_id);
    xml.raw("</ErrorResponse>");
    Response { status: error.status, headers: content_type(), body: xml.into_bytes() }
}

/// A moment as the query protocol writes it, such as `2026-01-02T03:04:05.678Z`.
pub fn timestamp(at: SimTime) -> String {
    let format = aws_smithy_types::date_time::Format::DateTime;
    let text = aws_smithy_types::DateTime::from_millis(at.0).fmt(format);
    text.expect("account time is within the range of ISO 8601 dates")
}

fn content_type() -> Vec<(&'static str, String)> {
    vec![("content-type", "text/xml".to_owned())]
}

/// Writes XML from the inside out: elements around text, text escaped.
#[derive(Debug, Default)]
pub struct Xml(String);

impl Xml {
    /// An element around whatever `inner` writes.
    pub fn element(&mut self, name: &str, inner: impl FnOnce(&mut Self)) {
        self.raw(&format!("<{name}>"));
        inner(self);
        self.raw(&format!("</{name}>"));
    }

    /// An element around text.
    pub fn text(&mut self, name: &str, text: &str) {
        self.element(name, |xml| xml.words(text));
    }

    /// A list: each item inside an element `member`.
    pub fn list<T>(
        &mut self,
        name: &str,
        items: impl IntoIterator<Item = T>,
        mut member: impl FnMut(&mut Self, T),
    ) {
        self.element(name, |xml| {
            for item in items {
                xml.element("member", |xml| member(xml, item));
            }
        });
    }

    /// An element around text, if there is any text.
    pub fn maybe(&mut self, name: &str, text: Option<&str>) {
        if let Some(text) = text {
            self.text(name, text);
        }
    }

    /// Text by itself.
    pub fn words(&mut self, text: &str) {
        self.raw(&text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;"));
    }

    /// The bytes written so far.
    pub fn into_bytes(self) -> Vec<u8> {
        self.0.into_bytes()
    }

    fn raw(&mut self, text: &str) {
        self.0.push_str(text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_becomes_nested_input() {
        let body = b"Action=DescribeTargetHealth&Version=2015-12-01&TargetGroupArn=arn%3Aaws%3Ax\
            &Targets.member.2.Id=i-2&Targets.member.1.Id=i-1&Targets.member.1.Port=80";
        let request = decode(body).unwrap();
        assert_eq!(request.operation, "DescribeTargetHealth");
        let expected = serde_json::json!({
            "TargetGroupArn": "arn:aws:x", "Targets": [{ "Id": "i-1", "Port": "80" }, { "Id": "i-2" }],
        });
        assert_eq!(request.input, expected);
    }

    #[test]
    fn a_form_without_action_or_known_version_is_an_error() {
        assert_eq!(decode(b"").unwrap_err().1.code, "MissingAction");
        assert_eq!(decode(b"Action=X&Version=1999-01-01").unwrap_err().1.code, "InvalidAction");
    }

    #[test]
    fn errors_are_escaped_xml() {
        let response =
            error(Service::ElasticLoadBalancing, &ApiError::new("TargetGroupNotFound", "a < b & c"), "id-1");
        let text = String::from_utf8(response.body).unwrap();
        assert!(
            text.contains("<Code>TargetGroupNotFound</Code><Message>a &lt; b &amp; c</Message>"),
            "{text}"
        );
    }

    #[test]
    fn escapes_are_undone_and_broken_ones_kept() {
        assert_eq!(unescape("a%20b+c%zz%4"), "a b c%zz%4");
    }
}
