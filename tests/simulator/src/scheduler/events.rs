//! The event list of a service, and the happenings of the account.
//!
//! Wording and rules from "View Amazon ECS service event messages": the last 100 are kept, newest first, and
//! a message that repeats is left out until its cause is resolved or six hours have passed. A cause counts as
//! resolved here when the service has since started or stopped tasks or finished a deployment.

use std::time::Duration;

use crate::account::{Account, Happening, ServiceEvent};

/// How long an unchanged message is not repeated.
const REPEAT_AFTER: Duration = Duration::from_hours(6);

/// How many events a service keeps.
const KEPT: usize = 100;

/// Adds a service event `(service NAME) …`, unless it repeats one.
pub(crate) fn say(account: &mut Account, cluster: &str, service: &str, what: &str) {
    let message = format!("(service {service}) {what}");
    if is_repetition(account, cluster, service, &message) {
        return;
    }
    let id = uuid(&account.next_id());
    let created_at = account.now;
    note(account, "scheduler", service, what.trim_end_matches('.'));
    let Some(service) = service_mut(account, cluster, service) else { return };
    service.events.insert(0, ServiceEvent { id, created_at, message });
    service.events.truncate(KEPT);
}

/// Records that something happened, for the timeline.
pub fn note(account: &mut Account, actor: &str, subject: &str, what: &str) {
    account.happenings.push(Happening {
        at: account.now,
        actor: actor.to_owned(),
        subject: subject.to_owned(),
        what: what.to_owned(),
    });
}

/// `(task 0…1) (task 0…2)`, as the messages about started and stopped tasks list them.
pub(crate) fn task_list(task_arns: &[String]) -> String {
    let ids: Vec<_> = task_arns.iter().map(|arn| format!("(task {})", last_segment(arn))).collect();
    ids.join(" ")
}

/// What follows the last slash of an ARN.
pub fn last_segment(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}

fn service_mut<'a>(
    account: &'a mut Account,
    cluster: &str,
    service: &str,
) -> Option<&'a mut crate::account::Service> {
    account.clusters.get_mut(cluster)?.services.get_mut(service)
}

fn is_repetition(account: &Account, cluster: &str, service: &str, message: &str) -> bool {
    let Some(service) = account.clusters.get(cluster).and_then(|cluster| cluster.services.get(service))
    else {
        return false;
    };
    let since_resolved = service.events.iter().take_while(|event| !resolves(&event.message));
    let mut recent = since_resolved.filter(|event| account.now.since(event.created_at) < REPEAT_AFTER);
    recent.any(|event| event.message == message)
}

fn resolves(message: &str) -> bool {
    ["has started", "has stopped", ") stopped", "deployment completed"]
        .iter()
        .any(|text| message.contains(text))
}

fn uuid(hex: &str) -> String {
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::builder::AccountBuilder;

    fn one_service() -> Account {
        AccountBuilder::new(1)
            .cluster("web")
            .instance("i-a1", "a", |i| i)
            .task_definition("web", |t| t)
            .service("web", |s| s.on(&["i-a1"]))
            .build()
    }

    #[test]
    fn a_repeated_message_is_left_out_for_six_hours() {
        let mut account = one_service();
        for hours in [0, 1, 4, 1] {
            account.now = account.now + Duration::from_hours(hours);
            say(&mut account, "web", "web", "has reached a steady state.");
        }
        assert_eq!(account.clusters["web"].services["web"].events.len(), 2);
    }

    #[test]
    fn a_change_in_between_lets_the_message_through() {
        let mut account = one_service();
        say(&mut account, "web", "web", "has reached a steady state.");
        say(&mut account, "web", "web", "has started 1 tasks: (task 1).");
        say(&mut account, "web", "web", "has reached a steady state.");
        let events = &account.clusters["web"].services["web"].events;
        assert_eq!(events.len(), 3);
        assert_eq!(events[0].message, "(service web) has reached a steady state.");
    }

    #[test]
    fn the_last_hundred_are_kept_newest_first() {
        let mut account = one_service();
        for number in 0..130 {
            say(&mut account, "web", "web", &format!("message {number}."));
        }
        let events = &account.clusters["web"].services["web"].events;
        assert_eq!((events.len(), events[0].message.as_str()), (100, "(service web) message 129."));
    }
}
