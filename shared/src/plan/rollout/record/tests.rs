//! The record survives its tag, and foreign text is none.

use proptest::prelude::*;

use super::*;
use crate::plan::rollout::phase::PHASES;

fn any_record() -> impl Strategy<Value = RolloutRecord> {
    let phase = (0..PHASES.len()).prop_map(|at| PHASES[at].phase);
    let moment = || (1_700_000_000_i64..1_900_000_000).prop_map(Timestamp::from_secs);
    let counts = (0..1_000u32, 0..5_000u32, 0..5_000u32, (0..5_000u32, 0..5_000u32, 0..9_999u32));
    let terms = (1..=100u32, 0..100u32, 0..86_400u64, any::<bool>());
    let forced = any::<bool>();
    let all = [
        Process::AZRebalance,
        Process::AlarmNotification,
        Process::ScheduledActions,
        Process::Launch,
        Process::Terminate,
    ];
    let suspended = proptest::sample::subsequence(all.to_vec(), 0..=5);
    let endings = <Ending as Word>::WORDS;
    let ending = proptest::option::of((0..endings.len()).prop_map(move |at| endings[at].0));
    let target = 0..10_000u64;
    (phase, moment(), moment(), counts, terms, suspended, target, (ending, forced)).prop_map(
        |(phase, started_at, since, counts, terms, suspended, target, (ending, is_forced))| {
            let (waves_done, wave_size, olds, (keep, max, raised_max)) = counts;
            let selection = if terms.3 { Selection::All } else { Selection::Drifted };
            let bake_time = Duration::from_secs(terms.2);
            let terms = Terms { surge_percent: terms.0, canary: terms.1, bake_time, selection };
            let suspended = suspended.into_iter().collect();
            RolloutRecord {
                phase,
                started_at,
                since,
                waves_done,
                wave_size,
                olds,
                keep,
                max,
                raised_max,
                suspended,
                terms,
                target,
                ending,
                is_forced,
            }
        },
    )
}

proptest! {
    #[test]
    fn a_record_survives_the_tag(record in any_record()) {
        let text = record.to_string();
        prop_assert!(text.len() <= 256);
        prop_assert_eq!(text.parse::<RolloutRecord>().unwrap(), record);
    }
}

#[test]
fn foreign_text_is_not_a_record() {
    let good = "1:drain:1767323045:1767323165:0:6:6:6/9/9:zas:100/0/0:7:all:-:-";
    assert!(good.parse::<RolloutRecord>().is_ok());
    for text in [
        "",
        "1",
        "2:drain:1767323045:1767323165:0:6:6:6/9/9:zas:100/0/0:7:all:-:-",
        "1:fly:1767323045:1767323165:0:6:6:6/9/9:zas:100/0/0:7:all:-:-",
        "1:drain:5:1767323165:0:6:6:6/9/9:zas:100/0/0:7:all:-:-",
        "1:drain:1767323045:1767323165:0:6:6:6/9:zas:100/0/0:7:all:-:-",
        "1:drain:1767323045:1767323165:0:6:6:6/9/9:zxs:100/0/0:7:all:-:-",
        "1:drain:1767323045:1767323165:0:6:6:6/9/9:zas:100/0/0:7:some:-:-",
        "1:drain:1767323045:1767323165:0:6:6:6/9/9:zas:100/0/0:7:all:bored:-",
        "1:drain:1767323045:1767323165:0:6:6:6/9/9:zas:100/0/0:7:all:-:-:more",
        "1:drain:1767323045:1767323165:0:6:6:6/9/9:azs:100/0/0:7:all:-:-",
        "1:drain:1767323045:1767323165:0:6:6:6/9/9:zaas:100/0/0:7:all:-:-",
        "1:drain:1767323045:1767323165:0:+6:6:6/9/9:zas:100/0/0:7:all:-:-",
        "1:drain:1767323045:1767323165:0:6:6:6/4294967295/9:zas:100/0/0:7:all:-:-",
        "1:drain:1767323045:1767323165:4294967295:6:6:6/9/9:zas:100/0/0:7:all:-:-",
        "1:drain:1767323045:1767323165:0:6:6:6/9/9:zas:0/0/0:7:all:-:-",
        "1:drain:1767323045:1767323165:0:6:6:6/9/9:zas:4294967295/0/0:7:all:-:-",
    ] {
        assert!(text.parse::<RolloutRecord>().is_err(), "{text}");
    }
}
