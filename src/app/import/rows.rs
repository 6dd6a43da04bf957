//! The rows of an import that are kept: each stands in the event of the contact that it named. Refused rows and broken ones are
//! counted only.

use crate::app::App;
use crate::app::queue::LOOKED_AT;
use crate::app::record::read_body;
use crate::domain::event::Fact;
use crate::domain::ids::{BrandId, ContactId, ImportId};
use crate::domain::policy::Judgement;
use crate::store::imports::{self, ImportRow};
use crate::store::{Conn, StoreError, events};

/// Positions that are looked at together. What else the server did meanwhile lies between those of the import.
const TOGETHER: i64 = 2_000;

/// A row, as it was taken in.
#[derive(Clone, Debug)]
pub struct KeptRow {
    pub line: u64,
    pub contact: ContactId,
    /// As the list named it.
    pub address: String,
    pub judgement: Judgement,
}

impl App {
    /// Kept rows of an import behind a place, in the order of the list or the other way round, each with its place; and the place
    /// behind which there may be more. Rows of a contact that was erased are gone. It looks through a bounded number of positions.
    pub async fn rows_of_import(
        &self,
        (brand, id): (BrandId, ImportId),
        (behind, down): (Option<i64>, bool),
        limit: usize,
    ) -> Result<(Vec<(i64, KeptRow)>, Option<i64>), StoreError> {
        let mut conn = self.store.read().await?;
        let mut found = Vec::new();
        let Some(row) = imports::find_by_id(&mut conn, brand, id).await? else {
            return Ok((found, None));
        };
        let (mut first, mut last) = positions(&mut conn, &row).await?;
        match behind {
            Some(behind) if down => last = last.min(behind.saturating_sub(1)),
            Some(behind) => first = first.max(behind),
            None => {}
        }
        let mut looked = 0;
        while first < last {
            if looked >= LOOKED_AT {
                return Ok((found, Some(if down { last + 1 } else { first })));
            }
            let between = if down {
                (first.max(last - TOGETHER), last)
            } else {
                (first, last.min(first + TOGETHER))
            };
            let rows =
                events::list_imported_in(&mut conn, brand, (between, down), TOGETHER).await?;
            for (position, body) in rows {
                if let Some(kept) = kept(body.as_deref(), id)? {
                    found.push((position, kept));
                    if found.len() == limit {
                        return Ok((found, Some(position)));
                    }
                }
            }
            looked += TOGETHER.unsigned_abs() as usize;
            if down {
                last = between.0;
            } else {
                first = between.1;
            }
        }
        Ok((found, None))
    }
}

/// Behind which position the events of an import lie, and up to which.
async fn positions(conn: &mut Conn, row: &ImportRow) -> Result<(i64, i64), StoreError> {
    let last = match row.last_position {
        Some(last) => last,
        None => imports::last_position(conn).await?,
    };
    Ok((row.after_position, last))
}

/// The row that an event holds, if it is one of this import. An erasure leaves none.
fn kept(body: Option<&str>, id: ImportId) -> Result<Option<KeptRow>, StoreError> {
    let Some(event) = read_body(body)? else {
        return Ok(None);
    };
    let Fact::Imported(imported) = event.fact else {
        return Ok(None);
    };
    Ok((imported.import == id).then_some(KeptRow {
        line: imported.line,
        contact: event.contact,
        address: imported.address_typed,
        judgement: imported.judgement,
    }))
}
