//! Whom a list says to have left: that they did, and the requests that end with it, so that no reminder follows, and no mail that
//! waits leaves. Of whom the brand does not know a keyed hash is kept, and that hash stands in no event.

use super::super::Fate;
use super::super::known::One;
use super::Part;
use crate::app::close::{Ending, open_requests};
use crate::app::import::left::LeftHash;
use crate::app::record::About;
use crate::domain::brand::Slug;
use crate::domain::event::Fact;
use crate::domain::ids::ContactId;
use crate::domain::import::{Imported, LeftTold};
use crate::domain::policy::Judgement;
use crate::domain::standing::{RequestState, apply};
use crate::domain::time::Timestamp;
use crate::intake::candidate::Candidate;
use crate::store::contacts::Contact;
use crate::store::erased::AddressHash;
use crate::store::left::{self, LeftRow};
use crate::store::requests::{self, RequestRow};
use crate::store::set::Writes;
use crate::store::{Conn, StoreError, outbox, settings};

/// Whoever left on a day may have done so until its end.
const A_DAY: std::time::Duration = std::time::Duration::from_secs(86_400);

/// Contacts that leave by a part of a list, each with the moment by which it had left.
#[derive(Default)]
pub(super) struct Ends(Vec<(Contact, Timestamp)>);

impl Ends {
    pub fn add(&mut self, contact: Contact, left_by: Timestamp) {
        self.0.push((contact, left_by));
    }

    /// Their open requests for the purpose, ended. What they asked for after they had left is theirs to answer.
    pub async fn find(
        &self,
        conn: &mut Conn,
        purpose: &Slug,
        now: Timestamp,
    ) -> Result<Vec<RequestRow>, StoreError> {
        let mut ended = Vec::new();
        for (contact, left_by) in &self.0 {
            let ending = Ending::For(std::slice::from_ref(purpose));
            let open = open_requests(conn, contact, ending).await?;
            let before = open.into_iter().filter(|one| one.issued_at <= *left_by);
            ended.extend(before.map(|one| RequestRow {
                state: RequestState::Left.as_str().to_owned(),
                ended_at: Some(now),
                ..one
            }));
        }
        Ok(ended)
    }

    pub fn put(writes: &mut Writes, ended: &[RequestRow]) {
        requests::update(writes, ended);
        for request in ended.iter().filter(|request| request.mailed != 0) {
            outbox::remove_untried(writes, request.id);
        }
    }
}

/// There once an event has told of people who left.
const FIRST_TOLD: &str = "left_told";

/// The rows of those whom the brand does not know and of whom a part tells that they left; its events tell of them.
#[derive(Default)]
pub(super) struct LeftElsewhere {
    rows: Vec<LeftRow>,
    is_first: bool,
}

impl LeftElsewhere {
    pub fn put(&self, writes: &mut Writes) {
        left::put(writes, &self.rows);
        if self.is_first {
            settings::note(writes, FIRST_TOLD, "1");
        }
    }
}

impl Part<'_> {
    /// Tells of them in an event that is written together with their rows: how many they are, and a hash over them.
    pub(super) async fn tell_left(&mut self, conn: &mut Conn) -> Result<LeftElsewhere, StoreError> {
        if self.left_now.is_empty() {
            return Ok(LeftElsewhere::default());
        }
        let salt = self.app.random.bytes::<16>();
        let row = |(hash, at): (&AddressHash, &Timestamp)| LeftRow {
            brand_id: self.import.brand.id,
            hash: hash.to_vec(),
            purpose: self.import.purpose.to_string(),
            import_id: self.id,
            part: self.before,
            salt: salt.to_vec(),
            left_at: *at,
        };
        let mut rows: Vec<LeftRow> = self.left_now.iter().map(row).collect();
        rows.sort_unstable_by(|one, other| one.hash.cmp(&other.hash));
        let mut sum = LeftHash::default();
        rows.iter().for_each(|row| sum.add(row));
        let is_first = settings::find(conn, FIRST_TOLD).await?.is_none();
        let untold_to = match is_first {
            true => left::newest_untold(conn).await?,
            false => None,
        };
        let about = About {
            brand: self.import.brand.id,
            contact: ContactId(self.id.0),
            request: None,
        };
        let fact = Fact::LeftTold(Box::new(LeftTold {
            import: self.id,
            part: self.before,
            rows: i64::try_from(rows.len()).unwrap_or(i64::MAX),
            sha256: sum.hex(),
            untold_to,
        }));
        let event = self.app.work().record(about, self.now, fact)?;
        self.events.push(event);
        Ok(LeftElsewhere { rows, is_first })
    }

    /// By when a row says that the person had left: by the end of the day that it names, or by now.
    pub(super) fn left_by(&self, candidate: &Candidate) -> Option<Timestamp> {
        let zone = &self.import.terms.zone;
        let day = candidate.left_on.as_deref();
        let end = day.and_then(|day| Some(zone.start_of_written(day)?.plus(A_DAY)));
        candidate
            .left
            .then(|| end.map_or(self.now, |end| end.min(self.now)))
    }

    /// Whether the person agreed here after leaving: only that reopens (D3).
    pub(super) fn confirmed_since(&self, known: Option<&One>, left_at: Timestamp) -> bool {
        let standing = known.and_then(|one| one.row.standings.get(self.import.purpose));
        standing.is_some_and(|standing| standing.reopens(left_at))
    }

    /// The file says that somebody whom the brand knows has left: a withdrawal, as the operator tells it. Where another list said so
    /// before, this one's word is kept too, so that it counts should that list be taken back.
    pub(super) fn leave(
        &mut self,
        known: &mut One,
        candidate: &Candidate,
        judgement: Judgement,
        left_by: Timestamp,
    ) -> Result<Fate, StoreError> {
        let open = known.standing_is_open(self.import.purpose);
        let leaves = open && !self.confirmed_since(Some(known), left_by);
        if !leaves && (open || !known.sources.is_leaving_to_keep(self.id, left_by)) {
            return Ok(Fate::NotStored);
        }
        let imported = Imported {
            left: true,
            left_by: Some(left_by),
            told_again: !leaves,
            ..self.imported(&known.row, candidate, judgement)
        };
        let fact = Fact::Imported(Box::new(imported));
        apply(&mut known.row.standings, &fact, self.now);
        self.record(&known.row, fact)?;
        known.sources.learn_leaving(self.id);
        if !leaves {
            return Ok(Fate::NotStored);
        }
        self.ends.add(known.row.clone(), left_by);
        known.changed = true;
        Ok(Fate::Left)
    }
}
