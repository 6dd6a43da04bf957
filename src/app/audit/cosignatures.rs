//! The kept lines of witnesses: each is checked again under its checkpoint. A witness that the settings no longer name
//! cannot be checked, and neither can lines by a key that was replaced since: those stand before all by the new one.

use std::collections::{BTreeMap, BTreeSet};

use super::super::App;
use super::Audit;
use crate::ledger::note::{Note, NoteProblem};
use crate::store::cosignatures::{self, Cosignature};
use crate::store::{Conn, StoreError, log};

const PAGE: i64 = 1_000;

/// What a line comes to.
enum Checked {
    /// Nobody of this name is in the settings.
    Unknown,
    Holds,
    /// By a key of the same name that is not in the settings.
    OtherKey,
}

impl App {
    pub(super) async fn audit_cosignatures(
        &self,
        conn: &mut Conn,
        audit: &mut Audit,
    ) -> Result<(), StoreError> {
        let mut after = (-1, String::new());
        let mut hold: BTreeSet<String> = BTreeSet::new();
        let mut others: BTreeMap<String, u64> = BTreeMap::new();
        loop {
            let page = cosignatures::list(conn, &after, PAGE).await?;
            let Some(last) = page.last() else {
                break;
            };
            after = (last.size, last.witness.clone());
            for line in page {
                let problem = match self.check_line(conn, &line).await? {
                    Ok(Checked::Unknown) => continue,
                    Ok(Checked::Holds) => {
                        hold.insert(line.witness);
                        continue;
                    }
                    Ok(Checked::OtherKey) if !hold.contains(&line.witness) => {
                        *others.entry(line.witness).or_default() += 1;
                        continue;
                    }
                    Ok(Checked::OtherKey) => {
                        "it is by another key than the settings name, and an earlier one is not"
                            .to_owned()
                    }
                    Err(problem) => problem,
                };
                audit.find(format!(
                    "the line of the witness {} under the checkpoint of size {}: {problem}",
                    line.witness, line.size
                ));
            }
        }
        for (witness, count) in others {
            audit.remark(format!(
                "{count} lines of the witness {witness} are by another key than the settings name, and were not checked: its key was replaced. If it was not, they were changed"
            ));
        }
        Ok(())
    }

    async fn check_line(
        &self,
        conn: &mut Conn,
        line: &Cosignature,
    ) -> Result<Result<Checked, String>, StoreError> {
        let mut named = self.config.witnesses.witnesses.iter();
        let Some(witness) = named.find(|one| one.key.name == line.witness) else {
            return Ok(Ok(Checked::Unknown));
        };
        let Some(checkpoint) = log::find_checkpoint(conn, line.size).await? else {
            return Ok(Err("there is no such checkpoint".to_owned()));
        };
        let note = match Note::parse((checkpoint.note + &line.line).as_bytes()) {
            Ok(note) => note,
            Err(problem) => return Ok(Err(problem.to_string())),
        };
        let is_of_its_name = |one: &crate::ledger::note::Line| one.name == line.witness;
        Ok(match note.verify_cosignature(&witness.key) {
            Ok(seconds) if i64::try_from(seconds) != Ok(line.at.unix_seconds()) => {
                Err("its column at was changed".to_owned())
            }
            Ok(_) => Ok(Checked::Holds),
            Err(NoteProblem::Unsigned(_)) if note.lines.iter().any(is_of_its_name) => {
                Ok(Checked::OtherKey)
            }
            Err(problem) => Err(problem.to_string()),
        })
    }
}
