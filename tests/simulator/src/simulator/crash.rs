//! A caller that dies in the middle of its work: its call gets no answer, and neither does any later one.
//!
//! A future that never completes is what a killed process looks like from inside it. The test waits for
//! `killed` beside the handler and drops the handler when that comes.

use std::collections::BTreeSet;

/// Number of one HTTP client, so that only the client that was killed stays dead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ClientId(pub(crate) u64);

/// Whether the call at which the caller dies still takes effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Moment {
    BeforeEffect,
    AfterEffect,
}

/// Which call kills its caller, and who is dead already.
#[derive(Debug, Default)]
pub(super) struct Crash {
    armed: Option<(u64, Moment)>,
    dead: BTreeSet<ClientId>,
}

impl Crash {
    /// The call with this number will kill its caller.
    pub(super) fn arm(&mut self, call: u64, moment: Moment) {
        self.armed = Some((call, moment));
    }

    /// Kills the caller if this is the call and the moment; says whether it did.
    pub(super) fn strikes(&mut self, call: u64, client: ClientId, moment: Moment) -> bool {
        let strikes = self.armed == Some((call, moment));
        if strikes {
            self.armed = None;
            self.dead.insert(client);
        }
        strikes
    }

    /// Whether this client gets no answers any more.
    pub(super) fn is_dead(&self, client: ClientId) -> bool {
        self.dead.contains(&client)
    }

    /// Nobody is dead, nothing is armed.
    pub(super) fn revive(&mut self) {
        *self = Self::default();
    }
}
