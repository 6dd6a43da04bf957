//! What is known of those whom a file names, as its rows are decided one after another.

use std::collections::HashMap;

use super::again::Again;
use crate::app::sources::Sources;
use crate::domain::brand::Slug;
use crate::domain::standing::State;
use crate::domain::time::Timestamp;
use crate::intake::candidate::Candidate;
use crate::store::contacts::Contact;
use crate::store::erased::AddressHash;
use crate::store::listed::{Known, Named};

/// A contact with the sources that the brand knows of.
pub(super) struct One {
    pub row: Contact,
    pub sources: Sources,
    pub is_new: bool,
    /// As the database has it, and not as an earlier part left it.
    pub is_fresh: bool,
    pub changed: bool,
}

impl One {
    /// Whether the person has not left this purpose yet, as far as the brand knows.
    pub fn standing_is_open(&self, purpose: &Slug) -> bool {
        let standing = self.row.standings.get(purpose);
        !standing.is_some_and(|one| matches!(one.state, State::Withdrawn | State::Declined))
    }
}

/// What keeps the door closed to an address, beside where its contact stands.
#[derive(Clone, Copy)]
pub(super) struct Doors {
    /// It names a job, such as `info@`.
    pub role: bool,
    pub suppressed: bool,
    pub erased: bool,
}

impl Doors {
    pub fn of(candidate: &Candidate, known: &Known) -> Self {
        Self {
            role: candidate.address.is_role(),
            suppressed: known.suppressed,
            erased: known.erased,
        }
    }
}

/// Contacts of addresses that come again, as a file that is only tried would leave them.
pub(super) struct Kept {
    pub contacts: HashMap<String, One>,
    /// People whom the brand does not know, of whom an earlier row said that they left.
    pub left: HashMap<AddressHash, Timestamp>,
    again: Again,
}

/// Contacts that are kept at most; rows of further ones do not see each other.
const KEPT: usize = 100_000;

impl Kept {
    pub fn of(again: Again) -> Self {
        Self {
            contacts: HashMap::new(),
            left: HashMap::new(),
            again,
        }
    }

    pub fn keep(&mut self, contacts: HashMap<String, One>) {
        for (key, one) in contacts {
            if self.contacts.len() < KEPT && self.again.comes_again(&key) {
                self.contacts.insert(
                    key,
                    One {
                        is_fresh: false,
                        ..one
                    },
                );
            }
        }
    }

    /// Those who left by a part, as far as they come again.
    pub fn keep_left(&mut self, who: &[Named], left: &HashMap<AddressHash, Timestamp>) {
        for one in who {
            if let Some(at) = left.get(&one.address_hash)
                && self.left.len() < KEPT
                && self.again.comes_again(&one.address_key)
            {
                remember(&mut self.left, one.address_hash, *at);
            }
        }
    }
}

/// Of several moments at which somebody left the last one counts.
pub(super) fn remember(
    left: &mut HashMap<AddressHash, Timestamp>,
    who: AddressHash,
    at: Timestamp,
) {
    let known = left.entry(who).or_insert(at);
    *known = at.max(*known);
}
