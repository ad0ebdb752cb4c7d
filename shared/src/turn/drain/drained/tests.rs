//! Since when an instance counts as empty: since the first of the looks that all found it so.

use super::*;
use crate::plan::drain::empty::is_confirmed_empty;
use crate::plan::drain::record::Cause;
use crate::plan::drain::testing::Scene;
use crate::snapshot::TaskStatus;

/// Looks at an instance, each so many seconds after the first, with what happens between them.
struct Looks {
    drained: Drained,
    scene: Scene,
}

impl Looks {
    fn new() -> Self {
        Self { drained: Drained::found("i-a0".into()), scene: Scene::held(Cause::Hook) }
    }

    fn look(&mut self, seconds: u64) -> bool {
        let mut seen = self.scene.seen.clone();
        seen.observed_at = seen.observed_at + Duration::from_secs(seconds);
        self.drained.note_emptiness(&seen);
        self.drained.note(Ok(()));
        is_confirmed_empty(&self.drained.view(&seen, &self.scene.record, &self.scene.policy))
    }
}

#[test]
fn two_looks_that_found_it_empty_agree_once_they_are_far_enough_apart() {
    let mut looks = Looks::new();
    assert_eq!([0, 9, 10].map(|at| looks.look(at)), [false, false, true]);
}

#[test]
fn after_a_look_that_found_a_task_it_counts_anew() {
    let mut looks = Looks::new();
    assert!(!looks.look(0));
    let _ = looks.scene.task(true, TaskStatus::Running);
    assert!(!looks.look(30));
    looks.scene = Scene::held(Cause::Hook);
    assert_eq!([60, 69, 70].map(|at| looks.look(at)), [false, false, true]);
}

#[test]
fn after_a_look_that_failed_it_counts_anew() {
    let mut looks = Looks::new();
    assert!(!looks.look(0));
    let source = "connection reset".into();
    let failed = Error::Aws { operation: "DescribeTasks", resource: "i-a0".to_owned(), source };
    looks.drained.note(Err(failed));
    assert_eq!([60, 69, 70].map(|at| looks.look(at)), [false, false, true]);
}
