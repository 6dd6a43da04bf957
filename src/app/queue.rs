//! The outbox as operators see it: what waits, what is held, what failed, and having failed mails tried again. No address is
//! in it, only recipient domains.

use super::App;
use super::acted::Acting;
use super::breaker::BreakerState;
use super::tidy::{COUNTED_AT_MOST, Readiness};
use crate::domain::ids::{BrandId, ContactId, OutboxId, made_at};
use crate::domain::operator::{Deed, Operator};
use crate::domain::time::Timestamp;
use crate::store::outbox::{self, Shown, ShownRow};
pub use crate::store::outbox::{Attempt, OutboxKey};
use crate::store::set::{ROWS_AT_MOST, Writes};
use crate::store::{Conn, StoreError};

/// Rows read at a time, and how many are looked through for those of an operator's brands.
const TOGETHER: i64 = 500;
pub const LOOKED_AT: usize = 10_000;

/// Which mails are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    Waiting,
    Held,
    Failed,
}

impl Which {
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "waiting" => Some(Self::Waiting),
            "held" => Some(Self::Held),
            "failed" => Some(Self::Failed),
            _ => None,
        }
    }

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Held => "held",
            Self::Failed => "failed",
        }
    }

    const fn of(shown: Shown) -> Self {
        match shown {
            Shown::Waiting => Self::Waiting,
            Shown::Held => Self::Held,
            Shown::Failed => Self::Failed,
        }
    }

    const fn shown(self) -> Shown {
        match self {
            Self::Waiting => Shown::Waiting,
            Self::Held => Shown::Held,
            Self::Failed => Shown::Failed,
        }
    }
}

/// A mail of the outbox.
#[derive(Clone, Debug)]
pub struct QueuedMail {
    pub id: OutboxId,
    pub brand: BrandId,
    pub contact: ContactId,
    pub which: Which,
    /// What the mail is for, as its template is called.
    pub kind: String,
    pub domain: String,
    pub due_at: Timestamp,
    pub queued_at: Option<Timestamp>,
    /// Whether it is under way at this moment.
    pub under_way: bool,
    pub tries: i64,
    pub first_try_at: Option<Timestamp>,
    /// What the server said last.
    pub reply: Option<String>,
    /// Whether a try may have reached the server without its reply reaching us.
    pub ambiguous: bool,
    /// Each try with what the server said, oldest first.
    pub attempts: Vec<Attempt>,
}

/// A signup that causes no mail leaves such a row, which delivery takes out unsent.
const NOTHING: &str = super::sign_up::NOTHING;

impl App {
    /// A page of the outbox behind a key, as it is due or the other way round, and the key behind which the next one begins.
    pub async fn queue(
        &self,
        operator: &Operator,
        which: Which,
        (after, down): (Option<OutboxKey>, bool),
        limit: usize,
    ) -> Result<(Vec<QueuedMail>, Option<OutboxKey>), StoreError> {
        let mut conn = self.store.read().await?;
        let now = self.clock.now();
        let mut found = Vec::new();
        let mut at = after;
        let mut looked = 0;
        while looked < LOOKED_AT {
            let rows = outbox::list_shown(&mut conn, which.shown(), (at, down), TOGETHER).await?;
            let is_end = rows.len() < TOGETHER.unsigned_abs() as usize;
            looked += rows.len();
            for row in rows {
                at = Some((row.due_at, row.id));
                if row.template == NOTHING || !operator.works_for(row.brand_id) {
                    continue;
                }
                found.push(queued(row, now));
                if found.len() == limit {
                    return Ok((found, at));
                }
            }
            if is_end {
                return Ok((found, None));
            }
        }
        Ok((found, at))
    }

    /// One mail of the outbox, of the operator's brands.
    pub async fn queued_mail(
        &self,
        operator: &Operator,
        id: OutboxId,
    ) -> Result<Option<QueuedMail>, StoreError> {
        let mut conn = self.store.read().await?;
        let found = outbox::find_shown(&mut conn, id).await?;
        let own = |row: &ShownRow| row.template != NOTHING && operator.works_for(row.brand_id);
        Ok(found.filter(own).map(|row| queued(row, self.clock.now())))
    }

    /// How the server stands, as far as it is an operator's to see: whoever is kept to some brands is told of their mails, and
    /// not what a server said of other people's.
    pub async fn kept_to(
        &self,
        operator: &Operator,
        ready: Readiness,
    ) -> Result<Readiness, StoreError> {
        if operator.brands.is_empty() {
            return Ok(ready);
        }
        let mut conn = self.store.read().await?;
        let mut counts = [0; 3];
        let all = [Which::Waiting, Which::Held, Which::Failed];
        for (count, which) in counts.iter_mut().zip(all) {
            let by_brand =
                outbox::count_by_brand(&mut conn, which.shown(), COUNTED_AT_MOST).await?;
            let own = by_brand.iter().filter(|one| operator.works_for(one.0));
            *count = own.map(|one| one.1).sum();
        }
        let [waiting, held, failed] = counts;
        Ok(Readiness {
            // As for all brands: what is held waits too.
            mails_waiting: waiting + held,
            mails_failed: failed,
            last_smtp_problem: None,
            breaker: BreakerState {
                mails_held: held,
                ..ready.breaker
            },
            ..ready
        })
    }

    /// Has failed mails tried again: one, or all of the operator's brands. Answers with how many. Whether a mail is still
    /// wanted is looked at when it is sent, as always.
    pub async fn retry_failed(
        &self,
        acting: &Acting,
        one: Option<OutboxId>,
    ) -> Result<usize, StoreError> {
        let on = one.map_or_else(|| "all failed mails".to_owned(), |id| format!("mail {id}"));
        self.acted(acting, Deed::MailRetried, Some(on)).await?;
        let mut conn = self.store.read().await?;
        let ids = failed(&mut conn, &acting.operator, one).await?;
        drop(conn);
        for part in ids.chunks(ROWS_AT_MOST) {
            // Each part at a time of its own, as lists go by the time: what has one time is put in order for each page.
            let now = self.clock.now();
            let mut writes = Writes::default();
            outbox::try_again(&mut writes, self.store.engine(), part, now);
            self.store.write_now(writes).await?;
        }
        if !ids.is_empty() {
            self.live.mail_queued();
        }
        Ok(ids.len())
    }
}

/// The failed mails of an operator's brands, one of them or all.
async fn failed(
    conn: &mut Conn,
    operator: &Operator,
    one: Option<OutboxId>,
) -> Result<Vec<OutboxId>, StoreError> {
    if let Some(id) = one {
        let brand = outbox::find_failed(conn, id).await?;
        let own = brand.is_some_and(|brand| operator.works_for(brand));
        return Ok(own.then_some(id).into_iter().collect());
    }
    let mut ids = Vec::new();
    let mut at: Option<OutboxKey> = None;
    loop {
        let rows = outbox::list_shown(conn, Shown::Failed, (at, false), TOGETHER).await?;
        let Some(last) = rows.last().map(|row| (row.due_at, row.id)) else {
            return Ok(ids);
        };
        let wanted = rows.iter().filter(|row| operator.works_for(row.brand_id));
        ids.extend(wanted.map(|row| row.id));
        at = Some(last);
    }
}

fn queued(row: ShownRow, now: Timestamp) -> QueuedMail {
    QueuedMail {
        attempts: row.attempts(),
        which: Which::of(row.which()),
        id: row.id,
        brand: row.brand_id,
        contact: row.contact_id,
        ambiguous: row.ambiguous != 0,
        kind: row.template,
        domain: row.recipient_domain,
        due_at: row.due_at,
        queued_at: made_at(row.id.0),
        under_way: row.leased_until.is_some_and(|until| until > now),
        tries: row.tries,
        first_try_at: row.first_try_at,
        reply: row.last_reply,
    }
}
