//! Which of a contact's events go into a bundle. They are read in pages, and what is kept of them is bounded.

use std::collections::BTreeSet;

use super::super::record::{read_body, read_whole};
use super::super::seal::Opened;
use super::gather::NoBundle;
use super::unpack_all;
use crate::domain::event::Event;
use crate::domain::ids::{BrandId, ContactId, RequestId};
use crate::domain::time::Timestamp;
use crate::ledger::archive::BYTES_AT_MOST;
use crate::store::events::{self, WholeEvent};
use crate::store::{Conn, StoreError};

/// With a proof for each, and a mail or circumstances (no event has both), they stay below the files that a bundle may have.
pub const EVENTS_AT_MOST: usize = 20_000;
/// Events that are read at a time.
const PAGE: i64 = 500;

/// The time that a bundle tells of: from one instant to before another; without either, to the end on that side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    pub from: Option<Timestamp>,
    pub until: Option<Timestamp>,
}

impl Span {
    /// Everything there is.
    pub const WHOLE: Self = Self {
        from: None,
        until: None,
    };

    fn is_whole(self) -> bool {
        self == Self::WHOLE
    }

    fn holds(self, at: Timestamp) -> bool {
        self.from.is_none_or(|from| from <= at) && self.until.is_none_or(|until| at < until)
    }
}

/// An event with all that is kept of it; the mail is unpacked and stands beside it.
pub(super) struct Chosen {
    pub stored: WholeEvent,
    pub event: Event,
    pub mail: Option<Vec<u8>>,
}

/// Takes events one after another.
pub(super) struct Choice {
    span: Span,
    /// Requests that an event of the span belongs to: their other events come along, since each needs the others.
    requests: BTreeSet<RequestId>,
    pub chosen: Vec<Chosen>,
    /// How many events of the contact lie outside.
    pub left_out: usize,
    bytes: usize,
}

impl Choice {
    fn new(span: Span) -> Self {
        Self {
            span,
            requests: BTreeSet::new(),
            chosen: Vec::new(),
            left_out: 0,
            bytes: 0,
        }
    }

    fn look(&mut self, event: &Event) {
        if self.span.holds(event.at) {
            self.requests.extend(event.request);
        }
    }

    fn wants(&self, event: &Event) -> bool {
        self.span.holds(event.at)
            || event
                .request
                .is_some_and(|request| self.requests.contains(&request))
    }

    fn take(&mut self, one: Chosen) -> Result<(), NoBundle> {
        if self.chosen.len() >= EVENTS_AT_MOST {
            return Err(NoBundle::TooMany);
        }
        let length = |text: &Option<String>| text.as_ref().map_or(0, String::len);
        let (stored, mail) = (&one.stored, one.mail.as_ref());
        self.bytes +=
            length(&stored.body) + length(&stored.circumstances) + mail.map_or(0, Vec::len);
        if self.bytes > BYTES_AT_MOST {
            return Err(NoBundle::TooLarge);
        }
        self.chosen.push(one);
        Ok(())
    }
}

/// The events of a contact, as they stand in the database; emptied ones are left out.
pub(super) async fn choose(
    conn: &mut Conn,
    brand: BrandId,
    contact: ContactId,
    span: Span,
) -> Result<Choice, NoBundle> {
    let mut choice = Choice::new(span);
    if !span.is_whole() {
        look_through(conn, brand, contact, &mut choice).await?;
    }
    add_kept(conn, brand, contact, &mut choice).await?;
    Ok(choice)
}

/// The same of a contact that was erased, from what was sealed of it and what was recorded since.
pub(super) async fn choose_sealed(
    conn: &mut Conn,
    brand: BrandId,
    opened: &Opened,
    span: Span,
) -> Result<Choice, NoBundle> {
    let mut choice = Choice::new(span);
    if !span.is_whole() {
        for kept in &opened.events {
            if let Some(event) = read_body(Some(&kept.body))? {
                choice.look(&event);
            }
        }
        look_through(conn, brand, opened.contact, &mut choice).await?;
    }
    for kept in &opened.events {
        let stored = WholeEvent {
            position: kept.position,
            body: Some(kept.body.clone()),
            salt: Some(kept.salt.to_vec()),
            circumstances: kept.circumstances.clone(),
            mail: None,
        };
        match read_whole(&stored)? {
            Some(event) if choice.wants(&event) => choice.take(Chosen {
                stored,
                event,
                mail: kept.mail.clone(),
            })?,
            Some(_) => choice.left_out += 1,
            None => {}
        }
    }
    add_kept(conn, brand, opened.contact, &mut choice).await?;
    Ok(choice)
}

async fn look_through(
    conn: &mut Conn,
    brand: BrandId,
    contact: ContactId,
    choice: &mut Choice,
) -> Result<(), StoreError> {
    let mut after = 0;
    loop {
        let page = events::list_after(conn, brand, contact, after, PAGE).await?;
        let Some(last) = page.last() else {
            return Ok(());
        };
        after = last.position;
        for stored in &page {
            if let Some(event) = read_body(stored.body.as_deref())? {
                choice.look(&event);
            }
        }
    }
}

async fn add_kept(
    conn: &mut Conn,
    brand: BrandId,
    contact: ContactId,
    choice: &mut Choice,
) -> Result<(), NoBundle> {
    let mut after = 0;
    loop {
        let page = events::list_whole(conn, brand, contact, after, PAGE).await?;
        let Some(last) = page.last() else {
            return Ok(());
        };
        after = last.position;
        let mut wanted = Vec::with_capacity(page.len());
        for stored in page {
            match read_whole(&stored)? {
                Some(event) if choice.wants(&event) => wanted.push((stored, event)),
                Some(_) => choice.left_out += 1,
                None => {}
            }
        }
        let packed: Vec<(i64, Vec<u8>)> = wanted
            .iter_mut()
            .filter_map(|(stored, _)| Some((stored.position, stored.mail.take()?)))
            .collect();
        let mut mails = unpack_all(conn, &packed).await?.into_iter().peekable();
        for (stored, event) in wanted {
            let mail = mails
                .next_if(|(position, _)| *position == stored.position)
                .map(|(_, mail)| mail);
            choice.take(Chosen {
                stored,
                event,
                mail,
            })?;
        }
    }
}
