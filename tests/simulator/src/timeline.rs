//! Text pictures of a run: what happened, and how the tasks lie on the instances.
//!
//! `render` writes one line for each happening, in four columns: time of day in UTC (8 characters), actor
//! (14), subject (22), and what happened. `bars` writes one line for each container instance, grouped by
//! zone, at most 80 wide: id, a block for each task with the service's count, and the share of CPU in use.
//! Both are byte for byte the same for the same account.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::account::{
    Account, Cluster, ContainerInstance, ContainerInstanceStatus, Happening, Task, TaskStatus,
};
use crate::placement;
use crate::time::SimTime;

/// Width no line of `bars` passes.
const WIDTH: usize = 80;

/// One line for each happening, oldest first.
pub fn render(happenings: &[Happening]) -> String {
    let mut text = String::new();
    for happening in happenings {
        let Happening { at, actor, subject, what } = happening;
        let _ = writeln!(text, "{}  {actor:<14}  {subject:<22}  {what}", clock(*at));
    }
    text
}

fn clock(at: SimTime) -> String {
    let seconds = at.0.div_euclid(1000).rem_euclid(86_400);
    format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// A task in short: its service or family, and the end of its id.
pub fn short(task: &Task) -> String {
    let name = task.group.split_once(':').map_or(task.group.as_str(), |(_, name)| name);
    let tail = task.arn.len().saturating_sub(6);
    format!("{name}/task-{}", task.arn.get(tail..).unwrap_or(&task.arn))
}

/// How the tasks of a cluster lie on its instances now.
pub fn bars(account: &Account, cluster: &str) -> String {
    let Some(cluster) = account.clusters.get(cluster) else { return String::new() };
    let mut by_zone: BTreeMap<&str, Vec<&ContainerInstance>> = BTreeMap::new();
    for instance in cluster.container_instances.values() {
        by_zone.entry(instance.zone()).or_default().push(instance);
    }
    let mut text = String::new();
    for (zone, mut instances) in by_zone {
        instances.sort_by_key(|instance| &instance.ec2_instance_id);
        let _ = writeln!(text, "{zone}");
        for instance in instances {
            let _ = writeln!(text, "{}", bar(account, cluster, instance));
        }
    }
    text
}

fn bar(account: &Account, cluster: &Cluster, instance: &ContainerInstance) -> String {
    let used = instance.cpu.saturating_sub(placement::remaining(account, &cluster.name, &instance.arn).cpu);
    let share = used * 100 / instance.cpu.max(1);
    let end = format!(" {share:>3}%");
    let mut line = format!("  {:<20}{} ", cut(&instance.ec2_instance_id, 20), mark(instance));
    for (name, count) in counts(cluster, instance) {
        let _ = write!(line, " {name} {} {count}", "█".repeat(count.min(12)));
    }
    let room = WIDTH - end.chars().count();
    format!("{:<room$}{end}", cut(&line, room))
}

/// The services of one task each, which are shown together.
const SINGLES: &str = "singles";

/// Nothing for an instance that takes tasks, else a letter: D draining, X inactive, ? agent not connected.
fn mark(instance: &ContainerInstance) -> char {
    match (instance.status, instance.agent_connected) {
        (ContainerInstanceStatus::Draining, _) => 'D',
        (ContainerInstanceStatus::Active, true) => ' ',
        (ContainerInstanceStatus::Active, false) => '?',
        _ => 'X',
    }
}

fn counts<'a>(cluster: &'a Cluster, instance: &ContainerInstance) -> BTreeMap<&'a str, usize> {
    let mut counts = BTreeMap::new();
    for task in cluster.tasks.values() {
        let here = task.container_instance.as_ref() == Some(&instance.arn);
        if here && task.last_status != TaskStatus::Stopped {
            let name = task.group.split_once(':').map_or(task.group.as_str(), |(_, name)| name);
            let is_single = cluster.services.get(name).is_some_and(|service| service.desired_count == 1);
            let name = if is_single { SINGLES } else { name };
            *counts.entry(name).or_default() += 1;
        }
    }
    counts
}

fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let kept: String = text.chars().take(width - 1).collect();
    format!("{kept}…")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::builder::AccountBuilder;
    use crate::scheduler::Engine;

    fn account(seed: u64) -> Account {
        AccountBuilder::new(seed)
            .cluster("web")
            .instance("i-a1", "eu-west-1a", |i| i.cpu(1024))
            .instance("i-b1", "eu-west-1b", |i| i.cpu(1024))
            .task_definition("web", |t| t.cpu(256))
            .service("web", |s| s.on(&["i-a1", "i-a1", "i-b1"]).desired(6).spread_zone())
            .build()
    }

    #[test]
    fn the_same_seed_gives_the_same_bytes() {
        let run = |seed| {
            let mut account = account(seed);
            let until = account.now + Duration::from_mins(30);
            Engine::new(seed).flapping(5).advance(&mut account, until, &mut |_| ());
            render(&account.happenings)
        };
        assert_eq!(run(11), run(11));
        assert_ne!(run(11), run(12));
    }

    #[test]
    fn columns_are_as_the_header_says() {
        let mut account = account(1);
        crate::scheduler::events::note(&mut account, "api", "web", "StopTask");
        let text = render(&account.happenings);
        assert!(text.ends_with("03:04:05  api             web                     StopTask\n"), "{text}");
    }

    #[test]
    fn bars_show_instances_by_zone_within_eighty_columns() {
        let text = bars(&account(1), "web");
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines.len(), 4);
        assert!(lines[1].starts_with("  i-a1                   web ██ 2"), "{text}");
        assert!(lines[1].ends_with(" 50%"), "{text}");
        assert!(lines.iter().all(|line| line.chars().count() <= WIDTH));
    }
}
