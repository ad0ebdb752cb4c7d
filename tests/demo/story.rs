//! What a person sees while the demo plays: bars before, each step as it happens, bars after.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;
use simulator::account::Happening;
use simulator::simulator::Simulator;
use simulator::timeline;

/// Introduces the cluster.
pub(crate) fn opening(simulator: &Simulator, seed: u64, multiple: f64) {
    println!(
        "A simulated ECS cluster in three zones. Instance i-c2 was lost to a Spot interruption and has come"
    );
    println!(
        "back; ECS had restarted its tasks elsewhere and never moves a running task. (seed {seed}, clock x{multiple})\n"
    );
    println!("{}", simulator.account(|account| timeline::bars(account, "web")));
    println!("Now EventBridge's schedule invokes the function. Every change, as it happens:\n");
}

/// Prints what happens until it is stopped.
pub(crate) async fn tell(simulator: Simulator) {
    let mut told = 0;
    loop {
        let news: Vec<Happening> = simulator.account(|account| account.happenings[told..].to_vec());
        told += news.len();
        let worth_telling: Vec<Happening> = news.into_iter().filter(is_worth_telling).collect();
        print!("{}", timeline::render(&worth_telling));
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Steady-state messages and the small steps of a task's life would hide the story.
fn is_worth_telling(happening: &Happening) -> bool {
    let boring = ["steady state", "PENDING", "ACTIVATING", "DEPROVISIONING", "registered", "initial"];
    boring.iter().all(|words| !happening.what.contains(words))
}

/// Shows the end, with each move and its reason as the function reported it.
pub(crate) fn closing(simulator: &Simulator, report: &Value) {
    println!("\nAfter:\n\n{}", simulator.account(|account| timeline::bars(account, "web")));
    println!("What the function reports:\n");
    let cluster = &report["clusters"][0];
    for service in array(&cluster["before"]) {
        let name = service["service"].as_str().unwrap_or_default();
        let after = array(&cluster["after"]).into_iter().find(|it| it["service"] == service["service"]);
        let after = after.map_or(Value::Null, |it| it["skew"].clone());
        println!(
            "  {name}: skew {} % -> {after} %, best reachable {} %, moves needed {}",
            service["skew"], service["bestReachableSkew"], service["lowerBound"]
        );
    }
    let mut left_alone: BTreeMap<&str, &str> = BTreeMap::new();
    for line in report["blocked"].as_array().into_iter().flatten() {
        let sentence = line["sentence"].as_str().unwrap_or_default();
        left_alone.insert(sentence, sentence);
    }
    println!("\n  left alone, and why:");
    for sentence in left_alone.keys() {
        println!("  - {sentence}");
    }
    println!("\n  status: {}", report["status"].as_str().unwrap_or_default());
}

fn array(value: &Value) -> Vec<Value> {
    value.as_array().cloned().unwrap_or_default()
}
