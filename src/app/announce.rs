//! What others are told of, in the order of the log. An event is told once it has its place there: from then on nothing can
//! appear before it, so that a position is a cursor which misses nothing, and what is told is what is proved.

use std::collections::HashMap;

use super::App;
use super::record::read_body;
use super::sequence::SequenceProblem;
use crate::domain::announcement::{Announcement, Kind, LinksToLeave};
use crate::domain::event::Event;
use crate::domain::ids::{BrandId, ContactId};
use crate::store::log::LoggedEvent;
use crate::store::{Conn, StoreError, contacts, log};

/// Events that are read at a time, and at most for one page: most of them are nobody's business.
const READ: i64 = 500;
const READS_AT_MOST: usize = 20;

/// Which announcements are wanted.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// None: of every brand.
    pub brand: Option<BrandId>,
    /// None at all: of every kind.
    pub kinds: Vec<Kind>,
}

impl Wanted {
    pub(super) fn takes(&self, announcement: &Announcement, brand: BrandId) -> bool {
        self.brand.is_none_or(|only| only == brand)
            && (self.kinds.is_empty()
                || self
                    .kinds
                    .iter()
                    .any(|kind| kind.as_str() == announcement.kind))
    }
}

/// An announcement with the place of its event.
#[derive(Clone, Debug)]
pub struct Placed {
    pub position: i64,
    pub brand: BrandId,
    pub announcement: Announcement,
}

/// A page of announcements.
#[derive(Clone, Debug, Default)]
pub struct Told {
    pub announcements: Vec<Placed>,
    /// The position up to which everything is told.
    pub up_to: i64,
    /// Whether there may be more by now.
    pub goes_on: bool,
}

impl App {
    /// Announcements behind a position, oldest first.
    pub async fn announcements(
        &self,
        after: i64,
        limit: usize,
        wanted: &Wanted,
    ) -> Result<Told, SequenceProblem> {
        let mut conn = self.store.read().await?;
        let end = match self.log_head(&mut conn).await? {
            Some(head) => head.last_position,
            None => 0,
        };
        let mut told = Told {
            up_to: after,
            ..Told::default()
        };
        for _ in 0..READS_AT_MOST {
            let events = log::list_events(&mut conn, told.up_to, end, READ).await?;
            let Some(last) = events.last().map(|event| event.position) else {
                return Ok(told);
            };
            for placed in self.announced(&mut conn, &events).await? {
                if !wanted.takes(&placed.announcement, placed.brand) {
                    continue;
                }
                told.up_to = placed.position;
                told.announcements.push(placed);
                if told.announcements.len() == limit {
                    told.goes_on = true;
                    return Ok(told);
                }
            }
            told.up_to = last;
        }
        told.goes_on = true;
        Ok(told)
    }

    /// What is told of these events. One that was emptied by an erasure tells nothing; the erasure itself is told.
    pub(super) async fn announced(
        &self,
        conn: &mut Conn,
        events: &[LoggedEvent],
    ) -> Result<Vec<Placed>, StoreError> {
        let mut read: Vec<(i64, Event)> = Vec::with_capacity(events.len());
        for event in events {
            if let Some(found) = read_body(event.body.as_deref())? {
                read.push((event.position, found));
            }
        }
        read.retain(|(_, event)| crate::domain::announcement::kind_of(&event.fact).is_some());
        let mut whom: Vec<(BrandId, ContactId)> = read
            .iter()
            .map(|(_, event)| (event.brand, event.contact))
            .collect();
        whom.sort_unstable();
        whom.dedup();
        let found = contacts::find_all(conn, &whom).await?;
        let addresses: HashMap<ContactId, String> = found
            .into_iter()
            .map(|contact| (contact.id, contact.address))
            .collect();
        let catalog = self.catalog();
        let placed = read.into_iter().filter_map(|(position, event)| {
            let brand = catalog.brand(event.brand)?;
            let address = addresses.get(&event.contact).map(String::as_str);
            let slug = &brand.declared.slug;
            let mut announcement = Announcement::of(&event, slug, address)?;
            if announcement.data.address.is_some() {
                let links = self.links(brand, event.contact, None);
                announcement.data.links = Some(LinksToLeave {
                    unsubscribe_url: links.unsubscribe_url,
                    preferences_url: links.preferences_url,
                    list_unsubscribe: links.list_unsubscribe,
                    list_unsubscribe_post: links.list_unsubscribe_post,
                });
            }
            Some(Placed {
                position,
                brand: event.brand,
                announcement,
            })
        });
        Ok(placed.collect())
    }
}
