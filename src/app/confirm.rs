//! Answering a confirmation request: by the link, by the code, or with "this was not me". Written for a batch.

use subtle::ConstantTimeEq;

use self::batch::Batch;
use self::read::{count_people, locks_of};
use super::inbox::InboxView;
use super::{App, Work};
use crate::domain::circumstances::Circumstances;
use crate::domain::ids::{BrandId, RequestId};
use crate::domain::keys::Keys;
use crate::domain::scanner::Thresholds;
use crate::domain::time::Timestamp;
use crate::store::StoreError;
use crate::store::requests::{Asked, Key, RequestRow};
use crate::telemetry;

mod batch;
mod decide;
mod read;

/// Answers in one transaction at most.
pub const BATCH: usize = 256;

/// What the person, or a program, did.
#[derive(Clone, Debug)]
pub enum Act {
    /// The link, in the browser that signed up.
    SameBrowser,
    /// The button behind the link, and when its page was served, if it says so.
    Button {
        page_opened_at: Option<Timestamp>,
    },
    Code {
        typed: String,
    },
    /// A code on the page of a request that is not the one whose mail is out: a newer mail replaced it, or it caused none. None is
    /// right, but for that of the other one's mail, in the browser that made both signups.
    OtherCode {
        typed: String,
        /// The request whose mail is out, if this browser made that signup too.
        other: Option<RequestId>,
    },
    /// "This was not me".
    Decline(Declining),
}

/// By what way somebody says "this was not me".
#[derive(Clone, Debug)]
pub enum Declining {
    /// In the browser that signed up.
    SameBrowser,
    /// The button, and when its page was served, if it says so.
    Button { page_opened_at: Option<Timestamp> },
    /// The code that was asked for, since the press looked like a program's.
    Code { typed: String },
}

impl Act {
    /// The other request that it may come to.
    const fn other(&self) -> Option<RequestId> {
        match self {
            Self::OtherCode { other, .. } => *other,
            _ => None,
        }
    }

    /// Whether a program may be behind it: a button, without the cookie of the browser that signed up.
    const fn is_a_press(&self) -> bool {
        matches!(
            self,
            Self::Button { .. } | Self::Decline(Declining::Button { .. })
        )
    }
}

/// One answer to one request.
#[derive(Clone, Debug)]
pub struct Answer {
    pub brand: BrandId,
    pub request: RequestId,
    pub act: Act,
    pub method: String,
    pub circumstances: Circumstances,
}

/// What became of it. Everything but `Confirmed { again: false }` and `Declined` changed no standing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Confirmed {
        again: bool,
    },
    Declined,
    CodeAsked {
        tries_left: i64,
    },
    CodeWrong {
        tries_left: i64,
    },
    CodeClosed,
    /// A newer mail took over.
    Replaced,
    /// The address was corrected.
    Abandoned,
    /// The person left while it was open.
    Left,
    Expired,
    /// Its mail came back for good.
    Bounced,
    /// The token is genuine, but its request is gone: erased.
    Gone,
}

impl Outcome {
    const fn name(self) -> &'static str {
        match self {
            Self::Confirmed { again: false } => "confirmed",
            Self::Confirmed { again: true } => "again",
            Self::Declined => "declined",
            Self::CodeAsked { .. } => "code_asked",
            Self::CodeWrong { .. } => "code_wrong",
            Self::CodeClosed => "code_closed",
            Self::Replaced => "replaced",
            Self::Abandoned => "abandoned",
            Self::Left => "left",
            Self::Expired => "expired",
            Self::Bounced => "bounced",
            Self::Gone => "gone",
        }
    }
}

/// What became of an answer, and the request as it stands after it; none if it is gone.
pub(super) type Answered = (Outcome, Option<Asked>);

impl App {
    /// Records an answer. When this returns, what it changed is on disk.
    pub async fn answer(&self, answer: Answer) -> Result<Outcome, StoreError> {
        Ok(self.answer_and_look(answer).await?.0)
    }

    /// Records an answer, and tells how the request stands after it; nothing of one that is gone.
    pub async fn answer_and_look(
        &self,
        answer: Answer,
    ) -> Result<(Outcome, Option<InboxView>), StoreError> {
        let (request, other) = (answer.request, answer.act.other());
        let (outcome, asked) = self.confirmations.call(answer).await?;
        metrics::counter!(telemetry::CONFIRMATIONS, "outcome" => outcome.name()).increment(1);
        if matches!(
            outcome,
            Outcome::Confirmed { again: false } | Outcome::Declined
        ) {
            self.live.answered(request);
            if let Some(other) = other {
                self.live.answered(other);
            }
        }
        let view = asked.map(|asked| self.view_of(asked)).transpose()?;
        Ok((outcome, view))
    }
}

/// Compares in constant time; digits only, spaces left out, since people type "123 456".
fn is_code(keys: &Keys, request: &RequestRow, typed: &str) -> bool {
    let typed: String = typed
        .chars()
        .filter(|c| !c.is_whitespace())
        .take(7)
        .collect();
    u8::try_from(request.key_id)
        .ok()
        .and_then(|key_id| keys.code(key_id, request.id.0))
        .is_some_and(|right| right.as_bytes().ct_eq(typed.as_bytes()).into())
}

/// Records a batch of answers in one transaction; of several answers to one request the first wins and the others are
/// told how it stands.
pub(super) async fn run(
    work: &Work,
    thresholds: &Thresholds,
    calls: Vec<Answer>,
) -> Result<Vec<Answered>, StoreError> {
    let mut keys: Vec<Key> = calls
        .iter()
        .flat_map(|call| {
            let both = [Some(call.request), call.act.other()];
            both.into_iter().flatten().map(|id| (call.brand, id))
        })
        .collect();
    keys.sort_unstable();
    keys.dedup();
    // Neither rests on what is locked, so the one need not wait for the other.
    let (locks, people) =
        tokio::try_join!(locks_of(work, &keys, &calls), count_people(work, &calls))?;
    let mut held = work.store.hold(locks).await?;
    let mut batch = Batch::read(work, thresholds, held.conn(), &keys, &calls).await?;
    batch.people = people;
    let mut outcomes = Vec::with_capacity(calls.len());
    for call in calls {
        let id = call.request;
        let outcome = batch.decide(call)?;
        outcomes.push((outcome, batch.asked(id)));
    }
    // If the process dies before this commit, nobody was answered and nothing changed; the link works again.
    held.finish(batch.writes()).await?;
    Ok(outcomes)
}
