//! Deciding a part of an import under locks: what is known of everybody in it, the verdict on each, and what is written.

use std::collections::HashMap;

use super::run::Run;
use super::{Fate, Import, Judged, Problem};
use crate::app::App;
use crate::app::judge::closed;
use crate::app::record::About;
use crate::app::sources::Sources;
use crate::domain::event::{AskedBy, Fact};
use crate::domain::ids::{BrandId, ContactId, ImportId};
use crate::domain::import::Imported;
use crate::domain::policy::{AddressFacts, Closed, Judgement, Source, Verdict, judge};
use crate::domain::standing::{Standings, apply};
use crate::domain::time::Timestamp;
use crate::intake::candidate::Candidate;
use crate::store::contacts::Contact;
use crate::store::events::{self, NewEvent};
use crate::store::held::Held;
use crate::store::locks::Locks;
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
    changed: bool,
}

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
        };
        let known = signups::find_known(held.conn(), &who).await?;
        let mut facts = Vec::with_capacity(known.len());
        for ((candidate, who), known) in candidates.iter().zip(&who).zip(known) {
            facts.push(facts_of(import, candidate, &known));
            part.learn(who, known);
        }
        part.learn_sources(held.conn()).await?;
        let mut judged = Vec::with_capacity(candidates.len());
        for ((candidate, who), facts) in candidates.into_iter().zip(&who).zip(facts) {
            judged.push(part.decide(candidate, who, facts)?);
        }
        Ok(Decided {
            judged,
            writes: part.writes(),
            held,
        })
    }

    /// What the brand knows of each candidate's address, and from which sources it has it; nothing is held.
    pub(super) async fn known_candidates(
        &self,
        import: &Import<'_>,
        candidates: &[Candidate],
    ) -> Result<Vec<(AddressFacts, Sources)>, StoreError> {
        let who: Vec<Who> = candidates.iter().map(|one| self.who(import, one)).collect();
        let mut conn = self.store.read().await?;
        let known = signups::find_known(&mut conn, &who).await?;
        let contacts: Vec<(BrandId, ContactId)> = known
            .iter()
            .filter_map(|known| known.contact.as_ref())
            .map(|contact| (contact.brand_id, contact.id))
            .collect();
        let sources = self
            .sources_of(&mut conn, import.purpose, &contacts)
            .await?;
        let told = candidates.iter().zip(known).map(|(candidate, known)| {
            let facts = facts_of(import, candidate, &known);
            let id = known.contact.map(|contact| contact.id);
            let sources = id.and_then(|id| sources.get(&id)).cloned();
            (facts, sources.unwrap_or_default())
        });
        Ok(told.collect())
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

/// What is known of the address itself: by the brand, and by the file's own word that the person left.
fn facts_of(import: &Import<'_>, candidate: &Candidate, known: &Known) -> AddressFacts {
    let mailbox = known.mailbox.as_ref();
    let closed = closed(
        known.contact.as_ref().map(|contact| &contact.standings),
        Some(import.purpose),
        mailbox.is_some_and(|one| one.suppressed_at.is_some()),
        known.erased_at.is_some(),
    );
    AddressFacts {
        role: candidate.address.is_role(),
        closed: closed.or(candidate.left.then_some(Closed::Withdrew)),
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
}

impl Part<'_> {
    fn learn(&mut self, who: &Who, known: Known) {
        if let Some(row) = known.contact {
            self.contacts.entry(who.address_key.clone()).or_insert(One {
                row,
                sources: Sources::default(),
                is_new: false,
                changed: false,
            });
        }
    }

    async fn learn_sources(&mut self, conn: &mut Conn) -> Result<(), StoreError> {
        let brand = self.import.brand.id;
        let ids: Vec<_> = self
            .contacts
            .values()
            .map(|one| (brand, one.row.id))
            .collect();
        let mut sources = self.app.sources_of(conn, self.import.purpose, &ids).await?;
        for one in self.contacts.values_mut() {
            one.sources = sources.remove(&one.row.id).unwrap_or_default();
        }
        Ok(())
    }

    fn decide(
        &mut self,
        candidate: Candidate,
        who: &Who,
        facts: AddressFacts,
    ) -> Result<Judged, StoreError> {
        let known = self.contacts.remove(&who.address_key);
        let mut sources = known
            .as_ref()
            .map(|one| one.sources.clone())
            .unwrap_or_default();
        sources.add(&candidate.claims);
        let terms = sources.terms(&self.import.terms);
        let judgement = judge(&sources.claims, facts, &terms, self.now);
        if judgement.verdict == Verdict::Refuse {
            if let Some(known) = known {
                self.contacts.insert(who.address_key.clone(), known);
            }
            return Ok(Judged {
                candidate,
                judgement,
                fate: Fate::NotStored,
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
        let changed = self.contacts.into_values().filter(|one| one.changed);
        let rows: Vec<Contact> = changed.map(|one| one.row).collect();
        let mut writes = Writes::default();
        contacts::put(&mut writes, &rows);
        events::append(&mut writes, &self.events);
        writes
    }
}
