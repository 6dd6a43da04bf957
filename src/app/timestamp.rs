//! Timestamps: at an interval, and on demand, the newest checkpoint of the log is stamped by every authority that the
//! operator named (RFC 3161). Signups never wait for it.
//!
//! A round goes in steps, each of which may be the last one of this process:
//! 1. a lease is taken, so that two processes do not ask for the same. If the process dies with it, it runs out;
//! 2. each authority is asked over the bytes of the checkpoint's note. If the process dies here, a token that was given
//!    is lost, and the next round asks for another. Nothing depends on the lost one;
//! 3. the response is checked: status, imprint, nonce, policy, signature, key usage and chain. One that fails is never
//!    written, only why;
//! 4. the response and how it stands with the authority are written in one transaction. If the process dies after it,
//!    the stamp is kept, and the lease runs out.

use std::time::Duration;

use futures_util::future::join_all;
use uuid::Uuid;

use super::App;
use super::outside::{is_due, pause_after, plain};
use super::sequence::{Head, SequenceProblem};
use crate::config::{Authority, Timestamps};
use crate::domain::time::Timestamp;
use crate::ledger::timestamp::{
    self, Asked, Certificate, Certificates, Stamp, TimestampProblem, request,
};
use crate::outgoing::{Limits, Outgoing, OutgoingProblem};
use crate::store::timestamps::{self, KeptStamp, Try};
use crate::store::{StoreError, leases, log};
use crate::telemetry;

pub(super) const LEASE_NAME: &str = "timestamps";
/// So much longer than an authority may take is a round given.
const LEASE: Duration = Duration::from_secs(60);
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// A token with a chain of four large certificates has some 10 KB.
const ANSWER_AT_MOST: u64 = 64 << 10;
const QUERY: &str = "application/timestamp-query";
const REPLY: &str = "application/timestamp-reply";

/// The way out to the authorities, and who this process is among those that ask them.
pub struct Stamping {
    outgoing: Outgoing,
    pub(super) holder: Uuid,
}

impl Stamping {
    pub(super) fn new(settings: &Timestamps, holder: Uuid) -> Self {
        let limits = Limits {
            allow_private: settings.allow_private,
            within: settings.within,
            answer_at_most: ANSWER_AT_MOST,
        };
        Self {
            outgoing: Outgoing::new(limits),
            holder,
        }
    }
}

/// Why an authority gave no stamp that can be kept.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StampProblem {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("{0}")]
    Outgoing(#[from] OutgoingProblem),
    #[error("it answered with the HTTP status {0}")]
    Status(u16),
    #[error("its answer is of the type \"{0}\" and not {REPLY}")]
    ContentType(String),
    #[error("{0}")]
    Timestamp(#[from] TimestampProblem),
    #[error(
        "its chain leads to the root certificate \"{found}\" and not to \"{first}\", which its earlier stamps lead to; if that is \
         meant, name its root certificates under [timestamp] roots"
    )]
    OtherRoot { found: String, first: String },
}

/// What came of asking one authority.
#[derive(Clone, Debug)]
pub struct Asking {
    pub authority: String,
    /// Entries of the checkpoint that it was to stamp.
    pub size: u64,
    pub outcome: Result<Stamped, StampProblem>,
}

/// A stamp that is kept.
#[derive(Clone, Debug)]
pub struct Stamped {
    pub stamp: Stamp,
    /// Whether it was there before it was asked for: a checkpoint is stamped once by each authority.
    pub was_there: bool,
}

impl App {
    /// Asks the authorities whose time has come, if the log has grown since their last stamp. Nothing where another
    /// process is at it.
    pub async fn stamp_due(&self) -> Result<Vec<Asking>, SequenceProblem> {
        if self.due_authorities().await?.is_none() {
            return Ok(Vec::new());
        }
        let (now, holder) = (self.clock.now(), self.stamping.holder);
        let until = now.plus(LEASE + self.config.timestamps.within);
        if !leases::take(&self.store, LEASE_NAME, holder, now, until).await? {
            return Ok(Vec::new());
        }
        // Whoever had the lease before may have done it.
        let asked = match self.due_authorities().await? {
            Some((head, due)) => self.ask_all(&head, due, false).await,
            None => Vec::new(),
        };
        leases::end(&self.store, LEASE_NAME, holder).await?;
        Ok(asked)
    }

    /// Has the newest checkpoint stamped by every authority, whatever their time. A stamp that is there is answered with.
    /// Nothing where there are no entries yet, or no authorities.
    pub async fn stamp_now(&self) -> Result<Vec<Asking>, SequenceProblem> {
        let mut conn = self.store.read().await?;
        let Some(head) = self.log_head(&mut conn).await?.filter(|head| head.size > 0) else {
            return Ok(Vec::new());
        };
        let tries = timestamps::list_tries(&mut conn).await?;
        drop(conn);
        let all = self.config.timestamps.authorities.iter();
        let all = all.map(|authority| (authority, found(&tries, &authority.name)));
        Ok(self.ask_all(&head, all.collect(), true).await)
    }

    /// Waits until everything that is recorded by now is in the log, by this process or by another; false if that took too
    /// long, as it does for some seconds after a sequencer was killed.
    pub async fn log_recorded(&self, within: Duration) -> Result<bool, SequenceProblem> {
        let recorded = log::last_position(&mut self.store.read().await?).await?;
        let logged = async {
            loop {
                self.sequence().await?;
                let head = log::head(&mut self.store.read().await?).await?;
                if head.map_or(0, |head| head.last_position) >= recorded {
                    return Ok(true);
                }
                tokio::time::sleep(LOOK_EVERY).await;
            }
        };
        tokio::time::timeout(within, logged)
            .await
            .unwrap_or(Ok(false))
    }

    /// The head, and who is to stamp it; none where nobody is.
    async fn due_authorities(
        &self,
    ) -> Result<Option<(Head, Vec<(&Authority, Option<Try>)>)>, SequenceProblem> {
        let settings = &self.config.timestamps;
        if settings.authorities.is_empty() {
            return Ok(None);
        }
        let mut conn = self.store.read().await?;
        let tries = timestamps::list_tries(&mut conn).await?;
        let now = self.clock.now();
        let mut due: Vec<(&Authority, Option<Try>)> = settings
            .authorities
            .iter()
            .map(|authority| (authority, found(&tries, &authority.name)))
            .filter(|(_, known)| {
                known
                    .as_ref()
                    .is_none_or(|known| time_has_come(known, now, settings.every))
            })
            .collect();
        if due.is_empty() {
            return Ok(None);
        }
        let Some(head) = self.log_head(&mut conn).await?.filter(|head| head.size > 0) else {
            return Ok(None);
        };
        due.retain(|(_, known)| {
            let stamped = known.as_ref().and_then(|known| known.stamped).unwrap_or(0);
            u64::try_from(stamped).is_ok_and(|stamped| stamped < head.size)
        });
        Ok((!due.is_empty()).then_some((head, due)))
    }

    /// Asks them at the same time: one that hangs does not keep the others waiting.
    async fn ask_all(
        &self,
        head: &Head,
        whom: Vec<(&Authority, Option<Try>)>,
        on_demand: bool,
    ) -> Vec<Asking> {
        let each = whom.into_iter().map(|(authority, known)| async move {
            let outcome = self.ask_and_keep(authority, known, head, on_demand).await;
            let told = if outcome.is_ok() { "kept" } else { "failed" };
            metrics::counter!(telemetry::TIMESTAMPS, "authority" => authority.name.clone(), "outcome" => told).increment(1);
            Asking {
                authority: authority.name.clone(),
                size: head.size,
                outcome,
            }
        });
        join_all(each).await
    }

    async fn ask_and_keep(
        &self,
        authority: &Authority,
        known: Option<Try>,
        head: &Head,
        on_demand: bool,
    ) -> Result<Stamped, StampProblem> {
        if let Some(stamp) = self.stamp_of(authority, head).await? {
            return Ok(Stamped {
                stamp,
                was_there: true,
            });
        }
        let asked_at = self.clock.now();
        let answer = self.ask(authority, head).await;
        let state = self.state_after(authority, known, asked_at, &answer, on_demand);
        let kept = answer.as_ref().ok().map(|(kept, _, _)| kept);
        timestamps::keep(&self.store, kept, &state).await?;
        let (_, stamp, ahead) = answer?;
        self.clock.set_ahead(ahead);
        Ok(Stamped {
            stamp,
            was_there: false,
        })
    }

    /// The stamp that is kept of this head.
    async fn stamp_of(
        &self,
        authority: &Authority,
        head: &Head,
    ) -> Result<Option<Stamp>, StampProblem> {
        let mut conn = self.store.read().await?;
        let size = i64::try_from(head.size).unwrap_or(i64::MAX);
        let Some(kept) = timestamps::find(&mut conn, size, &authority.name).await? else {
            return Ok(None);
        };
        let beside = Certificate::all_from_pem(kept.certificates.as_bytes())?;
        let certificates = Certificates {
            trusted: &authority.roots,
            beside: &beside,
        };
        let asked = Asked::default();
        let note = head.note.as_bytes();
        Ok(Some(timestamp::check(
            &kept.response,
            note,
            asked,
            certificates,
        )?))
    }

    /// Steps 2 and 3. Answers with what to keep, what it says, and how far our clock was ahead.
    async fn ask(
        &self,
        authority: &Authority,
        head: &Head,
    ) -> Result<(KeptStamp, Stamp, i64), StampProblem> {
        let nonce = u64::from_le_bytes(self.random.bytes());
        let note = head.note.as_bytes();
        let query = request(note, nonce, authority.policy.as_deref())?;
        let asked_at = self.clock.now();
        let answer = self
            .stamping
            .outgoing
            .post(&authority.url, QUERY, query)
            .await?;
        let received_at = self.clock.now();
        if answer.status != 200 {
            return Err(StampProblem::Status(answer.status));
        }
        if answer.content_type != REPLY {
            return Err(StampProblem::ContentType(answer.content_type));
        }
        let asked = Asked {
            nonce: Some(nonce),
            policy: authority.policy.as_deref(),
        };
        let stamp = self.checked(authority, &answer.body, note, asked).await?;
        // The token was made somewhere between the question and the answer.
        let middle = asked_at.micros() / 2 + received_at.micros() / 2;
        let ahead = middle.saturating_sub(stamp.at.micros());
        let kept = KeptStamp {
            size: i64::try_from(head.size).unwrap_or(i64::MAX),
            authority: authority.name.clone(),
            at: stamp.at,
            response: answer.body,
            certificates: stamp.certificates_pem.clone(),
            received_at,
        };
        Ok((kept, stamp, ahead))
    }

    /// The chain must lead to a root that the operator named; where none is named, to the one of the last stamp.
    async fn checked(
        &self,
        authority: &Authority,
        response: &[u8],
        note: &[u8],
        asked: Asked<'_>,
    ) -> Result<Stamp, StampProblem> {
        let check = |trusted: &[Certificate]| {
            let certificates = Certificates {
                trusted,
                beside: &[],
            };
            timestamp::check(response, note, asked, certificates)
        };
        let first = if authority.roots.is_empty() {
            let mut conn = self.store.read().await?;
            let last = timestamps::newest_by(&mut conn, &authority.name).await?;
            let pem = last.map(|last| Certificate::all_from_pem(last.certificates.as_bytes()));
            pem.transpose()?.and_then(|mut chain| chain.pop())
        } else {
            None
        };
        let Some(first) = first else {
            return Ok(check(&authority.roots)?);
        };
        match check(std::slice::from_ref(&first)) {
            Ok(stamp) => Ok(Stamp {
                root_on_trust: true,
                ..stamp
            }),
            Err(problem) => Err(match check(&[]) {
                Ok(other) => StampProblem::OtherRoot {
                    found: other.root_name,
                    first: first.name(),
                },
                Err(_) => problem.into(),
            }),
        }
    }

    /// How it stands with the authority after an answer. What changed is told once.
    fn state_after(
        &self,
        authority: &Authority,
        known: Option<Try>,
        asked_at: Timestamp,
        answer: &Result<(KeptStamp, Stamp, i64), StampProblem>,
        on_demand: bool,
    ) -> Try {
        let name = &authority.name;
        let before = known.as_ref().and_then(|known| known.last_problem.clone());
        let tries = known.as_ref().map_or(0, |known| known.tries);
        let now = self.clock.now();
        let problem = answer.as_ref().err().map(|why| plain(&why.to_string()));
        let (tries, due_at) = match (&problem, &known) {
            (None, _) => (0, asked_at.plus(self.config.timestamps.every)),
            // Asking by hand does not put off the next try.
            (Some(_), Some(known)) if on_demand && tries > 0 => (tries, known.due_at),
            (Some(_), _) => (tries + 1, now.plus(pause_after(tries + 1, &self.random))),
        };
        match (&before, &problem) {
            (before, Some(why)) if before.as_ref() != Some(why) => {
                tracing::warn!(authority = %name, problem = %why, "the log could not be stamped; it is tried again");
            }
            (Some(_), None) => tracing::info!(authority = %name, "the log is stamped again"),
            _ => {}
        }
        Try {
            authority: name.clone(),
            tries,
            due_at,
            last_asked_at: Some(asked_at),
            last_problem: problem,
            ahead_micros: match answer {
                Ok((_, _, ahead)) => Some(*ahead),
                Err(_) => known.as_ref().and_then(|known| known.ahead_micros),
            },
            stamped: known.and_then(|known| known.stamped),
        }
    }
}

fn found(tries: &[Try], name: &str) -> Option<Try> {
    tries.iter().find(|known| known.authority == name).cloned()
}

/// A shorter interval in the settings holds from now on, not only after the next stamp.
fn time_has_come(known: &Try, now: Timestamp, every: Duration) -> bool {
    let sooner = known.tries == 0
        && known
            .last_asked_at
            .is_some_and(|asked| asked.plus(every) <= now);
    sooner || is_due(known.due_at, now, every)
}
