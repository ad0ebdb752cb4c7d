//! What is read from the environment, and what is refused.

use super::*;

fn settings(pairs: &[(&str, &str)]) -> Result<Settings, Error> {
    Settings::from_pairs(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
}

#[test]
fn defaults_are_those_of_the_table() {
    let settings = settings(&[("EVENKEEL_CLUSTERS", "web, batch"), ("PATH", "/bin")]).unwrap();
    assert_eq!(settings.clusters, Clusters::Named(vec!["web".to_owned(), "batch".to_owned()]));
    assert_eq!(settings.skew_threshold, Percent::new(30));
    assert_eq!(settings.move_timeout, Duration::from_mins(10));
    assert!(!settings.dry_run && settings.strategy == MoveStrategy::Surge);
}

#[test]
fn every_fault_is_named_in_one_error() {
    let pairs = [
        ("EVENKEEL_DRY_RUN", "yes"),
        ("EVENKEEL_SKEW_THRESHOLD", "-1"),
        ("EVENKEEL_COOLDOWN", "soon"),
        ("EVENKEEL_MOVE_STRATEGY", "Stop"),
        ("EVENKEEL_LIFECYCLE_HOOK", "my hook"),
        ("EVENKEEL_SKEW_TRESHOLD", "30"),
    ];
    let text = settings(&pairs).unwrap_err().to_string();
    for expected in [
        "EVENKEEL_CLUSTERS",
        "EVENKEEL_DRY_RUN",
        "'-1'",
        "'soon'",
        "'Stop'",
        "'my hook'",
        "EVENKEEL_SKEW_TRESHOLD",
    ] {
        assert!(text.contains(expected), "{expected} is missing in: {text}");
    }
}

#[test]
fn a_strategy_is_one_of_two_words() {
    let pairs = [("EVENKEEL_CLUSTERS", "*"), ("EVENKEEL_MOVE_STRATEGY", "stop")];
    assert_eq!(settings(&pairs).unwrap().strategy, MoveStrategy::Stop);
}

#[test]
fn a_star_stands_for_every_cluster() {
    assert_eq!(settings(&[("EVENKEEL_CLUSTERS", "*")]).unwrap().clusters, Clusters::All);
}

#[test]
fn a_command_is_held_to_the_same_bounds() {
    assert!(skew_threshold(-1).is_err() && skew_threshold(3000).is_err());
    assert_eq!(skew_threshold(30).unwrap(), Percent::new(30));
    assert!(max_moves(0).is_err());
}

#[test]
fn the_table_names_the_very_words_that_are_taken() {
    for setting in SETTINGS {
        let Takes::Words(words) = setting.takes else { continue };
        for word in words {
            settings(&[("EVENKEEL_CLUSTERS", "web"), (setting.name, word)]).unwrap();
        }
        let error = settings(&[("EVENKEEL_CLUSTERS", "web"), (setting.name, "neither")]).unwrap_err();
        let expected = format!("expected one of {}", words.join(", "));
        assert!(error.to_string().ends_with(&expected), "{error} {expected}");
    }
}

#[test]
fn what_lies_outside_of_its_bounds_is_refused_and_the_bounds_themselves_are_taken() {
    let given = |name, value: &str| settings(&[("EVENKEEL_CLUSTERS", "web"), (name, value)]);
    for setting in SETTINGS {
        match setting.takes {
            Takes::Number(least, most) => {
                assert!(given(setting.name, &least.to_string()).is_ok(), "{}", setting.name);
                assert!(given(setting.name, &most.to_string()).is_ok(), "{}", setting.name);
                let error = given(setting.name, &(most + 1).to_string()).unwrap_err().to_string();
                assert!(error.contains(setting.name), "{error}");
            }
            Takes::Duration(least, most) => {
                assert!(given(setting.name, least).is_ok(), "{}", setting.name);
                assert!(given(setting.name, most).is_ok(), "{}", setting.name);
                let error = given(setting.name, &format!("{most} 1ms")).unwrap_err().to_string();
                assert!(error.contains(setting.name), "{error}");
            }
            _ => {}
        }
    }
}
