//! Deciding a part of an import under locks: what is known of everybody in it, the verdict on each, and what is written.

mod files;
mod leaving;

use std::collections::HashMap;

use leaving::Ends;

use super::known::{Doors, Kept, One, remember};
use super::run::Run;
use super::{Fate, Import, Judged, Problem};
use crate::app::App;
use crate::app::judge::closed;
use crate::app::record::About;
use crate::app::sources::Sources;
use crate::domain::event::{AskedBy, Fact};
use crate::domain::ids::{ContactId, ImportId};
use crate::domain::import::{Elsewhere, Imported};
use crate::domain::policy::{
    AddressFacts, Closed, Judgement, OrganizerLists, Source, Terms, Verdict, judge,
};
use crate::domain::standing::{Standing, Standings, State, apply};
use crate::domain::time::Timestamp;
use crate::intake::candidate::Candidate;
use crate::intake::proof::ProofFile;
use crate::store::contacts::Contact;
use crate::store::erased::AddressHash;
use crate::store::events::{self, NewEvent};
use crate::store::held::Held;
use crate::store::listed::{self, Known, Named};
use crate::store::locks::Locks;
use crate::store::proofs::{self, Reference};
use crate::store::set::Writes;
use crate::store::{Conn, StoreError, contacts};

/// A part that was decided and is not written yet; its locks are held.
pub(super) struct Decided {
    pub judged: Vec<Judged>,
    pub writes: Writes,
    pub held: Held,
}

impl App {
    /// Decides the rows of a part. The import's own lock keeps others from going on with it, or from taking it back, at the same
    /// time: it is taken with the part's other locks unless the caller holds it. `written`: how many rows are done once the
    /// part is written that is under way.
    pub(super) async fn decide_part(
        &self,
        import: &Import<'_>,
        run: &Run,
        (is_held, written): (bool, Option<i64>),
        candidates: Vec<Candidate>,
    ) -> Result<Decided, Problem> {
        let who: Vec<Named> = candidates.iter().map(|one| self.who(import, one)).collect();
        let mut locks = Locks::default();
        if !is_held {
            locks.import(import.brand.id, run.row.id);
        }
        if candidates.iter().any(|one| !one.files.is_empty()) {
            locks.proofs(import.brand.id);
        }
        for one in &who {
            locks.contact(one.brand_id, &one.address_key);
            locks.mailbox(one.brand_id, &one.mailbox);
        }
        let mut held = match written {
            None => self.store.hold(locks).await?,
            Some(_) => self.store.hold_beside_a_write(locks).await?,
        };
        run.check(held.conn(), written).await?;
        let before = written.unwrap_or(run.row.rows_done);
        let mut part = Part::of(self, import, (run.row.id, before), candidates.len());
        let judged = part.judge_all(held.conn(), candidates, &who).await?;
        let left = part.tell_left(held.conn()).await?;
        let files = part.new_files(held.conn()).await?;
        let ended = part
            .ends
            .find(held.conn(), import.purpose, part.now)
            .await?;
        let mut writes = part.writes();
        left.put(&mut writes);
        proofs::put(&mut writes, &files);
        Ends::put(&mut writes, &ended);
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
        let who: Vec<Named> = candidates.iter().map(|one| self.who(import, one)).collect();
        let id = ImportId(uuid::Uuid::nil());
        let mut part = Part::of(self, import, (id, 0), candidates.len());
        for one in &who {
            if let Some(known) = kept.contacts.remove(&one.address_key) {
                part.contacts.insert(one.address_key.clone(), known);
            }
            if let Some(at) = kept.left.get(&one.address_hash) {
                remember(&mut part.left, one.address_hash, *at);
            }
        }
        let mut conn = self.store.read().await?;
        let judged = part.judge_all(&mut conn, candidates, &who).await?;
        kept.keep(part.contacts);
        kept.keep_left(&who, &part.left_now);
        let not_stored = |judged| Judged {
            fate: Fate::NotStored,
            ..judged
        };
        Ok(judged.into_iter().map(not_stored).collect())
    }

    fn who(&self, import: &Import<'_>, candidate: &Candidate) -> Named {
        let (brand, address) = (import.brand.id, &candidate.address);
        Named {
            brand_id: brand,
            address_key: address.key().to_owned(),
            address_hash: self.keys.address_hash(brand.0, address.key()),
            mailbox: self.keys.mailbox_hash(brand.0, &address.mailbox()),
        }
    }
}

/// A part as it is decided. Later rows see what the earlier ones changed.
struct Part<'a> {
    app: &'a App,
    import: &'a Import<'a>,
    id: ImportId,
    /// How many rows of the list came before it.
    before: i64,
    /// The brand's; what was chosen for this import stands with its claims.
    terms: Terms,
    now: Timestamp,
    contacts: HashMap<String, One>,
    events: Vec<NewEvent>,
    /// The files that rows rest on which are taken, with their contacts.
    files: Vec<(ProofFile, ContactId)>,
    /// Who left as lists told, of those whom the brand did not know; and who of them did by this very part.
    left: HashMap<AddressHash, Timestamp>,
    left_now: HashMap<AddressHash, Timestamp>,
    /// Contacts that leave by this part.
    ends: Ends,
}

impl<'a> Part<'a> {
    /// A part of which nothing is decided yet. The clock is read under its locks.
    fn of(
        app: &'a App,
        import: &'a Import<'a>,
        (id, before): (ImportId, i64),
        rows: usize,
    ) -> Self {
        Self {
            app,
            import,
            id,
            before,
            terms: Terms {
                organizer_lists: OrganizerLists::Refuse,
                ..import.terms.clone()
            },
            now: app.clock.now(),
            contacts: HashMap::with_capacity(rows),
            events: Vec::with_capacity(rows),
            files: Vec::new(),
            left: HashMap::new(),
            left_now: HashMap::new(),
            ends: Ends::default(),
        }
    }

    async fn judge_all(
        &mut self,
        conn: &mut Conn,
        mut candidates: Vec<Candidate>,
        who: &[Named],
    ) -> Result<Vec<Judged>, StoreError> {
        let chosen = self.import.terms.organizer_lists;
        for candidate in &mut candidates {
            let claims = std::mem::take(&mut candidate.claims).into_iter();
            candidate.claims = claims.map(|claim| claim.chosen(chosen)).collect();
        }
        let known = listed::find(conn, who).await?;
        let mut doors = Vec::with_capacity(known.len());
        for ((candidate, who), known) in candidates.iter().zip(who).zip(known) {
            doors.push(Doors::of(candidate, &known));
            let purpose = self.import.purpose.as_str();
            for left in known.left.iter().filter(|left| left.purpose == purpose) {
                remember(&mut self.left, who.address_hash, left.at);
            }
            self.learn(who, known);
        }
        self.learn_sources(conn).await?;
        let mut judged = Vec::with_capacity(candidates.len());
        for ((candidate, who), doors) in candidates.into_iter().zip(who).zip(doors) {
            judged.push(self.decide(candidate, who, doors)?);
        }
        Ok(judged)
    }

    fn learn(&mut self, who: &Named, known: Known) {
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

    /// What is known of the address itself: by the brand, and by the word of this and of earlier lists that the person left.
    fn facts(&self, known: Option<&One>, doors: Doors, left_at: Option<Timestamp>) -> AddressFacts {
        let closed = closed(
            known.map(|one| &one.row.standings),
            Some(self.import.purpose),
            doors.suppressed,
            doors.erased,
        );
        let left = left_at.is_some_and(|at| !self.confirmed_since(known, at));
        AddressFacts {
            role: doors.role,
            closed: closed.or(left.then_some(Closed::Withdrew)),
        }
    }

    fn decide(
        &mut self,
        candidate: Candidate,
        who: &Named,
        doors: Doors,
    ) -> Result<Judged, StoreError> {
        let known = self.contacts.remove(&who.address_key);
        let left_by = self.left_by(&candidate);
        let told_before = self.left.get(&who.address_hash).copied();
        let facts = self.facts(known.as_ref(), doors, left_by.max(told_before));
        let mut sources = known
            .as_ref()
            .map(|one| one.sources.clone())
            .unwrap_or_default();
        sources.add(&candidate.claims);
        let judgement = judge(&sources.claims, facts, &self.terms, self.now);
        if judgement.verdict == Verdict::Refuse {
            let mut fate = Fate::NotStored;
            match (known, left_by) {
                (Some(mut known), left_by) => {
                    if let Some(at) = left_by {
                        fate = self.leave(&mut known, &candidate, judgement.clone(), at)?;
                    }
                    self.contacts.insert(who.address_key.clone(), known);
                }
                (None, Some(at)) => {
                    remember(&mut self.left, who.address_hash, at);
                    remember(&mut self.left_now, who.address_hash, at);
                }
                (None, None) => {}
            }
            return Ok(Judged {
                candidate,
                judgement,
                fate,
            });
        }
        let mut one = known.unwrap_or_else(|| self.new_one(&candidate, who));
        let mut imported = self.imported(&one.row, &candidate, judgement.clone());
        let has_others = sources.claims != candidate.claims;
        let said = candidate.elsewhere.as_ref();
        let says_confirmed = said.is_some_and(|said| said.confirmed_before(self.now));
        if has_others || says_confirmed {
            let alone = judge(&candidate.claims, facts, &self.terms, self.now);
            imported.confirmed_elsewhere = says_confirmed
                && alone.verdict == Verdict::Accept
                && alone.source != Some(Source::MergerOrAcquisition);
            imported.own = has_others.then_some(alone);
        }
        // The same act told again gives nothing anew, whatever became of what it gave.
        let told_by = one.sources.told_by(&candidate.claims, said);
        let is_told = !told_by.is_empty();
        let brings_back = |ended: &Standing| {
            let since = said.is_some_and(|said| said.confirmed_since(ended.since));
            imported.confirmed_elsewhere && since
        };
        let ended = self.ended(&one, &candidate);
        imported.told_again = is_told || ended.is_some_and(|ended| !brings_back(&ended));
        imported.confirmed_elsewhere &= is_told || !imported.told_again;
        let fate = if is_told {
            Fate::Unchanged
        } else if one.is_new {
            Fate::New
        } else {
            Fate::Added
        };
        if !is_told || Sources::is_to_keep(&told_by, self.id) {
            let fact = Fact::Imported(Box::new(imported));
            apply(&mut one.row.standings, &fact, self.now);
            self.record(&one.row, fact)?;
            one.sources.claims = sources.claims;
            let row = (self.id, candidate.line);
            one.sources.learn(row, &candidate.claims, said);
            let files = candidate.files.iter().cloned();
            self.files.extend(files.map(|file| (file, one.row.id)));
        }
        if !is_told {
            one.row.name = one.row.name.take().or_else(|| candidate.name.clone());
            one.is_new = false;
            one.changed = true;
        }
        self.contacts.insert(who.address_key.clone(), one);
        Ok(Judged {
            candidate,
            judgement,
            fate,
        })
    }

    /// Where the contact stands if what the row tells had been told before, and what it gave has ended: further words of another system
    /// bring nothing back, unless they tell of a confirmation since.
    fn ended(&self, one: &One, candidate: &Candidate) -> Option<Standing> {
        let standing = one.row.standings.get(self.import.purpose)?.as_of(self.now);
        let told_by = one.sources.told_by(&candidate.claims, None);
        (standing.state == State::Lapsed && !told_by.is_empty()).then_some(standing)
    }

    fn new_one(&self, candidate: &Candidate, who: &Named) -> One {
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
        let apart = candidate.elsewhere.as_ref().map(Elsewhere::apart);
        let (elsewhere, circumstances) = apart.unzip();
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
            elsewhere,
            circumstances: circumstances.flatten().map(Box::new),
            confirmed_elsewhere: false,
            left: false,
            left_by: None,
            told_again: false,
            own: None,
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
        contacts::put_brought(&mut writes, &rows, self.now);
        events::append(&mut writes, &self.events);
        proofs::refer(&mut writes, &references);
        writes
    }
}
