//! Which targets speak for a task.

use super::*;
use crate::ids::TargetGroupArn;
use crate::plan::testing::cluster;

#[test]
fn behind_a_load_balancer_only_a_healthy_target_of_its_own_counts() {
    let health = |targets: &[(&str, bool)]| {
        let mut cluster = cluster(&[&[1]]);
        let group: TargetGroupArn = "group".into();
        let (container_name, container_port) = ("web".to_owned(), 80);
        let target_group = Some(group.clone());
        cluster.web().load_balancers.push(LoadBalancer { target_group, container_name, container_port });
        cluster.task(0).private_ips = vec!["10.0.0.1".to_owned()];
        let target = |(id, is_healthy): &(&str, bool)| Target {
            id: (*id).to_owned(),
            port: 80,
            is_healthy: *is_healthy,
        };
        let targets = targets.iter().map(target).collect();
        cluster.0.target_health.insert(group, Known::Known(targets));
        let task = cluster.task(0).clone();
        let service = cluster.web().clone();
        health_of(&cluster.0, &service, &task, Duration::from_secs(40))
    };
    assert_eq!(health(&[("10.0.0.1", true)]), Health::Healthy);
    assert_eq!(health(&[("10.0.0.1", false)]), Health::NotHealthy, "registered is not enough");
    assert_eq!(health(&[("10.0.0.2", true)]), Health::NotHealthy, "another's says nothing");
    assert_eq!(health(&[]), Health::NotHealthy);
}
