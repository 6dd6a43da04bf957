//! One witness is shown the head: steps 2 to 4 of a round.

use base64::{Engine, engine::general_purpose::STANDARD};

use super::{Asking, EVERY, QUESTIONS, Witness, WitnessProblem};
use crate::app::App;
use crate::app::outside::{pause_after, plain};
use crate::app::sequence::{Head, SequenceProblem};
use crate::domain::time::Timestamp;
use crate::ledger::checkpoint::Checkpoint;
use crate::ledger::merkle::{Hash, consistency_ranges, verify_consistency};
use crate::ledger::note::{Note, NoteProblem};
use crate::ledger::tree::{Tiles, tiles_of};
use crate::outgoing::Answer;
use crate::store::cosignatures::{self, Cosignature, Try};
use crate::store::log;
use crate::telemetry;

const SIZE: &str = "text/x.tlog.size";

impl App {
    pub(super) async fn show_to(
        &self,
        witness: &Witness,
        known: Option<Try>,
        head: &Head,
    ) -> Asking {
        self.witnessing.meets(&witness.key.name);
        let asked_at = self.clock.now();
        let mut seen = known.as_ref().map_or(0, |known| unsigned(known.size));
        let mut outcome = self.cosigned(witness, &mut seen, head).await;
        let state = self.witness_after(witness, known, seen, asked_at, &outcome);
        let line = outcome.as_ref().ok();
        if let Err(problem) = cosignatures::keep(&self.store, line, &state).await {
            outcome = Err(problem.into());
        }
        let name = &witness.key.name;
        let noted = match &outcome {
            Ok(_) => {
                self.witnessing.agrees(name);
                self.agreed_with(name).await
            }
            // From its start on: an older copy was put back. Later it is the witness that changed its mind.
            Err(problem) if problem.is_grave() && !self.witnessing.has_agreed(name) => {
                self.hold_for(name, &problem.to_string()).await
            }
            Err(_) => Ok(()),
        };
        if let Err(problem) = noted {
            tracing::error!(%problem, "whether mail is held back could not be noted");
        }
        let told = if outcome.is_ok() { "kept" } else { "failed" };
        metrics::counter!(telemetry::COSIGNATURES, "witness" => name.clone(), "outcome" => told)
            .increment(1);
        Asking {
            witness: name.clone(),
            outcome,
        }
    }

    /// Steps 2 and 3. `seen` is the size that the witness saw last, and is mended by its answers.
    async fn cosigned(
        &self,
        witness: &Witness,
        seen: &mut u64,
        head: &Head,
    ) -> Result<Cosignature, WitnessProblem> {
        let mut head = head.clone();
        for _ in 0..QUESTIONS {
            if *seen > head.size {
                // Another process may have come further since the head was read.
                let mut conn = self.store.read().await?;
                head = self.log_head(&mut conn).await?.unwrap_or(head);
            }
            let proof = self.proof_from(*seen, &head).await?;
            let body = submission(*seen, &proof, &head.note);
            let url = format!("{}/add-checkpoint", witness.url);
            let outgoing = &self.witnessing.outgoing;
            let answer = outgoing.post(&url, "text/plain", body.into_bytes()).await?;
            match answer.status {
                200 => {
                    let line = self.checked_line(witness, &head, &answer)?;
                    *seen = head.size;
                    return Ok(line);
                }
                409 => {
                    let theirs = size_in(&answer).ok_or(WitnessProblem::Size)?;
                    if theirs == *seen {
                        return Err(WitnessProblem::Size);
                    }
                    *seen = theirs;
                }
                422 => return Err(WitnessProblem::Inconsistent),
                404 => {
                    return Err(WitnessProblem::UnknownLog {
                        vkey: self.log.key.verifier().vkey(),
                    });
                }
                403 => {
                    return Err(WitnessProblem::Untrusted {
                        vkey: self.log.key.verifier().vkey(),
                    });
                }
                other => return Err(WitnessProblem::Status(other)),
            }
        }
        Err(WitnessProblem::Restless)
    }

    /// The proof that the head continues the checkpoint of this size, which must be one that was signed here. It is checked
    /// before it goes out: damage here must not look like a forked log there.
    async fn proof_from(&self, old: u64, head: &Head) -> Result<Vec<Hash>, WitnessProblem> {
        if old == 0 {
            return Ok(Vec::new());
        }
        let new = head.size;
        let mut conn = self.store.read().await?;
        let stored = match i64::try_from(old) {
            Ok(size) => log::find_checkpoint(&mut conn, size).await?,
            Err(_) => None,
        };
        let stored = stored.ok_or(WitnessProblem::RolledBack {
            theirs: old,
            ours: new,
        })?;
        let key = self.log.key.verifier();
        let (older, _) =
            Checkpoint::verified(stored.note.as_bytes(), &key).map_err(SequenceProblem::from)?;
        let wanted: Vec<_> = tiles_of(&consistency_ranges(old, new))
            .into_iter()
            .collect();
        let mut tiles = Tiles::default();
        for (id, bytes) in log::tiles(&mut conn, &wanted).await? {
            tiles.add(id, &bytes)?;
        }
        let proof = tiles.consistency(old, new)?;
        verify_consistency(old, &older.root, new, &head.root, &proof)
            .map_err(|_| WitnessProblem::Proof { old, new })?;
        Ok(proof)
    }

    fn checked_line(
        &self,
        witness: &Witness,
        head: &Head,
        answer: &Answer,
    ) -> Result<Cosignature, WitnessProblem> {
        let text =
            std::str::from_utf8(&answer.body).map_err(|_| NoteProblem::Form("it is not UTF-8"))?;
        let note = Note::parse(head.note.as_bytes())?.with_cosignatures(text, &witness.key)?;
        let seconds = note.verify_cosignature(&witness.key)?;
        let line = note
            .lines_by(&witness.key)
            .last()
            .ok_or_else(|| NoteProblem::Unsigned(witness.key.name.clone()))?;
        let micros = seconds.saturating_mul(1_000_000);
        Ok(Cosignature {
            size: log::as_stored(head.size),
            witness: witness.key.name.clone(),
            line: line.written(),
            at: Timestamp::from_micros(i64::try_from(micros).unwrap_or(i64::MAX)),
            received_at: self.clock.now(),
        })
    }

    /// How it stands with the witness after its answer. What changed is told once; a log in doubt is told aloud.
    fn witness_after(
        &self,
        witness: &Witness,
        known: Option<Try>,
        seen: u64,
        asked_at: Timestamp,
        outcome: &Result<Cosignature, WitnessProblem>,
    ) -> Try {
        let name = &witness.key.name;
        let before = known.as_ref().and_then(|known| known.last_problem.clone());
        let tries = known.as_ref().map_or(0, |known| known.tries);
        let now = self.clock.now();
        let problem = outcome.as_ref().err().map(|why| plain(&why.to_string()));
        match (&before, &problem) {
            (before, Some(why)) if before.as_ref() != Some(why) => {
                if outcome.as_ref().is_err_and(WitnessProblem::is_grave) {
                    tracing::error!(witness = %name, problem = %why, "a witness has seen another history of the log");
                } else {
                    tracing::warn!(witness = %name, problem = %why, "the log was not cosigned; it is tried again");
                }
            }
            (Some(_), None) => tracing::info!(witness = %name, "the log is cosigned again"),
            _ => {}
        }
        let (tries, due_at) = match &problem {
            None => (0, asked_at.plus(EVERY)),
            Some(_) => (tries + 1, now.plus(pause_after(tries + 1, &self.random))),
        };
        Try {
            witness: name.clone(),
            // What is in doubt is asked for anew, so that whoever mends it is believed.
            size: match outcome {
                Err(problem) if problem.is_grave() => 0,
                _ => i64::try_from(seen).unwrap_or(i64::MAX),
            },
            tries,
            due_at,
            last_asked_at: Some(asked_at),
            last_problem: problem,
            in_doubt: i64::from(outcome.as_ref().is_err_and(WitnessProblem::is_grave)),
            cosigned: known.and_then(|known| known.cosigned),
        }
    }
}

/// The body of `add-checkpoint`.
fn submission(old: u64, proof: &[Hash], note: &str) -> String {
    let hashes: String = proof
        .iter()
        .map(|hash| STANDARD.encode(hash) + "\n")
        .collect();
    format!("old {old}\n{hashes}\n{note}")
}

/// The size in a conflict's body: decimal, without leading zeros, and a newline.
fn size_in(answer: &Answer) -> Option<u64> {
    if answer.content_type != SIZE {
        return None;
    }
    let text = std::str::from_utf8(&answer.body).ok()?.strip_suffix('\n')?;
    let size: u64 = text.parse().ok()?;
    (size.to_string() == text).then_some(size)
}

fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_submission_is_the_old_size_the_proof_an_empty_line_and_the_checkpoint() {
        let written = submission(3, &[[0; 32], [255; 32]], "o\n5\nAAAA\n\n\u{2014} o x\n");
        let expected = "old 3\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\
             //////////////////////////////////////////8=\n\no\n5\nAAAA\n\n\u{2014} o x\n";
        assert_eq!(written, expected);
        assert_eq!(submission(0, &[], "o\n"), "old 0\n\no\n");
    }

    #[test]
    fn a_size_has_one_form_and_its_own_type() {
        let answer = |kind: &str, body: &str| Answer {
            status: 409,
            content_type: kind.to_owned(),
            body: body.as_bytes().to_vec(),
        };
        assert_eq!(size_in(&answer(SIZE, "20\n")), Some(20));
        assert_eq!(size_in(&answer(SIZE, "0\n")), Some(0));
        for (kind, body) in [
            ("text/plain", "20\n"),
            (SIZE, "20"),
            (SIZE, "020\n"),
            (SIZE, "+20\n"),
            (SIZE, "20\n\n"),
            (SIZE, "18446744073709551616\n"),
            (SIZE, ""),
        ] {
            assert_eq!(size_in(&answer(kind, body)), None, "{kind} {body}");
        }
    }
}
