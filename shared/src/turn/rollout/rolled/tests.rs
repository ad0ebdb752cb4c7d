//! Since when an instance of a group counts as empty: since the first of the looks that all found it so.

use super::*;
use crate::plan::rollout::testing::Scene;

fn failed() -> Error {
    let source = "connection reset".into();
    Error::Aws { operation: "DescribeTasks", resource: "g".to_owned(), source }
}

fn since(rolled: &Rolled) -> Option<Timestamp> {
    rolled.empty_since.get(&"i-a".into()).copied()
}

#[test]
fn after_a_turn_that_failed_it_counts_anew() {
    let mut scene = Scene::doubled(Phase::Drain);
    scene.empty("i-a");
    let mut rolled = Rolled::new("g".into());
    let first = scene.seen.observed_at;
    rolled.note_emptiness(&scene.seen);
    rolled.note(Ok(()));
    scene.seen.observed_at = first + Duration::from_secs(5);
    rolled.note_emptiness(&scene.seen);
    assert_eq!(since(&rolled), Some(first));
    rolled.note(Err(failed()));
    scene.seen.observed_at = first + Duration::from_mins(1);
    rolled.note_emptiness(&scene.seen);
    assert_eq!(since(&rolled), Some(first + Duration::from_mins(1)));
}

#[test]
fn after_a_look_that_found_a_task_it_counts_anew() {
    let mut scene = Scene::doubled(Phase::Drain);
    scene.empty("i-a");
    let mut rolled = Rolled::new("g".into());
    rolled.note_emptiness(&scene.seen);
    scene.registered("i-a").tasks_running = 1;
    rolled.note_emptiness(&scene.seen);
    assert_eq!(since(&rolled), None);
}
