//! Where the replacement of a task lands that is stopped first.
//!
//! ECS places it when the stopped task and what it held are gone, so that the freed slot attracts it like any other: on
//! a full cluster it is the only one, and the task comes back to where it was. There is no ballast to steer with and no
//! way to undo a stop, so every landing that ties has to help.

#[cfg(test)]
mod tests;

use crate::settings::MoveStrategy;

use super::{Lookout, Outlook, Search, Stuck};

impl Lookout<'_, '_> {
    /// Looks ahead from a seat whose task is to be stopped before ECS replaces it.
    pub fn outlook_stop_first(&mut self, from: usize) -> Result<Outlook, Stuck> {
        self.placement.stop(from);
        let landings = self.placement.landings();
        self.placement.start(from);
        let to = *landings.first().ok_or(Stuck::NoRoom)?;
        if let Some(warming) = landings.iter().find(|seat| self.survey.ineligible[**seat].is_some()) {
            return Err(Stuck::Warming(*warming));
        }
        let mut search = Search::new(self, from);
        if let Some(elsewhere) = landings.iter().find(|seat| !search.is_helpful(**seat)) {
            return Err(Stuck::Elsewhere(*elsewhere));
        }
        let reach = landings.iter().copied().collect();
        Ok(Outlook { strategy: MoveStrategy::Stop, starts_max: 1, to, landings, reach })
    }
}
