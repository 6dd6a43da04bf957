//! Addresses that are remembered after all else of them went: those that were erased, and those that a campaign had asked before
//! their term was over.
//!
//! Which address a hash stands for nothing tells, or an event would tell of a person for good. An `erased` event says when, and
//! whether the address had been remembered before, which then got the new time. So each time has as many rows at most as erasures,
//! and there are as many rows as addresses that were remembered for the first time.

use std::collections::HashMap;

use super::super::record::read_body;
use super::super::sequence::Head;
use super::Audit;
use crate::domain::event::{Asked, ErasedBy, Event, Fact};
use crate::domain::ids::BrandId;
use crate::domain::time::Timestamp;
use crate::store::erased::{self, Remembered};
use crate::store::{Conn, StoreError, events};

/// Rows that are read at a time.
const PAGE: i64 = 1_000;

/// Where an address is remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Table {
    Erased,
    Asked,
}

/// What an erasure left of its address in a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kept {
    First,
    Again,
    /// An earlier version did not say.
    Untold,
}

/// None where the table has no row of it.
fn kept_in(table: Table, event: &Event) -> Option<Kept> {
    let Fact::Erased {
        by,
        erased_before,
        asked,
        ..
    } = &event.fact
    else {
        return None;
    };
    // Whose term was over has objected to nothing.
    match (table, *by == ErasedBy::Term) {
        (Table::Erased, true) | (Table::Asked, false) => None,
        (Table::Erased, false) => Some(match erased_before {
            Some(false) => Kept::First,
            Some(true) => Kept::Again,
            None => Kept::Untold,
        }),
        (Table::Asked, true) => match asked {
            Some(Asked::No) => None,
            Some(Asked::First) => Some(Kept::First),
            Some(Asked::Again) => Some(Kept::Again),
            None => Some(Kept::Untold),
        },
    }
}

/// What erasures of a brand say of one table.
#[derive(Default)]
struct Rows {
    /// When there were erasures: how many rows there may be of that time, and whether an erasure said what it left.
    times: HashMap<Timestamp, (u64, bool)>,
    /// Addresses that were remembered for the first time.
    first: u64,
    /// Erasures that may have left a row.
    untold: u64,
    /// Rows that are there, and those of them of a time at which an erasure said so.
    there: u64,
    there_as_told: u64,
}

impl Rows {
    fn add(&mut self, kept: Kept, at: Timestamp) {
        let time = self.times.entry(at).or_default();
        time.0 += 1;
        time.1 |= kept != Kept::Untold;
        self.first += u64::from(kept == Kept::First);
        self.untold += u64::from(kept == Kept::Untold);
    }

    /// Whether a row may have this time.
    fn meet(&mut self, at: Timestamp) -> bool {
        let Some((left @ 1.., is_told)) = self.times.get_mut(&at) else {
            return false;
        };
        *left -= 1;
        self.there += 1;
        self.there_as_told += u64::from(*is_told);
        true
    }
}

/// What erasures of a brand say of both.
#[derive(Default)]
pub(super) struct Addresses {
    erased: Rows,
    asked: Rows,
}

impl Addresses {
    pub fn add(&mut self, event: &Event) {
        for table in [Table::Erased, Table::Asked] {
            if let Some(kept) = kept_in(table, event) {
                self.of(table).add(kept, event.at);
            }
        }
    }

    const fn of(&mut self, table: Table) -> &mut Rows {
        match table {
            Table::Erased => &mut self.erased,
            Table::Asked => &mut self.asked,
        }
    }
}

/// Holds the rows of both tables against it.
pub(super) async fn check(
    conn: &mut Conn,
    head: &Head,
    brands: &mut HashMap<BrandId, &mut Addresses>,
    audit: &mut Audit,
) -> Result<(), StoreError> {
    for table in [Table::Erased, Table::Asked] {
        let mut after = (BrandId(uuid::Uuid::nil()), Vec::new());
        loop {
            let page = match table {
                Table::Erased => erased::list_all(conn, &after, PAGE).await?,
                Table::Asked => erased::list_all_asked(conn, &after, PAGE).await?,
            };
            let Some(last) = page.last() else { break };
            after = (last.brand_id, last.hash.clone());
            for row in &page {
                let told = brands.get_mut(&row.brand_id);
                let told = told.map(|told| told.of(table));
                meet(conn, head, (table, row), told, audit).await?;
            }
        }
    }
    let mut brands: Vec<_> = brands.iter_mut().collect();
    brands.sort_unstable_by_key(|(brand, _)| **brand);
    for (brand, told) in brands {
        for table in [Table::Erased, Table::Asked] {
            told.of(table).tell((*brand, table), audit);
        }
    }
    Ok(())
}

async fn meet(
    conn: &mut Conn,
    head: &Head,
    (table, row): (Table, &Remembered),
    mut told: Option<&mut Rows>,
    audit: &mut Audit,
) -> Result<(), StoreError> {
    let (brand, at) = (row.brand_id, row.since);
    if told.as_mut().is_some_and(|told| told.meet(at)) {
        return Ok(());
    }
    match (waiting(conn, head, (brand, table), at).await?, told) {
        // The row of an erasure before, which may be one that the log holds, has a new time.
        (Some(Kept::Again), Some(told)) => told.there_as_told += 1,
        (Some(_), _) => {}
        (None, _) => audit.find(match table {
            Table::Erased => format!(
                "an erased address of brand {brand} is remembered since {at}, and no erasure was at that time: it was put in or changed"
            ),
            Table::Asked => format!(
                "an address of brand {brand} is remembered as asked by {at}, and no erasure by a term was at that time: it was put in or changed"
            ),
        }),
    }
    Ok(())
}

impl Rows {
    fn tell(&self, (brand, table): (BrandId, Table), audit: &mut Audit) {
        let (first, there) = (self.first, self.there_as_told);
        if there < first {
            audit.find(match table {
                Table::Erased => format!(
                    "{first} addresses of brand {brand} were erased for the first time, and {there} of them are remembered as erased: the others were removed, and an import could bring them back"
                ),
                Table::Asked => format!(
                    "{first} addresses of brand {brand} that a campaign had asked were removed at the end of their term, and {there} of them are remembered as asked: the others were removed, and could be asked again"
                ),
            });
        }
        let may_be = first + self.untold;
        if self.there > may_be {
            let what = match table {
                Table::Erased => "erased",
                Table::Asked => "asked",
            };
            audit.find(format!(
                "{} addresses of brand {brand} are remembered as {what}, and events tell of {may_be}: others were put in",
                self.there
            ));
        }
    }
}

/// What an erasure at this time left that waits for its place in the log.
pub(super) async fn waiting(
    conn: &mut Conn,
    head: &Head,
    (brand, table): (BrandId, Table),
    at: Timestamp,
) -> Result<Option<Kept>, StoreError> {
    for body in events::list_erased_behind(conn, head.last_position, brand, at).await? {
        if let Ok(Some(event)) = read_body(body.as_deref())
            && let Some(kept) = kept_in(table, &event)
        {
            return Ok(Some(kept));
        }
    }
    Ok(None)
}
