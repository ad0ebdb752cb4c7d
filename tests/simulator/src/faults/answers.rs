//! Answers that a fault changes on their way to the caller.

use serde_json::Value;

use super::Fault;

/// Moves the last entry of a describe answer to its failures, as an eventually consistent index would.
pub fn miss_an_entry(body: Vec<u8>) -> Vec<u8> {
    let Ok(mut answer) = serde_json::from_slice::<Value>(&body) else { return leave_out(body) };
    let Some(arn) = DESCRIBED.iter().find_map(|(list, key)| Some(pop(&mut answer, list)?[*key].take()))
    else {
        return body;
    };
    let failure = serde_json::json!({ "arn": arn, "reason": "MISSING" });
    if let Some(failures) = answer["failures"].as_array_mut() {
        failures.push(failure);
    }
    crate::wire::json::output(&answer)
}

/// Takes the first ARN out of a list, or puts it there twice.
pub fn unsettle(body: Vec<u8>, fault: Fault) -> Vec<u8> {
    let Ok(mut answer) = serde_json::from_slice::<Value>(&body) else { return body };
    let Some(members) = answer.as_object_mut() else { return body };
    let list = members.values_mut().find_map(Value::as_array_mut).filter(|list| !list.is_empty());
    match (list, fault) {
        (Some(list), Fault::SkippedEntry) => {
            list.remove(0);
        }
        (Some(list), Fault::RepeatedEntry) => list.insert(0, list[0].clone()),
        _ => {}
    }
    crate::wire::json::output(&answer)
}

/// Leaves the last instance out of an answer of `DescribeAutoScalingInstances`.
fn leave_out(body: Vec<u8>) -> Vec<u8> {
    const LIST: &str = "AutoScalingInstances>";
    let Ok(text) = String::from_utf8(body.clone()) else { return body };
    let list = text.split_once(LIST).and_then(|(before, rest)| Some((before, rest.split_once("</Auto")?)));
    let Some((before, (members, after))) = list else { return body };
    let kept = members.rfind("<member>").map_or("", |last| &members[..last]);
    format!("{before}{LIST}{kept}</Auto{after}").into_bytes()
}

/// The lists of describe answers, and the member that names an entry.
const DESCRIBED: [(&str, &str); 4] = [
    ("tasks", "taskArn"),
    ("services", "serviceArn"),
    ("containerInstances", "containerInstanceArn"),
    ("protectedTasks", "taskArn"),
];

fn pop(answer: &mut Value, list: &str) -> Option<Value> {
    answer.get_mut(list)?.as_array_mut()?.pop()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_entry_moves_to_the_failures() {
        let body = br#"{"tasks":[{"taskArn":"a"},{"taskArn":"b"}],"failures":[]}"#.to_vec();
        let answer: Value = serde_json::from_slice(&miss_an_entry(body)).unwrap();
        assert_eq!(answer["tasks"].as_array().unwrap().len(), 1);
        assert_eq!(answer["failures"][0], serde_json::json!({ "arn": "b", "reason": "MISSING" }));
    }

    #[test]
    fn a_page_skips_or_repeats_its_first_entry() {
        let page = |list: &[&str]| serde_json::json!({ "nextToken": "x", "taskArns": list });
        let unsettled = |list: &[&str], fault| -> Value {
            let body = serde_json::to_vec(&page(list)).unwrap();
            serde_json::from_slice(&unsettle(body, fault)).unwrap()
        };
        assert_eq!(unsettled(&["a", "b"], Fault::SkippedEntry), page(&["b"]));
        assert_eq!(unsettled(&["a", "b"], Fault::RepeatedEntry), page(&["a", "a", "b"]));
        assert_eq!(unsettled(&[], Fault::SkippedEntry), page(&[]));
    }

    #[test]
    fn a_missing_instance_of_a_group_is_left_out() {
        let missed = |body: &str| String::from_utf8(miss_an_entry(body.as_bytes().to_vec())).unwrap();
        let list = |inner: &str| {
            format!("<AutoScalingInstances>{inner}</AutoScalingInstances><NextToken>x</NextToken>")
        };
        let (one, other) = ("<member><InstanceId>i-1</InstanceId></member>", "<member>i-2</member>");
        assert_eq!(missed(&list(&format!("{one}{other}"))), list(one));
        assert_eq!(missed(&list("")), list(""));
        assert_eq!(missed("<Tags><member>a</member></Tags>"), "<Tags><member>a</member></Tags>");
    }
}
