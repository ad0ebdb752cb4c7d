//! Codes and sentences as the report shows them.

use super::*;

#[test]
fn code_and_values_are_camel_case() {
    let reason = Reason::BelowThreshold { skew: Percent::new(20), threshold: Percent::new(30) };
    let json = serde_json::to_string(&reason).unwrap();
    assert_eq!(json, r#"{"code":"belowThreshold","skew":20,"threshold":30}"#);
    assert_eq!(reason.sentence(), "skew of 20 % does not exceed the threshold of 30 %");
}

#[test]
fn durations_are_words() {
    let reason = Reason::Cooldown { wait: Duration::from_secs(90) };
    assert_eq!(serde_json::to_string(&reason).unwrap(), r#"{"code":"cooldown","wait":"1m 30s"}"#);
    assert!(reason.sentence().contains("1m 30s"));
}

#[test]
fn subject_carries_its_kind() {
    let blocked = Subject::new(SubjectKind::ContainerInstance, "arn").blocked(Reason::AgentDisconnected);
    let json = serde_json::to_value(&blocked).unwrap();
    assert_eq!(json["subject"]["kind"], "containerInstance");
    assert_eq!(json["reason"]["code"], "agentDisconnected");
}

#[test]
fn misses_are_told_in_words() {
    let until = Timestamp::from_secs(1_800_000_000);
    let reason = |misses| Reason::RestingAfterMisses { misses, observed: Miss::Unhealthy, until };
    let words = "in vain: the new task did not get healthy in time; it rests until 2027-01-15T08:00:00Z";
    assert_eq!(reason(1).sentence(), format!("its last move was {words}"));
    assert_eq!(reason(3).sentence(), format!("its last 3 moves were {words}"));
    let json = serde_json::to_value(reason(3)).unwrap();
    assert_eq!((&json["code"], &json["observed"]), (&"restingAfterMisses".into(), &"unhealthy".into()));
}
