//! The kept lines of witnesses: each is checked again under its checkpoint. A witness that the settings no longer name
//! cannot be checked.

use super::super::App;
use super::Audit;
use crate::ledger::note::{Note, NoteProblem};
use crate::store::cosignatures::{self, Cosignature};
use crate::store::{Conn, StoreError, log};

const PAGE: i64 = 1_000;

impl App {
    pub(super) async fn audit_cosignatures(
        &self,
        conn: &mut Conn,
        audit: &mut Audit,
    ) -> Result<(), StoreError> {
        let mut after = (-1, String::new());
        loop {
            let page = cosignatures::list(conn, &after, PAGE).await?;
            let Some(last) = page.last() else {
                return Ok(());
            };
            after = (last.size, last.witness.clone());
            for line in &page {
                if let Err(problem) = self.check_line(conn, line).await? {
                    audit.find(format!(
                        "the line of the witness {} under the checkpoint of size {}: {problem}",
                        line.witness, line.size
                    ));
                }
            }
        }
    }

    async fn check_line(
        &self,
        conn: &mut Conn,
        line: &Cosignature,
    ) -> Result<Result<(), String>, StoreError> {
        let mut named = self.config.witnesses.witnesses.iter();
        let Some(witness) = named.find(|one| one.key.name == line.witness) else {
            return Ok(Ok(()));
        };
        let Some(checkpoint) = log::find_checkpoint(conn, line.size).await? else {
            return Ok(Err("there is no such checkpoint".to_owned()));
        };
        let seconds = |note: String| -> Result<u64, NoteProblem> {
            Note::parse(note.as_bytes())?.verify_cosignature(&witness.key)
        };
        Ok(match seconds(checkpoint.note + &line.line) {
            Err(problem) => Err(problem.to_string()),
            Ok(seconds) if i64::try_from(seconds) != Ok(line.at.unix_seconds()) => {
                Err("its column at was changed".to_owned())
            }
            Ok(_) => Ok(()),
        })
    }
}
