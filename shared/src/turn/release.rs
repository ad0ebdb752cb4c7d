//! The command `release`: everything of Evenkeel's on a cluster is undone, and nothing is begun.
//!
//! Moves go the way a pause sends them, by the same steps as ever: what has not proved itself is undone, what has is
//! finished, since that is its safe end. Tags that no move needs any more are removed once no move is left that could
//! write them again, and the work ends with a look that finds nothing.

use std::collections::{BTreeMap, BTreeSet};

use crate::error::Error;
use crate::execute::{Execute, execute_surge_on};
use crate::ids::ServiceName;
use crate::observe;
use crate::plan::reason::{Blocked, Reason, Subject, SubjectKind};
use crate::plan::record::{MOVE_TAG, MoveRecord, SURGE_OFF_TAG};
use crate::plan::rest::REST_TAG;
use crate::plan::trace::{Trace, traces};
use crate::report::{Action, ActionOutcome};
use crate::snapshot::{ClusterSnapshot, Known, UnreadableKind};

use super::{Memory, Rebalance, Turn, is_stale_read};

/// In so many turns on end something may stay unread, or a tag refuse to go, until the work is given up: AWS's hiccups
/// are over by then, and a missing permission is not.
const TURNS_HELD_UP: u32 = 5;

impl Rebalance<'_> {
    /// Runs one turn of a release.
    pub(super) async fn release(&self, memory: &mut Memory) -> Result<Turn, Error> {
        let mut snapshot = observe::cluster(self.aws, &self.cluster).await?;
        let in_flight: BTreeSet<ServiceName> = super::records(&snapshot).into_keys().collect();
        let definitions = &mut memory.definitions;
        observe::details(self.aws, &mut snapshot, &BTreeSet::new(), &in_flight, definitions).await;
        observe::cluster_tags(self.aws, &mut snapshot).await;
        let found = traces(&snapshot);
        memory.note_found(&found, &snapshot);

        let mut blocked = self.go_on_with_moves(&snapshot, &moves(&found), memory).await;
        let is_moving = !moves(&found).is_empty() || blocked.iter().any(is_stale_read);
        let unread = self.unread(&snapshot);
        let is_removed = self.remove(&found, is_moving, &snapshot, memory).await;
        let is_held_up = !unread.is_empty() || !is_removed;
        blocked.extend(unread);

        memory.moves.in_flight = moves(&found).len() as u32;
        memory.turns_held_up = if is_held_up { memory.turns_held_up + 1 } else { 0 };
        let is_open = is_moving || is_held_up || !found.is_empty();
        let goes_on = !self.dry_run && is_open && (is_moving || memory.turns_held_up < TURNS_HELD_UP);
        Ok(Turn { goes_on, blocked, planned: Vec::new(), is_held_up, is_obstructed: false })
    }

    /// What may carry something of ours and could not be looked at.
    fn unread(&self, snapshot: &ClusterSnapshot) -> Vec<Blocked> {
        let services = snapshot.unknown.iter().filter(|unknown| unknown.kind == UnreadableKind::Service);
        let mut unread: Vec<Blocked> = services
            .map(|it| {
                let what = format!("whether it carries anything of Evenkeel's: {}", it.reason);
                Subject::new(SubjectKind::Service, &it.arn).blocked(Reason::CannotTell { what })
            })
            .collect();
        if let Known::Unknown(why) = &snapshot.tags {
            let what = format!("whether it carries anything of Evenkeel's: {why}");
            let subject = Subject::new(SubjectKind::Cluster, &self.cluster);
            unread.push(subject.blocked(Reason::CannotTell { what }));
        }
        unread
    }

    /// Removes the tags that no move needs: of a service once it has no move, of the cluster once no service has one.
    /// Says whether all of them went.
    async fn remove(
        &self,
        found: &[Trace],
        is_moving: bool,
        snapshot: &ClusterSnapshot,
        memory: &mut Memory,
    ) -> bool {
        let moves = moves(found);
        let mut is_all_done = true;
        for trace in found {
            let is_needed = match trace {
                Trace::Move(..) => true,
                Trace::Rest(service) => moves.contains_key(service),
                Trace::SurgeOff => is_moving,
                Trace::UnreadableMove(_) => false,
            };
            if !is_needed && let Some(action) = self.remove_one(trace, snapshot).await {
                is_all_done &= action.outcome.is_accepted();
                memory.actions.push(action);
            }
        }
        is_all_done
    }

    async fn remove_one(&self, trace: &Trace, snapshot: &ClusterSnapshot) -> Option<Action> {
        let why = || "released by command".to_owned();
        if self.dry_run {
            let (resource, key) = trace.place(snapshot);
            let (at, cluster) = (self.aws.now(), self.cluster.clone());
            let why = format!("{key} is to be {}", why());
            let outcome = ActionOutcome::Planned;
            return Some(Action { at, cluster, operation: "UntagResource", resource, why, outcome });
        }
        let (service, key) = match trace {
            Trace::Move(..) => return None,
            Trace::UnreadableMove(service) => (service, MOVE_TAG),
            Trace::Rest(service) => (service, REST_TAG),
            Trace::SurgeOff => {
                let seen = snapshot.tags.known().and_then(|tags| tags.get(SURGE_OFF_TAG));
                return Some(execute_surge_on(self.aws, &self.cluster, seen).await);
            }
        };
        let service = snapshot.services.get(service)?;
        let execute = Execute { aws: self.aws, snapshot, service, record: None };
        Some(execute.execute_untag(key, format!("{key} is {}", why())).await)
    }
}

/// The moves among what was found, as the records of a turn.
fn moves(found: &[Trace]) -> BTreeMap<ServiceName, Option<MoveRecord>> {
    let of = |trace: &Trace| match trace {
        Trace::Move(service, record) => Some((service.clone(), Some(record.clone()))),
        Trace::UnreadableMove(_) | Trace::Rest(_) | Trace::SurgeOff => None,
    };
    found.iter().filter_map(of).collect()
}
