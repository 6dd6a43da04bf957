//! Deciding a part of an import under locks: what is known of everybody in it, the verdict on each, and what is written.

use std::collections::{BTreeMap, HashMap};

use super::again::Again;
use super::run::Run;
use super::{Fate, Import, Judged, Problem};
use crate::app::App;
use crate::app::judge::closed;
use crate::app::record::About;
use crate::app::sources::Sources;
use crate::domain::brand::Slug;
use crate::domain::event::{AskedBy, Fact, Grade};
use crate::domain::ids::{ContactId, ImportId};
use crate::domain::import::Imported;
use crate::domain::policy::{AddressFacts, Closed, Judgement, Source, Verdict, judge};
use crate::domain::standing::{Standings, State, apply};
use crate::domain::time::Timestamp;
use crate::intake::candidate::Candidate;
use crate::intake::proof::ProofFile;
use crate::store::contacts::Contact;
use crate::store::events::{self, NewEvent};
use crate::store::held::Held;
use crate::store::locks::Locks;
use crate::store::proofs::{self, FILES_AT_MOST, FileHash, ProofRow, Reference};
use crate::store::set::Writes;
use crate::store::signups::{self, Known, Who};
use crate::store::{Conn, StoreError, contacts};

/// A part that was decided and is not written yet; its locks are held.
pub(super) struct Decided {
    pub judged: Vec<Judged>,
    pub writes: Writes,
    pub held: Held,
}

/// A contact with the sources that the brand knows of.
struct One {
    row: Contact,
    sources: Sources,
    is_new: bool,
    /// As the database has it, and not as an earlier part left it.
    is_fresh: bool,
    changed: bool,
}

impl One {
    /// Whether the person has not left this purpose yet, as far as the brand knows.
    fn standing_is_open(&self, purpose: &Slug) -> bool {
        let standing = self.row.standings.get(purpose);
        !standing.is_some_and(|one| matches!(one.state, State::Withdrawn | State::Declined))
    }
}

/// Whoever left on a day may have done so until its end.
const A_DAY: std::time::Duration = std::time::Duration::from_secs(86_400);

impl App {
    /// Decides the rows of a part. The import's own lock keeps a second process from going on with it at the same time.
    pub(super) async fn decide_part(
        &self,
        import: &Import<'_>,
        run: &Run,
        candidates: Vec<Candidate>,
    ) -> Result<Decided, Problem> {
        let who: Vec<Who> = candidates.iter().map(|one| self.who(import, one)).collect();
        let mut locks = Locks::default();
        locks.import(import.brand.id, run.row.id);
        if candidates.iter().any(|one| !one.files.is_empty()) {
            locks.proofs(import.brand.id);
        }
        for one in &who {
            locks.contact(one.brand_id, &one.address_key);
            locks.mailbox(one.brand_id, &one.mailbox);
        }
        let mut held = self.store.hold(locks).await?;
        run.check(held.conn()).await?;
        let mut part = Part {
            app: self,
            import,
            id: run.row.id,
            now: self.clock.now(),
            contacts: HashMap::with_capacity(candidates.len()),
            events: Vec::with_capacity(candidates.len()),
            files: Vec::new(),
        };
        let judged = part.judge_all(held.conn(), candidates, &who).await?;
        let files = part.new_files(held.conn()).await?;
        let mut writes = part.writes();
        proofs::put(&mut writes, &files);
        Ok(Decided {
            judged,
            writes,
            held,
        })
    }

    /// Judges a part as if it were written, and writes nothing. `kept` holds, from part to part, the contacts of addresses that
    /// come again, as the rows so far leave them.
    pub(super) async fn try_part(
        &self,
        import: &Import<'_>,
        candidates: Vec<Candidate>,
        kept: &mut Kept,
    ) -> Result<Vec<Judged>, StoreError> {
        let who: Vec<Who> = candidates.iter().map(|one| self.who(import, one)).collect();
        let mut part = Part {
            app: self,
            import,
            id: ImportId(uuid::Uuid::nil()),
            now: self.clock.now(),
            contacts: HashMap::with_capacity(candidates.len()),
            events: Vec::new(),
            files: Vec::new(),
        };
        for one in &who {
            if let Some(known) = kept.contacts.remove(&one.address_key) {
                part.contacts.insert(one.address_key.clone(), known);
            }
        }
        let mut conn = self.store.read().await?;
        let judged = part.judge_all(&mut conn, candidates, &who).await?;
        kept.keep(part.contacts);
        let not_stored = |judged| Judged {
            fate: Fate::NotStored,
            ..judged
        };
        Ok(judged.into_iter().map(not_stored).collect())
    }

    fn who(&self, import: &Import<'_>, candidate: &Candidate) -> Who {
        let (brand, address) = (import.brand.id, &candidate.address);
        Who {
            brand_id: brand,
            address_key: address.key().to_owned(),
            address_hash: self.keys.address_hash(brand.0, address.key()),
            mailbox: self.keys.mailbox_hash(brand.0, &address.mailbox()),
            // An import draws on no rate: nothing is mailed.
            network: String::new(),
            form: String::new(),
        }
    }
}

/// What keeps the door closed to an address, beside where its contact stands.
#[derive(Clone, Copy)]
struct Doors {
    suppressed: bool,
    erased: bool,
}

impl Doors {
    fn of(known: &Known) -> Self {
        Self {
            suppressed: known
                .mailbox
                .as_ref()
                .is_some_and(|mailbox| mailbox.suppressed_at.is_some()),
            erased: known.erased_at.is_some(),
        }
    }
}

/// Contacts of addresses that come again, as a file that is only tried would leave them.
pub(super) struct Kept {
    contacts: HashMap<String, One>,
    again: Again,
}

/// Contacts that are kept at most; rows of further ones do not see each other.
const KEPT: usize = 100_000;

impl Kept {
    pub fn of(again: Again) -> Self {
        Self {
            contacts: HashMap::new(),
            again,
        }
    }

    fn keep(&mut self, contacts: HashMap<String, One>) {
        for (key, one) in contacts {
            if self.contacts.len() < KEPT && self.again.comes_again(&key) {
                self.contacts.insert(
                    key,
                    One {
                        is_fresh: false,
                        ..one
                    },
                );
            }
        }
    }
}

/// A part as it is decided. Later rows see what the earlier ones changed.
struct Part<'a> {
    app: &'a App,
    import: &'a Import<'a>,
    id: ImportId,
    now: Timestamp,
    contacts: HashMap<String, One>,
    events: Vec<NewEvent>,
    /// The files that rows rest on which are taken, with their contacts.
    files: Vec<(ProofFile, ContactId)>,
}

impl Part<'_> {
    async fn judge_all(
        &mut self,
        conn: &mut Conn,
        candidates: Vec<Candidate>,
        who: &[Who],
    ) -> Result<Vec<Judged>, StoreError> {
        let known = signups::find_known(conn, who).await?;
        let mut doors = Vec::with_capacity(known.len());
        for (who, known) in who.iter().zip(known) {
            doors.push(Doors::of(&known));
            self.learn(who, known);
        }
        self.learn_sources(conn).await?;
        let mut judged = Vec::with_capacity(candidates.len());
        for ((candidate, who), doors) in candidates.into_iter().zip(who).zip(doors) {
            judged.push(self.decide(candidate, who, doors)?);
        }
        Ok(judged)
    }

    fn learn(&mut self, who: &Who, known: Known) {
        if let Some(row) = known.contact {
            self.contacts.entry(who.address_key.clone()).or_insert(One {
                row,
                sources: Sources::default(),
                is_new: false,
                is_fresh: true,
                changed: false,
            });
        }
    }

    async fn learn_sources(&mut self, conn: &mut Conn) -> Result<(), StoreError> {
        let brand = self.import.brand.id;
        let fresh = self.contacts.values().filter(|one| one.is_fresh);
        let ids: Vec<_> = fresh.map(|one| (brand, one.row.id)).collect();
        let mut sources = self.app.sources_of(conn, self.import.purpose, &ids).await?;
        for one in self.contacts.values_mut().filter(|one| one.is_fresh) {
            one.sources = sources.remove(&one.row.id).unwrap_or_default();
        }
        Ok(())
    }

    /// What is known of the address itself: by the brand, and by the file's own word that the person left.
    fn facts(&self, candidate: &Candidate, known: Option<&One>, doors: Doors) -> AddressFacts {
        let closed = closed(
            known.map(|one| &one.row.standings),
            Some(self.import.purpose),
            doors.suppressed,
            doors.erased,
        );
        let left = candidate.left && !self.came_back(candidate, known);
        AddressFacts {
            role: candidate.address.is_role(),
            closed: closed.or(left.then_some(Closed::Withdrew)),
        }
    }

    /// Whether the person confirmed here after the day on which the file says that they left: only that reopens (D3).
    fn came_back(&self, candidate: &Candidate, known: Option<&One>) -> bool {
        let zone = &self.import.terms.zone;
        let left_on = candidate.left_on.as_deref();
        let Some(left_on) = left_on.and_then(|day| zone.start_of_written(day)) else {
            return false;
        };
        let standing = known.and_then(|one| one.row.standings.get(self.import.purpose));
        standing.is_some_and(|standing| {
            standing.state == State::Explicit
                && standing.grade != Some(Grade::ApiClaim)
                && standing.since >= left_on.plus(A_DAY)
        })
    }

    fn decide(
        &mut self,
        candidate: Candidate,
        who: &Who,
        doors: Doors,
    ) -> Result<Judged, StoreError> {
        let known = self.contacts.remove(&who.address_key);
        let facts = self.facts(&candidate, known.as_ref(), doors);
        let mut sources = known
            .as_ref()
            .map(|one| one.sources.clone())
            .unwrap_or_default();
        sources.add(&candidate.claims);
        let terms = sources.terms(&self.import.terms);
        let judgement = judge(&sources.claims, facts, &terms, self.now);
        if judgement.verdict == Verdict::Refuse {
            let mut fate = Fate::NotStored;
            if let Some(mut known) = known {
                let open = known.standing_is_open(self.import.purpose);
                if candidate.left && open && !self.came_back(&candidate, Some(&known)) {
                    self.withdraw(&mut known, &candidate, judgement.clone())?;
                    fate = Fate::Left;
                }
                self.contacts.insert(who.address_key.clone(), known);
            }
            return Ok(Judged {
                candidate,
                judgement,
                fate,
            });
        }
        let mut one = known.unwrap_or_else(|| self.new_one(&candidate, who));
        let mut imported = self.imported(&one.row, &candidate, judgement.clone());
        let said = candidate.elsewhere.as_ref();
        if said.is_some_and(|said| said.confirmed_before(self.now)) {
            let alone = judge(&candidate.claims, facts, &self.import.terms, self.now);
            imported.confirmed_elsewhere = alone.verdict == Verdict::Accept
                && alone.source != Some(Source::MergerOrAcquisition);
        }
        let mut standings = one.row.standings.clone();
        let fact = Fact::Imported(Box::new(imported));
        apply(&mut standings, &fact, self.now);
        // The same act told again gives nothing anew, whatever became of what it gave.
        let is_told = sources == one.sources && !one.is_new;
        let fate = if is_told {
            Fate::Unchanged
        } else {
            self.record(&one.row, fact)?;
            one.row.standings = standings;
            one.row.name = one.row.name.take().or_else(|| candidate.name.clone());
            one.sources = sources;
            one.changed = true;
            let files = candidate.files.iter().cloned();
            self.files.extend(files.map(|file| (file, one.row.id)));
            if std::mem::take(&mut one.is_new) {
                Fate::New
            } else {
                Fate::Added
            }
        };
        self.contacts.insert(who.address_key.clone(), one);
        Ok(Judged {
            candidate,
            judgement,
            fate,
        })
    }

    /// The file says that somebody whom the brand knows has left: a withdrawal, as the operator tells it.
    fn withdraw(
        &mut self,
        known: &mut One,
        candidate: &Candidate,
        judgement: Judgement,
    ) -> Result<(), StoreError> {
        let imported = Imported {
            left: true,
            ..self.imported(&known.row, candidate, judgement)
        };
        let fact = Fact::Imported(Box::new(imported));
        apply(&mut known.row.standings, &fact, self.now);
        self.record(&known.row, fact)?;
        known.changed = true;
        Ok(())
    }

    /// The files that are not kept yet, with their content.
    async fn new_files(&self, conn: &mut Conn) -> Result<Vec<ProofRow>, Problem> {
        let mut wanted: BTreeMap<FileHash, &ProofFile> = BTreeMap::new();
        for (file, _) in &self.files {
            wanted.insert(file.sha256, file);
        }
        let brand_id = self.import.brand.id;
        let hashes: Vec<FileHash> = wanted.keys().copied().collect();
        for kept in proofs::list_kept(conn, brand_id, &hashes).await? {
            wanted.remove(&kept);
        }
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        let more = i64::try_from(wanted.len()).unwrap_or(i64::MAX);
        if proofs::count(conn, brand_id).await?.saturating_add(more) > FILES_AT_MOST {
            return Err(Problem::ManyProofs);
        }
        let mut rows = Vec::with_capacity(wanted.len());
        for (sha256, file) in wanted {
            let name = || file.path.display().to_string();
            let content = file
                .content()
                .map_err(|problem| Problem::Proof(name(), problem))?;
            rows.push(ProofRow {
                brand_id,
                sha256,
                content,
                kept_at: self.now,
            });
        }
        Ok(rows)
    }

    fn new_one(&self, candidate: &Candidate, who: &Who) -> One {
        One {
            row: Contact {
                brand_id: who.brand_id,
                id: ContactId(self.app.random.uuid_v7(self.now)),
                address: candidate.address.deliverable().to_owned(),
                address_key: who.address_key.clone(),
                mailbox: who.mailbox.to_vec(),
                language: candidate
                    .language
                    .unwrap_or(self.import.language)
                    .to_owned(),
                name: None,
                open_request_id: None,
                standings: Standings::new(),
                created_at: self.now,
            },
            sources: Sources::default(),
            is_new: true,
            is_fresh: true,
            changed: false,
        }
    }

    fn imported(&self, contact: &Contact, candidate: &Candidate, judgement: Judgement) -> Imported {
        Imported {
            import: self.id,
            line: candidate.line,
            address_typed: candidate.address.as_typed().to_owned(),
            address: contact.address.clone(),
            name: candidate.name.clone(),
            purposes: vec![self.import.purpose.clone()],
            language: contact.language.clone(),
            claims: candidate.claims.clone(),
            judgement,
            elsewhere: candidate.elsewhere.clone(),
            confirmed_elsewhere: false,
            left: false,
            asked_by: AskedBy::from(&self.import.brand.declared),
        }
    }

    fn record(&mut self, contact: &Contact, fact: Fact) -> Result<(), StoreError> {
        let about = About {
            brand: contact.brand_id,
            contact: contact.id,
            request: None,
        };
        let event = self.app.work().record(about, self.now, fact)?;
        self.events.push(event);
        Ok(())
    }

    fn writes(self) -> Writes {
        let references: Vec<Reference> = self
            .files
            .iter()
            .map(|(file, contact)| Reference {
                brand_id: self.import.brand.id,
                sha256: file.sha256,
                import_id: self.id,
                contact_id: Some(*contact),
            })
            .collect();
        let changed = self.contacts.into_values().filter(|one| one.changed);
        let rows: Vec<Contact> = changed.map(|one| one.row).collect();
        let mut writes = Writes::default();
        contacts::put(&mut writes, &rows);
        events::append(&mut writes, &self.events);
        proofs::refer(&mut writes, &references);
        writes
    }
}
