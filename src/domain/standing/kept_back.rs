//! What keeps mail to a contact back, whatever was agreed: a pause, mail that came back, an operator.

use super::{Standing, Standings};
use crate::domain::brand::Slug;
use crate::domain::time::Timestamp;

/// What keeps mail to a contact back for a time. It is no state's own: all purposes have it, and what is given later too.
#[derive(Clone, Copy, Debug)]
pub(super) struct KeptBack {
    paused_until: Option<Timestamp>,
    undeliverable_since: Option<Timestamp>,
    suppressed_since: Option<Timestamp>,
}

impl KeptBack {
    pub(super) fn of(standings: &Standings) -> Self {
        let all = || standings.values();
        Self {
            paused_until: all().filter_map(|one| one.paused_until).max(),
            undeliverable_since: all().filter_map(|one| one.undeliverable_since).min(),
            suppressed_since: all().filter_map(|one| one.suppressed_since).min(),
        }
    }

    pub(super) const fn on(self, standing: Standing) -> Standing {
        Standing {
            paused_until: self.paused_until,
            undeliverable_since: self.undeliverable_since,
            suppressed_since: self.suppressed_since,
            ..standing
        }
    }
}

/// Puts a standing in place of what there was for the purpose, under what keeps mail to the contact back.
pub(in crate::domain) fn put(standings: &mut Standings, purpose: &Slug, standing: Standing) {
    let standing = KeptBack::of(standings).on(standing);
    standings.insert(purpose.clone(), standing);
}
