//! The kept timestamps: each is checked again over the checkpoint that it is of.

use std::collections::VecDeque;

use super::super::App;
use super::Audit;
use crate::domain::time::Timestamp;
use crate::ledger::timestamp::{Asked, Certificate, Certificates, check};
use crate::store::timestamps::{self, KeptStamp};
use crate::store::{Conn, StoreError, log};

const PAGE: i64 = 200;

/// The size of a log that an authority saw, and when.
pub(super) type Seen = (u64, Timestamp);

impl App {
    /// Checks every timestamp; answers with those that hold, in the order of their sizes.
    pub(super) async fn audit_timestamps(
        &self,
        conn: &mut Conn,
        audit: &mut Audit,
    ) -> Result<VecDeque<Seen>, StoreError> {
        let mut seen: VecDeque<Seen> = VecDeque::new();
        let mut after = -1;
        loop {
            let page = timestamps::list(conn, after, PAGE).await?;
            let Some(last) = page.last().map(|stamp| stamp.size) else {
                return Ok(seen);
            };
            // A size's stamps are looked at together: the page may end among them.
            let whole = (page.len() as i64) < PAGE || page.iter().all(|stamp| stamp.size == last);
            for stamp in page.iter().filter(|stamp| whole || stamp.size < last) {
                audit.timestamps += 1;
                after = stamp.size;
                match self.check_stamp(conn, stamp).await? {
                    Ok(()) => seen.push_back((u64::try_from(stamp.size).unwrap_or(0), stamp.at)),
                    Err(problem) => audit.find(format!(
                        "the timestamp of the checkpoint of size {} by {}: {problem}",
                        stamp.size, stamp.authority
                    )),
                }
            }
        }
    }

    async fn check_stamp(
        &self,
        conn: &mut Conn,
        stamp: &KeptStamp,
    ) -> Result<Result<(), String>, StoreError> {
        let Some(checkpoint) = log::find_checkpoint(conn, stamp.size).await? else {
            return Ok(Err("there is no such checkpoint".to_owned()));
        };
        let Ok(beside) = Certificate::all_from_pem(stamp.certificates.as_bytes()) else {
            return Ok(Err("its certificates cannot be read".to_owned()));
        };
        let authorities = &self.config.timestamps.authorities;
        let known = authorities.iter().find(|one| one.name == stamp.authority);
        let certificates = Certificates {
            trusted: known.map_or(&[], |authority| &authority.roots),
            beside: &beside,
        };
        let asked = Asked::default();
        let checked = check(
            &stamp.response,
            checkpoint.note.as_bytes(),
            asked,
            certificates,
        );
        Ok(match checked {
            Err(problem) => Err(problem.to_string()),
            Ok(found) if found.at != stamp.at => Err("its column at was changed".to_owned()),
            Ok(_) => Ok(()),
        })
    }
}
