//! Events in the envelopes that AWS documents.
//!
//! From the EC2 User Guide, "Spot Instance interruption notices" (whose ARN carries the zone and no account), "EC2
//! instance rebalance recommendations" and "State change events for your instances", and from the EventBridge User
//! Guide, "Events". Ids are counted, so that they are the same in every run. What is emitted changes nothing in the
//! account; `event_bridge` delivers it.

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use serde_json::{Value, json};

use crate::account::{Account, Event, Machine};
use crate::time::SimTime;

/// Emits an event of the present moment.
pub fn emit(account: &mut Account, detail_type: &str, source: &str, resources: &[String], detail: &Value) {
    let id = format!("e0000000-0000-4000-8000-{:012x}", account.events.len() + 1);
    let envelope = envelope(account, (id, account.now), (detail_type, source), resources, detail);
    account.events.push(Event { at: account.now, envelope });
}

/// The envelope around a detail.
pub(crate) fn envelope(
    account: &Account,
    (id, at): (String, SimTime),
    (detail_type, source): (&str, &str),
    resources: &[String],
    detail: &Value,
) -> Value {
    json!({
        "version": "0",
        "id": id,
        "detail-type": detail_type,
        "source": source,
        "account": account.account_id,
        "time": written(at),
        "region": account.region,
        "resources": resources,
        "detail": detail,
    })
}

/// "EC2 Instance State-change Notification" of the state the machine has now.
pub(crate) fn state_change(account: &mut Account, id: &str) {
    let Some(machine) = account.machines.get(id) else { return };
    let detail = json!({ "instance-id": id, "state": machine.state.name_and_code().0 });
    let resources = [instance_arn(account, id)];
    emit(account, "EC2 Instance State-change Notification", "aws.ec2", &resources, &detail);
}

/// "EC2 Spot Instance Interruption Warning" of the interruption that lies ahead of the machine.
pub(crate) fn interruption_warning(account: &mut Account, id: &str) {
    let warned = |machine: &Machine| machine.interruption.map(|it| (machine.zone.clone(), it.action.name()));
    let Some((zone, action)) = account.machines.get(id).and_then(warned) else { return };
    let detail = json!({ "instance-id": id, "instance-action": action });
    let resources = [format!("arn:aws:ec2:{zone}:instance/{id}")];
    emit(account, "EC2 Spot Instance Interruption Warning", "aws.ec2", &resources, &detail);
}

/// "EC2 Instance Rebalance Recommendation".
pub(crate) fn rebalance_recommendation(account: &mut Account, id: &str) {
    let resources = [instance_arn(account, id)];
    let detail = json!({ "instance-id": id });
    emit(account, "EC2 Instance Rebalance Recommendation", "aws.ec2", &resources, &detail);
}

/// `arn:aws:ec2:…:instance/i-…`.
pub(crate) fn instance_arn(account: &Account, id: &str) -> String {
    format!("arn:aws:ec2:{}:{}:instance/{id}", account.region, account.account_id)
}

/// A moment as envelopes write it, in whole seconds.
pub(crate) fn written(at: SimTime) -> String {
    let moment = DateTime::from_secs(at.0.div_euclid(1000));
    moment.fmt(Format::DateTime).expect("account time is within the range of RFC 3339 dates")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::builder::AccountBuilder;

    #[test]
    fn an_envelope_has_the_documented_members() {
        let mut account = AccountBuilder::new(1).region("us-east-1").build();
        let detail = json!({ "x": 1 });
        emit(&mut account, "Some Type", "aws.some", &["arn:1".to_owned()], &detail);
        emit(&mut account, "Some Type", "aws.some", &[], &detail);
        let expected = json!({
            "version": "0", "id": "e0000000-0000-4000-8000-000000000001", "detail-type": "Some Type",
            "source": "aws.some", "account": "123456789012", "time": "2026-01-02T03:04:05Z",
            "region": "us-east-1", "resources": ["arn:1"], "detail": { "x": 1 },
        });
        assert_eq!(account.events[0].envelope, expected);
        assert_ne!(account.events[1].envelope["id"], expected["id"]);
        assert_eq!((account.events[0].detail_type(), account.events[0].source()), ("Some Type", "aws.some"));
    }
}
