//! One authority is asked: steps 2 to 4 of a round.

use super::{Authority, QUERY, REPLY, StampProblem, Stamped, TOLD_AFTER};
use crate::app::App;
use crate::app::outside::{pause_after, plain};
use crate::app::sequence::Head;
use crate::clock::NEARLY;
use crate::domain::time::Timestamp;
use crate::ledger::bundle::CLOCK_OFF_AT_MOST;
use crate::ledger::stamps::Stamps;
use crate::ledger::timestamp::{self, Asked, Certificate, Certificates, Stamp, request};
use crate::store::log::as_stored;
use crate::store::timestamps::{self, KeptStamp, Try};

/// What to keep, what it says, and how far our clock was ahead, in microseconds.
type Answered = (KeptStamp, Stamp, i64);

impl App {
    pub(super) async fn ask_and_keep(
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
        let (asked_at, told) = (self.clock.now(), self.clock.told_ahead());
        let told = told.filter(|(_, since)| since.plus(TOLD_AFTER) <= asked_at);
        let answer = self.ask(authority, head).await;
        let answer = answer.and_then(|answer| {
            is_fit(answer.2, told.map(|(ahead, _)| ahead))?;
            Ok(answer)
        });
        let ahead = match &answer {
            Ok((_, _, ahead)) | Err(StampProblem::ClockBehind { ahead }) => Some(*ahead),
            Err(_) => None,
        };
        if let Some(ahead) = ahead {
            match self.tell_ahead(ahead).await {
                Ok(()) => self.clock.set_ahead(ahead),
                Err(error) => {
                    tracing::warn!(%error, "other processes could not be told how far the clock is off");
                }
            }
        }
        let state = self.state_after(authority, known, asked_at, &answer, on_demand);
        let kept = answer.as_ref().ok().map(|(kept, _, _)| kept);
        let added = timestamps::keep(&self.store, kept, &state, chained).await?;
        let (_, stamp, _) = answer?;
        if !added && let Some(stamp) = self.stamp_of(authority, head).await? {
            // Somebody else was quicker, and that one stays.
            return Ok(Stamped {
                stamp,
                was_there: true,
            });
        }
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
        let size = as_stored(head.size);
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
    async fn ask(&self, authority: &Authority, head: &Head) -> Result<Answered, StampProblem> {
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
        let ahead = ahead(asked_at, received_at, stamp.at);
        let kept = KeptStamp {
            size: as_stored(head.size),
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
        answer: &Result<Answered, StampProblem>,
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
            (Some(_), _) if matches!(answer, Err(StampProblem::ClockBehind { .. })) => {
                (tries + 1, now.plus(TOLD_AFTER))
            }
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
                Ok((_, _, ahead))
                | Err(StampProblem::ClockBehind { ahead } | StampProblem::ClockFarOff { ahead }) => {
                    Some(*ahead)
                }
                Err(_) => known.as_ref().and_then(|known| known.ahead_micros),
            },
            stamped: known.and_then(|known| known.stamped),
        }
    }
}

/// Whether a token of a clock that ours is so far ahead of may be kept: kept is kept for ever, and one that speaks against what
/// was recorded would have every bundle with that refused. Where our clock is behind, whatever this head does not hold must say
/// so itself; `told` is what it has said for long enough.
fn is_fit(ahead: i64, told: Option<i64>) -> Result<(), StampProblem> {
    let near = |one: i64, other: i64| one.abs_diff(other) <= NEARLY.unsigned_abs();
    if ahead.unsigned_abs() > CLOCK_OFF_AT_MOST.unsigned_abs() {
        return Err(StampProblem::ClockFarOff { ahead });
    }
    if ahead < 0 && !near(ahead, 0) && !told.is_some_and(|told| near(ahead, told)) {
        return Err(StampProblem::ClockBehind { ahead });
    }
    Ok(())
}

/// The number and the link of one more stamp.
fn chained(newest: Option<(i64, Vec<u8>)>, stamp: &KeptStamp) -> (i64, Vec<u8>) {
    let with = stamps_of(newest).with(&stamp.authority, &stamp.response);
    (as_stored(with.count), with.chain.to_vec())
}

/// What the rows tell of the stamps that are kept. Damaged ones cannot be told as they are; the audit names them.
pub(in crate::app) fn stamps_of(newest: Option<(i64, Vec<u8>)>) -> Stamps {
    newest.map_or_else(Stamps::default, |(number, chain)| Stamps {
        count: u64::try_from(number).unwrap_or(0),
        chain: chain.try_into().unwrap_or_default(),
    })
}

/// How far a clock that read these two instants was ahead of the one that gave the token in between, in microseconds. A token
/// without a fraction of a second may have been made within the whole second. Zero where nothing is to be seen, else the
/// middle of what is possible.
fn ahead(asked_at: Timestamp, received_at: Timestamp, token_at: Timestamp) -> i64 {
    let token = token_at.micros();
    let within = if token % 1_000_000 == 0 { 999_999 } else { 0 };
    let least = asked_at.micros().saturating_sub(token + within);
    let most = received_at.micros().saturating_sub(token);
    if least <= 0 && most >= 0 {
        0
    } else {
        least / 2 + most / 2
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_is_ahead_only_by_what_the_exchange_cannot_explain() {
        let at = Timestamp::from_micros;
        let second = 1_795_455_245_000_000;
        // Made between question and answer; made within the second that the token names.
        assert_eq!(ahead(at(second + 1), at(second + 9), at(second + 5)), 0);
        assert_eq!(
            ahead(at(second + 900_000), at(second + 950_000), at(second)),
            0
        );
        // The same, with clocks that differ.
        assert_eq!(ahead(at(second + 11), at(second + 19), at(second + 5)), 10);
        assert_eq!(ahead(at(second + 1), at(second + 3), at(second + 5)), -3);
        let two_seconds = ahead(at(second + 2_000_000), at(second + 2_000_000), at(second));
        assert_eq!(two_seconds, 1_500_000);
    }
}
