//! Taking an import back as a whole, while nothing was sent because of it.

use std::collections::{BTreeMap, BTreeSet};

use crate::app::App;
use crate::app::permit::parse_address;
use crate::app::record::{About, read_body};
use crate::domain::brand::{Brand, Slug};
use crate::domain::event::{Event, Fact};
use crate::domain::ids::{BrandId, ContactId, ImportId};
use crate::domain::import::Without;
use crate::domain::standing::{Standings, apply};
use crate::store::events::{self, NewEvent};
use crate::store::held::decided;
use crate::store::imports::{self, ImportRow};
use crate::store::left;
use crate::store::locks::Locks;
use crate::store::set::Writes;
use crate::store::{Conn, Engine, StoreError, campaigns, contacts};

/// Events of an import that are taken back in one transaction.
const PAGE: i64 = 500;

/// What was taken back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Withdrawn {
    /// Contacts on which the import had an event.
    pub contacts: u64,
    /// Those that have nothing else, and so no standing any more.
    pub left_without: u64,
}

/// Why nothing is taken back.
#[derive(Debug, thiserror::Error)]
pub enum WithdrawProblem {
    #[error("the brand has no import \"{0}\"; `countersign import list` shows them")]
    Unknown(String),
    #[error("the import \"{0}\" was taken back already")]
    Already(String),
    #[error(
        "the import \"{0}\" cannot be taken back as a whole any more: a campaign has written to people since it came; \
         `countersign forget` erases one at a time"
    )]
    Sent(String),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A contact on which the import had events.
struct Touched {
    key: String,
    purposes: BTreeSet<Slug>,
}

impl App {
    /// Takes an import back: the contacts stand as if the file had never come. Refused once anybody was written to because
    /// of it. Interrupted, it goes on when it is asked for again.
    pub async fn withdraw_import(
        &self,
        brand: &Brand,
        name: &str,
    ) -> Result<Withdrawn, WithdrawProblem> {
        let row = self.begin_to_withdraw(brand, name).await?;
        let last = row.last_position.unwrap_or(row.after_position);
        let mut after = row.after_position;
        let mut done = Withdrawn::default();
        loop {
            let page = self.page_of(&row, after, last).await?;
            let Some(end) = page.last().map(|one| one.0) else {
                break;
            };
            after = end;
            let touched = touched(page, row.id);
            let part = decided(|| self.withdraw_part(&row, &touched)).await?;
            done.contacts += part.contacts;
            done.left_without += part.left_without;
        }
        self.end_withdrawal(&row).await?;
        Ok(done)
    }

    /// What it told of people whom the brand does not know is forgotten, and an event says so.
    async fn end_withdrawal(&self, row: &ImportRow) -> Result<(), StoreError> {
        let mut locks = Locks::default();
        locks.import(row.brand_id, row.id);
        let mut held = self.store.hold_to_write(locks).await?;
        let tx = held.conn();
        let now = self.clock.now();
        let rows = left::delete_of(tx, row.brand_id, row.id).await?;
        imports::move_on(tx, row, "withdrawn", row.last_position, Some(now)).await?;
        let mut writes = Writes::default();
        if rows > 0 {
            let about = About {
                brand: row.brand_id,
                contact: ContactId(row.id.0),
                request: None,
            };
            let fact = Fact::LeftForgotten {
                import: row.id,
                rows: i64::try_from(rows).unwrap_or(i64::MAX),
            };
            events::append(&mut writes, &[self.work().record(about, now, fact)?]);
        }
        held.finish_with(writes).await
    }

    /// From here on the import goes no further, and no campaign asks anybody because of it.
    async fn begin_to_withdraw(
        &self,
        brand: &Brand,
        name: &str,
    ) -> Result<ImportRow, WithdrawProblem> {
        let mut conn = self.store.read().await?;
        let unknown = || WithdrawProblem::Unknown(name.to_owned());
        let row = imports::find(&mut conn, brand.id, name)
            .await?
            .ok_or_else(unknown)?;
        // SQLite's writer is not held while all the import's people are looked through: under the lock only what came since is.
        // On PostgreSQL nobody waits for it, and an event at a position that was passed may still come.
        let looked = match self.store.engine() {
            Engine::Sqlite => imports::last_position(&mut conn).await?,
            Engine::Postgres => row.after_position,
        };
        let is_whole = matches!(row.state.as_str(), "running" | "done");
        if is_whole && was_sent(&mut conn, &row, (row.after_position, looked)).await? {
            return Err(WithdrawProblem::Sent(row.name));
        }
        drop(conn);
        let mut locks = Locks::default();
        locks.import(brand.id, row.id);
        let mut held = self.store.hold_to_write(locks).await?;
        let tx = held.conn();
        let mut row = imports::find(tx, brand.id, name)
            .await?
            .ok_or_else(unknown)?;
        match row.state.as_str() {
            "withdrawn" => return Err(WithdrawProblem::Already(row.name)),
            "withdrawing" => return Ok(row),
            _ => {}
        }
        let last = imports::last_position(tx).await?;
        let asked_since = self.was_asked(tx, &row, (looked, last)).await?;
        if asked_since || was_sent(tx, &row, (looked, last)).await? {
            return Err(WithdrawProblem::Sent(row.name));
        }
        imports::move_on(tx, &row, "withdrawing", Some(last), None).await?;
        held.finish().await?;
        row.state = "withdrawing".to_owned();
        row.last_position = Some(last);
        Ok(row)
    }

    /// Whether a campaign asked anybody of the import between two positions.
    async fn was_asked(
        &self,
        tx: &mut Conn,
        row: &ImportRow,
        (mut after, last): (i64, i64),
    ) -> Result<bool, StoreError> {
        loop {
            let page = events::list_invited(tx, row.brand_id, (after, last), PAGE).await?;
            let Some(end) = page.last().map(|one| one.0) else {
                return Ok(false);
            };
            after = end;
            let ids: Vec<_> = page.into_iter().map(|one| one.1).collect();
            let asked = campaigns::asked_among(tx, row.brand_id, &ids, row.started_at).await?;
            let ids: Vec<_> = asked.into_iter().map(|id| (row.brand_id, id)).collect();
            let mut found = false;
            events::each_source(tx, &ids, |_, body| {
                found |= read_body(body.as_deref())?.is_some_and(|event| is_of(&event, row));
                Ok(())
            })
            .await?;
            if found {
                return Ok(true);
            }
        }
    }

    async fn page_of(
        &self,
        row: &ImportRow,
        after: i64,
        last: i64,
    ) -> Result<Vec<(i64, Option<Event>)>, StoreError> {
        let mut conn = self.store.read().await?;
        let page = events::list_imported(&mut conn, row.brand_id, (after, last), PAGE).await?;
        page.into_iter()
            // One that an erasure emptied has no contact any more.
            .map(|(position, body)| Ok((position, read_body(body.as_deref())?)))
            .collect()
    }

    async fn withdraw_part(
        &self,
        row: &ImportRow,
        touched: &BTreeMap<ContactId, Touched>,
    ) -> Result<Withdrawn, StoreError> {
        let mut locks = Locks::default();
        for one in touched.values() {
            locks.contact(row.brand_id, &one.key);
        }
        let mut held = self.store.hold(locks).await?;
        let conn = held.conn();
        let ids: Vec<_> = touched.keys().map(|id| (row.brand_id, *id)).collect();
        let mut folded = fold_all(conn, &ids, row.id).await?;
        let now = self.clock.now();
        let mut done = Withdrawn::default();
        let mut told: Vec<NewEvent> = Vec::new();
        let mut standings: Vec<(ContactId, Standings)> = Vec::new();
        let there = contacts::find_all(held.conn(), &ids).await?;
        for (contact, one) in touched {
            // One that was erased meanwhile has nothing to take back.
            if !there.iter().any(|known| known.id == *contact) {
                continue;
            }
            let Some(Folded {
                mut stands,
                without,
            }) = folded.remove(contact)
            else {
                continue;
            };
            let fact = Fact::ImportWithdrawn {
                import: row.id,
                purposes: one.purposes.iter().cloned().collect(),
                back_to: without
                    .into_iter()
                    .filter(|(purpose, _)| one.purposes.contains(purpose))
                    .collect(),
            };
            apply(&mut stands, &fact, now);
            done.contacts += 1;
            done.left_without += u64::from(stands.is_empty());
            let about = About {
                brand: row.brand_id,
                contact: *contact,
                request: None,
            };
            told.push(self.work().record(about, now, fact)?);
            standings.push((*contact, stands));
        }
        let rows: Vec<_> = standings
            .iter()
            .map(|(contact, stands)| (row.brand_id, *contact, stands))
            .collect();
        let mut writes = Writes::default();
        contacts::put_standings(&mut writes, &rows);
        events::append(&mut writes, &told);
        held.finish(writes).await?;
        Ok(done)
    }
}

/// Where a contact stands, and where it would without the import.
#[derive(Default)]
struct Folded {
    stands: Standings,
    without: Standings,
}

/// Folds the events of contacts, of which none is kept. Contacts of which the import was taken back before are left out.
async fn fold_all(
    conn: &mut Conn,
    contacts: &[(BrandId, ContactId)],
    import: ImportId,
) -> Result<BTreeMap<ContactId, Folded>, StoreError> {
    // Which imports were taken back, and what others told again, must be known before what they told.
    let mut without: BTreeMap<ContactId, Without> = BTreeMap::new();
    events::each_body(conn, contacts, |(_, contact), body| {
        if let Some(event) = read_body(body.as_deref())? {
            without.entry(contact).or_default().learn(&event);
        }
        Ok(())
    })
    .await?;
    without.retain(|_, one| !one.has_gone(import));
    for one in without.values_mut() {
        one.take_back(import);
    }
    let open: Vec<_> = contacts
        .iter()
        .copied()
        .filter(|one| without.contains_key(&one.1))
        .collect();
    let mut folded: BTreeMap<ContactId, Folded> = BTreeMap::new();
    events::each_body(conn, &open, |(_, contact), body| {
        if let Some(event) = read_body(body.as_deref())? {
            let one = folded.entry(contact).or_default();
            apply(&mut one.stands, &event.fact, event.at);
            if let Some(without) = without.get_mut(&contact) {
                without.apply(&mut one.without, &event);
            }
        }
        Ok(())
    })
    .await?;
    Ok(folded)
}

fn is_of(event: &Event, row: &ImportRow) -> bool {
    matches!(&event.fact, Fact::Imported(one) if one.import == row.id)
}

/// Whether a campaign asked anybody, since the import came, whom it told of between two positions.
async fn was_sent(
    tx: &mut Conn,
    row: &ImportRow,
    (mut after, last): (i64, i64),
) -> Result<bool, StoreError> {
    loop {
        let page = events::list_imported(tx, row.brand_id, (after, last), PAGE).await?;
        let Some(end) = page.last().map(|one| one.0) else {
            return Ok(false);
        };
        after = end;
        let mut ids = Vec::with_capacity(page.len());
        for (_, body) in &page {
            let event = read_body(body.as_deref())?;
            let event = event.filter(|event| is_of(event, row));
            ids.extend(event.map(|event| event.contact));
        }
        let asked = campaigns::asked_among(tx, row.brand_id, &ids, row.started_at).await?;
        if !asked.is_empty() {
            return Ok(true);
        }
    }
}

fn touched(page: Vec<(i64, Option<Event>)>, import: ImportId) -> BTreeMap<ContactId, Touched> {
    let mut all: BTreeMap<ContactId, Touched> = BTreeMap::new();
    for event in page.into_iter().filter_map(|one| one.1) {
        let Fact::Imported(imported) = event.fact else {
            continue;
        };
        if imported.import != import {
            continue;
        }
        let key = parse_address(&imported.address).map(|address| address.key().to_owned());
        let one = all.entry(event.contact).or_insert_with(|| Touched {
            key: key.unwrap_or_default(),
            purposes: BTreeSet::new(),
        });
        one.purposes.extend(imported.purposes);
    }
    all
}
