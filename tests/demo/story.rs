//! What a person sees while the demo plays: bars before, each step as it happens, bars after.

use std::collections::BTreeMap;
use std::time::Duration;

use evenkeel::plan::record::MoveRecord;
use serde_json::Value;
use simulator::account::Happening;
use simulator::simulator::Simulator;
use simulator::timeline;

/// Introduces the cluster.
pub(crate) fn opening(simulator: &Simulator, seed: u64, multiple: f64) {
    println!("A simulated ECS cluster in three zones. Instance i-c2 was lost to a Spot interruption and is");
    println!(
        "back; ECS had restarted its tasks elsewhere, and never moves a running task. The percentage is"
    );
    println!("the CPU reserved on an instance; \"singles\" are services of one task each.");
    println!("(seed {seed}, clock x{multiple})\n");
    println!("{}", simulator.account(|account| timeline::bars(account, "web")));
    println!("Now EventBridge's schedule invokes the function. It looks twice, 30 s apart, before it");
    println!("touches anything. Every change, as it happens:\n");
}

/// Prints what happens until it is stopped.
pub(crate) async fn tell(simulator: Simulator) {
    tell_as(simulator, retold).await;
}

/// The same in an act's own choice and words.
pub(crate) async fn tell_as(simulator: Simulator, retold: fn(Vec<Happening>) -> Vec<Happening>) {
    let mut told = 0;
    loop {
        let news: Vec<Happening> = simulator.account(|account| account.happenings[told..].to_vec());
        told += news.len();
        print!("{}", timeline::render(&retold(news)));
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// The same happenings as a person would tell them: who did what to which service, alike ones together.
fn retold(news: Vec<Happening>) -> Vec<Happening> {
    let mut lines: Vec<(Happening, u32)> = Vec::new();
    for mut happening in news.into_iter().filter(is_worth_telling) {
        if happening.actor == "api" {
            "evenkeel".clone_into(&mut happening.actor);
            happening.what = in_words(&happening.what);
            happening.subject.truncate(happening.subject.find('/').unwrap_or(happening.subject.len()));
        }
        match lines.last_mut() {
            Some((last, count)) if is_alike(last, &happening) => *count += 1,
            _ => lines.push((happening, 1)),
        }
    }
    lines.into_iter().map(|(happening, count)| counted(happening, count)).collect()
}

fn is_alike(one: &Happening, other: &Happening) -> bool {
    (&one.actor, &one.subject, &one.what) == (&other.actor, &other.subject, &other.what)
}

fn counted(mut happening: Happening, count: u32) -> Happening {
    if count > 1 {
        happening.what = format!("{} ({count} tasks)", happening.what);
    }
    happening
}

/// Steady-state messages and the small steps of a task's life would hide the story, and what the scheduler says twice
/// is told once.
fn is_worth_telling(happening: &Happening) -> bool {
    let boring =
        ["steady state", "PENDING", "ACTIVATING", "DEPROVISIONING", "registered", "initial", "has started"];
    let twice = ["has stopped", "has begun draining"];
    boring.iter().chain(&twice).all(|words| !happening.what.contains(words))
}

/// The record of a move, as its phase means it.
fn in_words(what: &str) -> String {
    let Some(record) =
        what.strip_prefix("tagged evenkeel:move=").and_then(|it| it.parse::<MoveRecord>().ok())
    else {
        return what.replace("untagged evenkeel:move", "record removed: the move is over");
    };
    let chosen = tail(&record.chosen);
    match record.phase.word() {
        "guard" => format!("record: task-{chosen} is to move; protect all others"),
        "raise" => format!("record: start one more (of at most {})", record.starts_max),
        "lower" => {
            format!("record: task-{} is healthy, task-{chosen} may go", tail(&record.new.unwrap_or_default()))
        }
        "settle" => "record: count is back, take protections off".to_owned(),
        other => format!("record: {other}"),
    }
}

fn tail(id: &str) -> String {
    id.chars().skip(id.len().saturating_sub(6)).collect()
}

/// Shows the end, with each move and its reason as the function reported it.
pub(crate) fn closing(simulator: &Simulator, report: &Value) {
    println!("\nAfter:\n\n{}", simulator.account(|account| timeline::bars(account, "web")));
    println!("What the function reports (status {}):\n", report["status"]);
    let cluster = &report["clusters"][0];
    for step in array(&cluster["planned"]) {
        let text = |name: &str| step[name].as_str().unwrap_or_default().to_owned();
        println!("  moved a task of {}: {}", text("service"), text("because"));
    }
    println!();
    for service in array(&cluster["before"]) {
        let after = array(&cluster["after"]).into_iter().find(|it| it["service"] == service["service"]);
        let after = after.map_or(Value::Null, |it| it["skew"].clone());
        let name = service["service"].as_str().unwrap_or_default();
        let (before, best) = (&service["skew"], &service["bestReachableSkew"]);
        println!("  {name}: skew {before} % -> {after} %, best reachable {best} %");
    }
    tell_load(cluster);
    println!("\n  left alone, and why:");
    for (reason, subjects) in left_alone(report) {
        let subjects =
            if subjects.len() > 3 { format!("{} services", subjects.len()) } else { subjects.join(", ") };
        println!("  - {subjects}: {reason}");
    }
}

/// The second layer: the load of the instances, and what any number of moves would reach.
fn tell_load(cluster: &Value) {
    for group in array(&cluster["loadAfter"]) {
        let before = array(&cluster["loadBefore"]).into_iter().find(|it| it["zone"] == group["zone"]);
        let before = before.map_or(Value::Null, |it| it["skew"].clone());
        println!("  load of the instances: skew {before} % -> {} %", group["skew"]);
    }
    println!("\n  the plan may be cut after any move; skew after so many:");
    for (title, name) in
        [("moves", "moves"), ("worst service %", "serviceSkew"), ("instances %", "clusterSkew")]
    {
        let points = array(&cluster["curve"]);
        let points: Vec<String> =
            points.iter().map(|point| format!("{:>5}", point[name].to_string())).collect();
        println!("  {title:<16}{}", points.concat());
    }
}

/// Subjects by reason, alike ones together.
fn left_alone(report: &Value) -> BTreeMap<String, Vec<String>> {
    let mut reasons: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for line in array(&report["blocked"]) {
        let sentence = line["sentence"].as_str().unwrap_or_default();
        if let Some((subject, reason)) = sentence.split_once(": ") {
            reasons.entry(reason.to_owned()).or_default().push(subject.to_owned());
        }
    }
    reasons
}

fn array(value: &Value) -> Vec<Value> {
    value.as_array().cloned().unwrap_or_default()
}
