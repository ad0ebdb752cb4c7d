//! Events told apart, and faults named.

use serde_json::json;

use super::*;

fn read(event: Value) -> Result<Command, Error> {
    let settings = Settings::from_pairs([("EVENKEEL_CLUSTERS".to_owned(), "web".to_owned())]).unwrap();
    parse(event, "eu-west-1", &settings)
}

#[test]
fn nothing_in_particular_goes_on_with_everything() {
    for event in [json!({}), json!({"detail-type": "Scheduled Event"}), json!({"action": "resume"})] {
        assert_eq!(read(event).unwrap(), Command::Reconcile);
    }
}

#[test]
fn a_start_takes_its_terms_from_the_settings_unless_they_are_given() {
    let plain = json!({"action": "start", "autoScalingGroup": "web-asg", "cluster": "web"});
    let Command::Start { terms, dry_run, .. } = read(plain).unwrap() else { panic!() };
    let by_default =
        Terms { surge_percent: 100, canary: 0, bake_time: Duration::ZERO, selection: Selection::All };
    assert_eq!((terms, dry_run), (by_default, false));
    let given = json!({"action": "start", "autoScalingGroup": "web-asg", "cluster": "web", "dryRun": true,
        "surgePercent": 25, "bakeTime": "90s", "onlyIfDrifted": true});
    let Command::Start { terms, dry_run, .. } = read(given).unwrap() else { panic!() };
    let bake_time = Duration::from_secs(90);
    let asked = Terms { surge_percent: 25, canary: 0, bake_time, selection: Selection::Drifted };
    assert_eq!((terms, dry_run), (asked, true));
}

#[test]
fn the_other_actions_name_a_group() {
    let of = |action: &str| read(json!({"action": action, "autoScalingGroup": "g"})).unwrap();
    assert_eq!(of("status"), Command::Status("g".into()));
    assert_eq!(of("abort"), Command::Abort("g".into()));
    assert_eq!(of("resume"), Command::Resume("g".into()));
}

#[test]
fn every_fault_is_named() {
    let cases = [
        (json!({"action": "start"}), vec!["autoScalingGroup is missing", "cluster is missing"]),
        (json!({"action": "fly", "autoScalingGroup": "g"}), vec!["action is 'fly'"]),
        (json!({"autoScalingGroup": "g"}), vec!["action is missing"]),
        (json!({"action": "abort"}), vec!["autoScalingGroup is missing"]),
        (json!({"action": "abort", "autoScalingGroup": "g", "dryRun": true}), vec!["dryRun goes with"]),
        (
            json!({"action": "start", "autoScalingGroup": "", "cluster": "a b"}),
            vec!["no name of a group", "cluster"],
        ),
        (
            json!({"action": "start", "autoScalingGroup": "g", "cluster": "web", "surgePercent": 300, "bakeTime": "soon"}),
            vec!["surgePercent is 300", "bakeTime is 'soon'"],
        ),
        (json!({"action": "start", "group": "g"}), vec!["group"]),
        (json!({"detail-type": "Something Else"}), vec!["detail-type is 'Something Else'"]),
        (json!([]), vec!["event cannot be read"]),
    ];
    for (event, words) in cases {
        let error = read(event.clone()).unwrap_err().to_string();
        assert!(words.iter().all(|it| error.contains(it)), "{event}: {error}");
    }
}
