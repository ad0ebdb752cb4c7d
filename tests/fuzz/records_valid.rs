//! Every record that Evenkeel may write, with the marks beside them.

use std::time::Duration;

use evenkeel::plan::drain::record::{Cause, DrainRecord};
use evenkeel::plan::record::{MoveRecord, Phase};
use evenkeel::plan::rest::{Miss, Rest};
use evenkeel::plan::rollout::phase::PHASES;
use evenkeel::plan::rollout::record::{Ending, Process, RolloutRecord, Selection, Terms};
use evenkeel::timestamp::Timestamp;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

/// A whole second from the first years of ECS to the end of the century: what a record can say.
fn second() -> impl Strategy<Value = Timestamp> {
    (1_420_000_000..4_102_444_800_i64).prop_map(Timestamp::from_secs)
}

fn miss() -> impl Strategy<Value = Miss> {
    select(vec![Miss::Landing, Miss::Unhealthy, Miss::Placement, Miss::Timeout])
}

/// Ids of tasks are 32 hexadecimal digits, and were UUIDs before.
fn task() -> impl Strategy<Value = String> {
    prop_oneof!["[0-9a-f]{32}", "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"]
}

pub(crate) fn moves() -> impl Strategy<Value = MoveRecord> {
    let phases = vec![
        Phase::Guard,
        Phase::Raise,
        Phase::Lower,
        Phase::Undo,
        Phase::Yield,
        Phase::Settle,
        Phase::Undone,
        Phase::Yielded,
        Phase::Stop,
    ];
    let starts = (0..=20_u32, 0..=20_u32);
    let counts = (0..=5_000_u32, starts, 0..1_000_000_u32, 1..=2880_u32);
    let tasks = (task(), option::of(task()));
    (select(phases), counts, tasks, second(), option::of(miss())).prop_map(
        |(
            phase,
            (before, (starts, more), sequence, protection_minutes),
            (chosen, new),
            started_at,
            missed,
        )| {
            MoveRecord {
                phase,
                tasks_desired_before: before,
                starts,
                starts_max: starts + more,
                sequence,
                chosen,
                new,
                started_at,
                protection_minutes,
                missed,
            }
        },
    )
}

pub(crate) fn rests() -> impl Strategy<Value = Rest> {
    (1..=1_000_000_u32, second(), miss(), second()).prop_map(|(misses, until, observed, move_started_at)| {
        Rest { misses, until, observed, move_started_at }
    })
}

pub(crate) fn drains() -> impl Strategy<Value = DrainRecord> {
    let causes =
        [Cause::Manual, Cause::Recommendation, Cause::Hook, Cause::Stop, Cause::Hibernate, Cause::Terminate];
    (select(causes.to_vec()), second(), option::of(second()))
        .prop_map(|(cause, noticed_at, deadline)| DrainRecord { cause, noticed_at, deadline, asked: None })
}

fn terms() -> impl Strategy<Value = Terms> {
    (1..=100_u32, 0..=100_u32, 0..=86_400_u64, any::<bool>()).prop_map(
        |(surge_percent, canary, bake, all)| {
            let bake_time = Duration::from_secs(bake);
            let selection = if all { Selection::All } else { Selection::Drifted };
            Terms { surge_percent, canary, bake_time, selection }
        },
    )
}

fn ending() -> impl Strategy<Value = Ending> {
    select(vec![
        Ending::Aborted,
        Ending::LaunchTimeout,
        Ending::DrainTimeout,
        Ending::GateTimeout,
        Ending::RolloutTimeout,
        Ending::CannotTell,
    ])
}

pub(crate) fn rollouts() -> impl Strategy<Value = RolloutRecord> {
    let phase = select(PHASES.iter().map(|line| line.phase).collect::<Vec<_>>());
    let counts = (0..=1000_u32, 0..=5000_u32, 0..=5000_u32);
    let sizes = (0..=5000_u32, 0..=5000_u32, 0..=10_000_u32);
    let processes = [Process::FORWARD.to_vec(), Process::BACK.to_vec()].concat();
    let asked = (subsequence(processes, 0..=5), terms(), 0..=i64::MAX.unsigned_abs());
    (phase, (second(), second()), counts, sizes, asked, option::of(ending()), any::<bool>()).prop_map(
        |(phase, moments, counts, sizes, (suspended, terms, target), ending, is_forced)| RolloutRecord {
            phase,
            started_at: moments.0,
            since: moments.1,
            waves_done: counts.0,
            wave_size: counts.1,
            olds: counts.2,
            keep: sizes.0,
            max: sizes.1,
            raised_max: sizes.2,
            suspended: suspended.into_iter().collect(),
            terms,
            target,
            ending,
            is_forced,
        },
    )
}
