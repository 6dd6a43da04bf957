//! The timestamps that a bundle needs: for each event the last that came before it was logged, and the first that came after.
//! Where there are more than a bundle holds, those around the events that matter most go first.

use std::collections::BTreeMap;

use super::super::App;
use super::super::read_log::read_tiles;
use super::select::Chosen;
use crate::domain::event::Fact;
use crate::ledger::bundle::AnchorPart;
use crate::ledger::merkle::consistency_ranges;
use crate::store::timestamps::{self, KeptStamp};
use crate::store::{Conn, StoreError, log};

/// A bundle has room for a thousand; each costs whoever checks it a few signatures.
pub const ANCHORS_AT_MOST: usize = 500;

const MISSING: StoreError = StoreError::Corrupt("a checkpoint that was stamped is missing");

/// The anchors of a bundle.
pub(super) struct Anchored {
    pub parts: Vec<AnchorPart>,
    /// Events whose own timestamps did not find room: others, further away, bound them.
    pub loosely: usize,
}

impl App {
    /// The anchors of events with their indexes, in the log of `size` entries.
    pub(super) async fn anchors(
        &self,
        conn: &mut Conn,
        events: &[Chosen],
        indexes: &[u64],
        size: u64,
    ) -> Result<Anchored, StoreError> {
        let mut order: Vec<(u8, u64)> = events
            .iter()
            .zip(indexes)
            .map(|(one, index)| (rank(&one.event.fact), *index))
            .collect();
        order.sort_unstable();
        let mut around = Around::default();
        let mut loosely = 0;
        for (_, index) in order {
            loosely += usize::from(!around.add(conn, index, size).await?);
        }
        let stamps = around.stamps;
        let ranges: Vec<_> = stamps
            .keys()
            .flat_map(|(at, _)| consistency_ranges(as_size(*at), size))
            .collect();
        let tiles = read_tiles(conn, &ranges).await?;
        let mut parts = Vec::new();
        for ((at, authority), stamp) in stamps {
            let checkpoint = log::find_checkpoint(conn, at).await?.ok_or(MISSING)?;
            let proof = tiles.consistency(as_size(at), size);
            parts.push(AnchorPart {
                name: format!("{at:08}-{}", file_name(&authority)),
                checkpoint: checkpoint.note,
                response: stamp.response,
                certificates_pem: stamp.certificates,
                consistency: proof.map_err(|_| MISSING)?,
            });
        }
        Ok(Anchored { parts, loosely })
    }
}

/// What matters most has the lowest: the act of the person, then what changes or asks for what stands, then mails.
fn rank(fact: &Fact) -> u8 {
    match fact {
        Fact::Confirmed { .. } => 0,
        _ if !fact.purposes().is_empty() => 1,
        Fact::MailAccepted { .. } | Fact::MailFailed { .. } => 2,
        _ => 3,
    }
}

/// The stamps around events.
#[derive(Default)]
struct Around {
    stamps: BTreeMap<(i64, String), KeptStamp>,
    /// From which index to before which one all events have the same stamps around them, and those are there.
    known: BTreeMap<u64, u64>,
    is_full: bool,
}

impl Around {
    /// Finds the stamps around an entry; false where there was no room for them.
    async fn add(&mut self, conn: &mut Conn, index: u64, size: u64) -> Result<bool, StoreError> {
        let last = self.known.range(..=index).next_back();
        if last.is_some_and(|(_, end)| index < *end) {
            return Ok(true);
        }
        if self.is_full {
            return Ok(false);
        }
        let holding = log::as_stored(index).saturating_add(1);
        let behind = timestamps::first_from(conn, holding).await?;
        let before = timestamps::last_before(conn, holding).await?;
        let from = before.iter().map(|stamp| as_size(stamp.size)).max();
        let end = behind.iter().map(|stamp| as_size(stamp.size)).min();
        let fresh: Vec<KeptStamp> = before
            .into_iter()
            .chain(behind)
            // One that came while this bundle is made belongs to a later head.
            .filter(|stamp| as_size(stamp.size) <= size)
            .filter(|stamp| {
                let key = (stamp.size, stamp.authority.clone());
                !self.stamps.contains_key(&key)
            })
            .collect();
        if self.stamps.len() + fresh.len() > ANCHORS_AT_MOST {
            self.is_full = true;
            return Ok(false);
        }
        for stamp in fresh {
            self.stamps
                .insert((stamp.size, stamp.authority.clone()), stamp);
        }
        self.known
            .insert(from.unwrap_or(0), end.unwrap_or(u64::MAX));
        Ok(true)
    }
}

/// An authority's name in the name of a file.
fn file_name(authority: &str) -> String {
    authority
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || ".-_".contains(c) {
                c
            } else {
                '_'
            }
        })
        .take(60)
        .collect()
}

fn as_size(stored: i64) -> u64 {
    u64::try_from(stored).unwrap_or(0)
}
