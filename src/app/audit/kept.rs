//! What is kept of a contact beside its events and follows from them: by what it is found, its legal hold, and its wish to be
//! erased.

use std::collections::HashMap;

use super::super::App;
use super::super::permit::parse_address;
use super::standings::{About, Folded, about};
use crate::domain::time::Timestamp;
use crate::store::contacts::{Contact, Dates};
use crate::store::holds::HoldRow;
use crate::store::{Conn, StoreError, contacts, holds, wishes};

/// What is kept of a contact and follows from its events.
#[derive(PartialEq, Eq)]
pub(super) struct Kept {
    pub contact: Contact,
    /// None where the contact was erased meanwhile.
    dates: Option<Dates>,
    hold: Option<HoldRow>,
    wished_at: Option<Timestamp>,
}

/// A hold as an event tells of it.
pub(super) struct Hold {
    pub since: Timestamp,
    pub until: Timestamp,
    pub reason: String,
}

impl Hold {
    fn is(&self, kept: &HoldRow) -> bool {
        (self.since, self.until, &self.reason) == (kept.since, kept.until, &kept.reason)
    }
}

impl App {
    /// What is kept of contacts beside their events. Of holds only those that are in force.
    pub(super) async fn kept_of(
        &self,
        conn: &mut Conn,
        page: Vec<Contact>,
    ) -> Result<Vec<Kept>, StoreError> {
        let ids: Vec<About> = page.iter().map(about).collect();
        let dates = contacts::find_dates(conn, &ids).await?.into_iter();
        let mut dates: HashMap<About, Dates> =
            dates.map(|one| ((one.brand_id, one.id), one)).collect();
        let holds = holds::find_all(conn, &ids).await?.into_iter();
        let wishes = wishes::find_all(conn, &ids).await?.into_iter();
        let mut wishes: HashMap<About, Timestamp> = wishes
            .map(|one| ((one.brand_id, one.contact_id), one.wished_at))
            .collect();
        // Read behind the rows: whoever is still held now was held then.
        let now = self.clock.now();
        let mut holds: HashMap<About, HoldRow> = holds
            .filter(|one| one.until > now)
            .map(|one| ((one.brand_id, one.contact_id), one))
            .collect();
        let kept = page.into_iter().map(|contact| Kept {
            dates: dates.remove(&about(&contact)),
            hold: holds.remove(&about(&contact)),
            wished_at: wishes.remove(&about(&contact)),
            contact,
        });
        Ok(kept.collect())
    }

    /// What is kept of a contact and is not what its events say.
    pub(super) fn problems(&self, kept: &Kept, folded: &Folded) -> Vec<String> {
        let contact = &kept.contact;
        let mut problems = folded.problems(contact);
        if let Ok(address) = parse_address(&contact.address) {
            let mailbox = self
                .keys
                .mailbox_hash(contact.brand_id.0, &address.mailbox());
            if contact.mailbox != mailbox {
                problems.push(
                    "its mailbox, by which budgets and suppressions find it, is not that of its address"
                        .to_owned(),
                );
            }
        }
        if let Some(dates) = &kept.dates
            && !dates.are_of(&contact.standings)
        {
            problems.push(
                "the dates by which it is found when its consent ends, or is asked for again, are not those of its standing"
                    .to_owned(),
            );
        }
        match (&kept.hold, &folded.hold) {
            (Some(kept), Some(told)) if !told.is(kept) => {
                problems.push("its legal hold is not the one that its events tell of".to_owned());
            }
            (Some(_), None) => {
                problems.push("it is under legal hold, and no event says so".to_owned());
            }
            // By now: one that ended since the rows were read may have been taken away.
            (None, Some(told)) if told.until > self.clock.now() => {
                problems.push("its events tell of a legal hold, and that is gone".to_owned());
            }
            _ => {}
        }
        match (kept.wished_at, folded.wished_at) {
            (Some(kept), Some(told)) if kept != told => {
                problems.push("its wish to be erased is kept with another time".to_owned());
            }
            (Some(_), None) => {
                problems.push("a wish to be erased is kept, and no event says so".to_owned());
            }
            (None, Some(_)) => {
                problems
                    .push("its events tell of a wish to be erased, and that is gone".to_owned());
            }
            _ => {}
        }
        problems
    }
}
