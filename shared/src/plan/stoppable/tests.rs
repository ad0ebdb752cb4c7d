//! Consent and floor, each alone.

use super::*;
use crate::percent::Percent;
use crate::plan::testing::{cluster, limits};
use crate::snapshot::LoadBalancer;

fn stop() -> Limits {
    Limits { strategy: MoveStrategy::Stop, ..limits() }
}

/// A service of `desired` tasks that may go down to `minimum` percent.
fn service(desired: u32, minimum: u32) -> Service {
    let mut cluster = cluster(&[&[desired, 0]]);
    cluster.web().minimum_healthy_percent = Percent::new(minimum);
    cluster.web().clone()
}

fn balanced(tag: Option<&str>) -> Service {
    let mut service = service(4, 50);
    let (container_name, container_port) = ("web".to_owned(), 80);
    service.load_balancers.push(LoadBalancer {
        target_group: Some("arn:tg".into()),
        container_name,
        container_port,
    });
    service.tags.extend(tag.map(|value| (STRATEGY_TAG.to_owned(), value.to_owned())));
    service
}

#[test]
fn only_the_setting_makes_it_possible() {
    assert!(is_stoppable(&stop(), &service(3, 50)));
    assert!(!is_stoppable(&limits(), &service(3, 50)));
    assert!(!is_stoppable(&limits(), &balanced(Some("stop"))));
}

#[test]
fn the_minimum_is_rounded_up_and_never_below_one() {
    let table = [
        (3, 66, true),
        (3, 67, false),
        (3, 100, false),
        (1, 100, false),
        (1, 0, false),
        (2, 0, true),
        (2, 50, true),
        (2, 51, false),
        (0, 0, false),
        (100, 99, true),
    ];
    for (desired, minimum, expected) in table {
        let service = Service { tasks_desired: desired, ..service(3, minimum) };
        assert_eq!(is_stoppable(&stop(), &service), expected, "{desired} tasks at {minimum} %");
    }
}

#[test]
fn behind_a_load_balancer_only_with_the_tag() {
    assert!(is_stoppable(&stop(), &balanced(Some("stop"))));
    for tag in [None, Some("surge"), Some("Stop"), Some(""), Some("true")] {
        assert!(!is_stoppable(&stop(), &balanced(tag)), "{tag:?}");
    }
}

#[test]
fn an_unknown_word_in_the_tag_is_no_consent_anywhere() {
    let mut service = service(3, 50);
    service.tags.insert(STRATEGY_TAG.to_owned(), "stopp".to_owned());
    assert!(!is_stoppable(&stop(), &service));
}
