//! Settings from any environment: every faulty variable named in one error, every right one in its own place.

use std::collections::BTreeSet;
use std::time::Duration;

use evenkeel::error::Error;
use evenkeel::settings::{SETTINGS, Setting, Settings, Takes};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use crate::text::odd_text;

/// What one variable holds, and whether that is right.
type Given = (&'static str, String, bool);

fn millis(written: &str) -> u64 {
    let span = humantime::parse_duration(written).expect("the table's bounds are durations");
    u64::try_from(span.as_millis()).expect("bounds are short")
}

fn right(setting: &'static Setting) -> BoxedStrategy<String> {
    match setting.takes {
        Takes::Clusters => "[A-Za-z0-9_-]{1,30}( ?, ?[A-Za-z0-9_-]{1,30}){0,3},?|\\*".boxed(),
        Takes::Flag => select(vec!["true", "false", " true "]).prop_map(str::to_owned).boxed(),
        Takes::HookName => "[A-Za-z0-9/_-]{1,255}".boxed(),
        Takes::Words(words) => select(words.to_vec()).prop_map(str::to_owned).boxed(),
        Takes::Number(least, most) => (least..=most).prop_map(|it| it.to_string()).boxed(),
        Takes::Duration(least, most) => (millis(least)..=millis(most))
            .prop_map(|it| humantime::format_duration(Duration::from_millis(it)).to_string())
            .boxed(),
    }
}

/// Text that is right by chance, as `007` is a number, is neither here nor there.
fn wrong(setting: &'static Setting) -> BoxedStrategy<String> {
    let is_duration = |text: &str| humantime::parse_duration(text.trim()).is_ok();
    let is_of_hook = |c: char| c.is_ascii_alphanumeric() || "-_/".contains(c);
    match setting.takes {
        Takes::Clusters => select(vec!["", " ", ",", " , ,"]).prop_map(str::to_owned).boxed(),
        Takes::Flag => {
            odd_text().prop_filter("no flag", |it| !["true", "false"].contains(&it.trim())).boxed()
        }
        Takes::HookName => {
            odd_text().prop_filter("odd", move |it| !it.trim().chars().all(is_of_hook)).boxed()
        }
        Takes::Words(words) => odd_text().prop_filter("no word", |it| !words.contains(&it.trim())).boxed(),
        Takes::Number(least, most) => prop_oneof![
            odd_text().prop_filter("no number", |it| it.trim().parse::<u32>().is_err()),
            any::<i64>()
                .prop_filter("outside", move |it| !(i64::from(least)..=i64::from(most)).contains(it))
                .prop_map(|it| it.to_string()),
        ]
        .boxed(),
        Takes::Duration(least, most) => prop_oneof![
            odd_text().prop_filter("no duration", move |it| !is_duration(it)),
            (0..=u64::MAX)
                .prop_filter("outside", move |it| !(millis(least)..=millis(most)).contains(it))
                .prop_map(|it| format!("{it}ms")),
            (u64::MAX - 9..=u64::MAX, select(vec!["s", "m", "h", "d", "y"]))
                .prop_map(|(count, unit)| format!("{count}{unit}")),
        ]
        .boxed(),
    }
}

fn given(setting: &'static Setting) -> BoxedStrategy<Given> {
    let right = right(setting).prop_map(|text| (setting.name, text, true));
    let wrong = wrong(setting).prop_map(|text| (setting.name, text, false));
    prop_oneof![3 => right, 1 => wrong].boxed()
}

/// Each variable given or not; the one that is required always is.
fn environment() -> impl Strategy<Value = Vec<Given>> {
    let each = SETTINGS.iter().map(|setting| match setting.takes {
        Takes::Clusters => given(setting).prop_map(Some).boxed(),
        _ => option::of(given(setting)).boxed(),
    });
    each.collect::<Vec<_>>().prop_map(|all| all.into_iter().flatten().collect())
}

fn right_environment() -> impl Strategy<Value = Vec<Given>> {
    let each = |setting: &'static Setting| right(setting).prop_map(|text| (setting.name, text, true)).boxed();
    SETTINGS.iter().map(each).collect::<Vec<_>>()
}

fn read(given: &[Given]) -> Result<Settings, Error> {
    Settings::from_pairs(given.iter().map(|(name, text, _)| ((*name).to_owned(), text.clone())))
}

fn faults(result: Result<Settings, Error>) -> Result<Vec<(String, String)>, TestCaseError> {
    match result {
        Ok(_) => Ok(Vec::new()),
        Err(Error::Settings(faults)) => Ok(faults.into_iter().map(|it| (it.at, it.what)).collect()),
        Err(other) => Err(TestCaseError::fail(other.to_string())),
    }
}

fn duration_of(settings: &Settings, name: &str) -> Option<Duration> {
    Some(match name {
        "EVENKEEL_POLL_INTERVAL" => settings.poll_interval,
        "EVENKEEL_MOVE_TIMEOUT" => settings.move_timeout,
        "EVENKEEL_WARM_UP" => settings.warm_up,
        "EVENKEEL_COOLDOWN" => settings.cooldown,
        "EVENKEEL_CONFIRM_AFTER" => settings.confirm_after,
        "EVENKEEL_HEALTHY_AFTER" => settings.healthy_after,
        "EVENKEEL_HOOK_TIMEOUT" => settings.hook_timeout,
        "EVENKEEL_EMPTY_AFTER" => settings.empty_after,
        "EVENKEEL_SPOT_NOTICE" => settings.spot_notice,
        "EVENKEEL_LAUNCH_TIMEOUT" => settings.launch_timeout,
        "EVENKEEL_DRAIN_TIMEOUT" => settings.drain_timeout,
        "EVENKEEL_BAKE_TIME" => settings.bake_time,
        "EVENKEEL_ROLLOUT_TIMEOUT" => settings.rollout_timeout,
        _ => return None,
    })
}

fn number_of(settings: &Settings, name: &str) -> Option<u32> {
    Some(match name {
        "EVENKEEL_SKEW_THRESHOLD" => settings.skew_threshold.get(),
        "EVENKEEL_MAX_MOVES" => settings.max_moves,
        "EVENKEEL_SURGE_PERCENT" => settings.surge_percent,
        "EVENKEEL_CANARY" => settings.canary,
        _ => return None,
    })
}

fn is_in_its_place(settings: &Settings, name: &str, text: &str) -> bool {
    let takes = SETTINGS.iter().find(|it| it.name == name).map(|it| it.takes);
    match takes {
        Some(Takes::Number(..)) => number_of(settings, name) == text.parse().ok(),
        Some(Takes::Duration(..)) => duration_of(settings, name) == humantime::parse_duration(text).ok(),
        Some(Takes::HookName) => settings.lifecycle_hook == text,
        Some(Takes::Flag) => settings.dry_run == (text.trim() == "true"),
        _ => true,
    }
}

proptest! {
    #![proptest_config(crate::cases())]

    #[test]
    fn every_faulty_variable_is_named_and_no_other(given in environment()) {
        let wrong: BTreeSet<String> =
            given.iter().filter(|(.., is_right)| !is_right).map(|(name, ..)| (*name).to_owned()).collect();
        let named = faults(read(&given))?;
        prop_assert!(named.iter().all(|(_, what)| !what.trim().is_empty()));
        prop_assert_eq!(named.iter().map(|(at, _)| at.clone()).collect::<BTreeSet<_>>(), wrong);
        prop_assert_eq!(named.iter().map(|(at, _)| at).collect::<BTreeSet<_>>().len(), named.len(), "once each");
    }

    #[test]
    fn what_is_within_bounds_is_taken_and_lands_in_its_own_place(given in right_environment()) {
        let settings = read(&given).map_err(|error| TestCaseError::fail(error.to_string()))?;
        for (name, text, _) in &given {
            prop_assert!(is_in_its_place(&settings, name, text), "{name} is '{text}', not in {settings:?}");
        }
    }

    #[test]
    fn any_text_in_any_variable_is_taken_or_named(name in select(SETTINGS.to_vec()), text in odd_text()) {
        let pairs = [("EVENKEEL_CLUSTERS", "web", true), (name.name, &text, true)];
        let pairs = pairs.map(|(name, text, is_right)| (name, text.to_owned(), is_right));
        for (at, what) in faults(read(&pairs))? {
            prop_assert_eq!(&at, name.name);
            prop_assert!(what.contains(text.trim()) || at == "EVENKEEL_CLUSTERS", "{}", what);
        }
    }

    #[test]
    fn a_name_that_is_not_in_the_table_is_refused_if_it_looks_like_ours(name in odd_text(), value in odd_text()) {
        let ours = format!("EVENKEEL_{name}");
        prop_assume!(SETTINGS.iter().all(|it| it.name != ours));
        let given = |name: &str| {
            let pairs = [("EVENKEEL_CLUSTERS", "web"), (name, value.as_str())];
            Settings::from_pairs(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())))
        };
        let named = faults(given(&ours))?;
        prop_assert_eq!(named.into_iter().map(|(at, _)| at).collect::<Vec<_>>(), vec![ours]);
        prop_assert!(name.starts_with("EVENKEEL_") || given(&name).is_ok());
    }
}

/// A process may be started with any bytes in its environment.
#[cfg(unix)]
#[test]
fn a_value_that_is_no_text_is_a_fault_and_no_panic() {
    use std::ffi::OsString;
    use std::os::unix::ffi::OsStringExt;
    let pair = |name: &str, value: &[u8]| (OsString::from(name), OsString::from_vec(value.to_vec()));
    let faulty =
        [pair("EVENKEEL_CLUSTERS", b"web"), pair("EVENKEEL_COOLDOWN", b"5\xffs"), pair("OTHER", b"\xff")];
    let error = Settings::from_pairs(faulty).unwrap_err().to_string();
    assert!(error.contains("EVENKEEL_COOLDOWN is '5\u{fffd}s', which is no UTF-8"), "{error}");
    assert!(Settings::from_pairs([pair("EVENKEEL_CLUSTERS", b"web"), pair("OTHER", b"\xff")]).is_ok());
}
