//! The kept timestamps: each is checked again over the checkpoint that it is of.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use sha2::{Digest, Sha256};

use super::super::App;
use super::Audit;
use super::times::latest;
use crate::domain::time::Timestamp;
use crate::ledger::checkpoint::Checkpoint;
use crate::ledger::merkle::Hash;
use crate::ledger::stamps::Stamps;
use crate::ledger::timestamp::{Asked, Certificate, Certificates, check};
use crate::store::log::as_stored;
use crate::store::timestamps::{self, KeptStamp};
use crate::store::{Conn, StoreError, log};

const PAGE: i64 = 200;

/// What an authority saw.
#[derive(Clone, Copy)]
pub(super) struct Seen {
    /// Entries of the log.
    pub size: u64,
    pub at: Timestamp,
    /// By then it had these entries, by this authority or by one that saw more of them earlier.
    pub holds_by: Timestamp,
    /// No event among them says a later time: `holds_by`, or later if the clock was ahead when the checkpoint was signed.
    pub latest: Timestamp,
}

/// What authorities saw of the log.
#[derive(Default)]
pub(super) struct Stamped {
    /// The stamps that hold, in the order of their sizes.
    pub seen: VecDeque<Seen>,
    /// The chain of all that are kept, by the number of each; before the first, that of none.
    pub chain: Vec<Stamps>,
}

/// What a stamp comes to.
enum Checked {
    Holds(Seen),
    /// It is good but for its root, of this name, which is not among those of the settings.
    OtherRoot(String),
}

/// Stamps of roots that are not among those of the settings, which may have been replaced since. Then they stand before all
/// that lead to the new ones. They prove nothing here, and bound no event.
#[derive(Default)]
struct Replaced {
    /// How many there are by each authority, and the root of the first.
    others: BTreeMap<String, (u64, String)>,
    /// Authorities of which a stamp was met that leads to a root of the settings.
    hold: BTreeSet<String>,
}

impl Replaced {
    fn holds(&mut self, authority: &str) {
        if !self.hold.contains(authority) {
            self.hold.insert(authority.to_owned());
        }
    }

    /// What is wrong with one more, if it is not to be told with the others.
    fn other(&mut self, authority: &str, root: String) -> Option<String> {
        if self.hold.contains(authority) {
            return Some(format!(
                "it leads to the root certificate \"{root}\", which is not among those of the settings, and an earlier one leads to one that is"
            ));
        }
        let others = self.others.entry(authority.to_owned());
        others.or_insert((0, root)).0 += 1;
        None
    }

    fn tell(self, audit: &mut Audit) {
        for (authority, (count, root)) in self.others {
            audit.remark(format!(
                "{count} timestamps by {authority} lead to a root certificate that is not among those of the settings, the first to \"{root}\"; they were not used. If the authority's roots were replaced, name the old ones beside the new; if not, somebody put them in"
            ));
        }
    }
}

/// A stamp's number and its link as they are kept, and what the link is made of.
type Link = (i64, Vec<u8>, String, Hash);

/// The chain that the stamps make, up to the first that does not follow on the one before it.
fn chain(mut links: Vec<Link>, audit: &mut Audit) -> Vec<Stamps> {
    links.sort_by_key(|link| link.0);
    let mut chain = vec![Stamps::default()];
    for (number, kept, authority, response) in links {
        let before = chain.last().copied().unwrap_or_default();
        let next = before.with_hash(&authority, &response);
        if number != as_stored(next.count) {
            audit.find(format!(
                "the timestamp number {} is missing, and number {number} is there: it was removed, or that one was put in",
                next.count
            ));
            break;
        }
        if kept != next.chain {
            audit.find(format!(
                "the timestamp number {number} by {authority}: it is not what was kept, or does not follow on the one before it"
            ));
            break;
        }
        chain.push(next);
    }
    chain
}

impl App {
    /// Checks every timestamp.
    pub(super) async fn audit_timestamps(
        &self,
        conn: &mut Conn,
        audit: &mut Audit,
    ) -> Result<Stamped, StoreError> {
        let mut seen: VecDeque<Seen> = VecDeque::new();
        let mut links: Vec<Link> = Vec::new();
        let mut roots = Replaced::default();
        let mut after = -1;
        loop {
            let page = timestamps::list(conn, after, PAGE).await?;
            let Some(last) = page.last().map(|one| one.stamp.size) else {
                let chain = chain(links, audit);
                roots.tell(audit);
                return Ok(Stamped { seen, chain });
            };
            // A size's stamps are looked at together: the page may end among them.
            let whole = (page.len() as i64) < PAGE || page.iter().all(|one| one.stamp.size == last);
            for one in page.iter().filter(|one| whole || one.stamp.size < last) {
                let stamp = &one.stamp;
                audit.timestamps += 1;
                let answer = Sha256::digest(&stamp.response).into();
                let link = (
                    one.number,
                    one.chain.clone(),
                    stamp.authority.clone(),
                    answer,
                );
                links.push(link);
                after = stamp.size;
                let problem = match self.check_stamp(conn, stamp).await? {
                    Ok(Checked::Holds(one)) => {
                        roots.holds(&stamp.authority);
                        seen.push_back(one);
                        continue;
                    }
                    Ok(Checked::OtherRoot(root)) => match roots.other(&stamp.authority, root) {
                        Some(problem) => problem,
                        None => continue,
                    },
                    Err(problem) => problem,
                };
                audit.find(format!(
                    "the timestamp of the checkpoint of size {} by {}: {problem}",
                    stamp.size, stamp.authority
                ));
            }
        }
    }

    async fn check_stamp(
        &self,
        conn: &mut Conn,
        stamp: &KeptStamp,
    ) -> Result<Result<Checked, String>, StoreError> {
        let Some(checkpoint) = log::find_checkpoint(conn, stamp.size).await? else {
            return Ok(Err("there is no such checkpoint".to_owned()));
        };
        let note = checkpoint.note.as_bytes();
        let read = match Checkpoint::verified(note, &self.log.key.verifier()) {
            Ok((read, _)) => read,
            Err(problem) => return Ok(Err(problem.to_string())),
        };
        let Ok(beside) = Certificate::all_from_pem(stamp.certificates.as_bytes()) else {
            return Ok(Err("its certificates cannot be read".to_owned()));
        };
        let authorities = &self.config.timestamps.authorities;
        let known = authorities.iter().find(|one| one.name == stamp.authority);
        let checked = |trusted: &[Certificate]| {
            let certificates = Certificates {
                trusted,
                beside: &beside,
            };
            check(&stamp.response, note, Asked::default(), certificates)
        };
        let roots = known.map_or(&[][..], |authority| &authority.roots);
        let found = match checked(roots) {
            Ok(found) => found,
            Err(problem) => {
                let other = checked(&[]).ok().filter(|other| other.at == stamp.at);
                return Ok(match other {
                    Some(other) => Ok(Checked::OtherRoot(other.root_name)),
                    None => Err(problem.to_string()),
                });
            }
        };
        if found.at != stamp.at {
            return Ok(Err("its column at was changed".to_owned()));
        }
        // Of an authority that the settings do not name, any root would do.
        if known.is_none() {
            return Ok(Ok(Checked::OtherRoot(found.root_name)));
        }
        Ok(Ok(Checked::Holds(Seen {
            size: read.size,
            at: found.at,
            holds_by: found.at,
            latest: latest(found.at, read.signed_at),
        })))
    }
}
