//! From which sources a brand has a contact: its own form, and what imports told, with the proof that was added since.

use std::collections::{BTreeSet, HashMap};

use super::App;
use super::record::read_body;
use crate::domain::brand::Slug;
use crate::domain::event::{Event, Fact};
use crate::domain::ids::{BrandId, ContactId, ImportId, RequestId};
use crate::domain::import::Elsewhere;
use crate::domain::policy::{Claim, Source, Verdict};
use crate::domain::time::Timestamp;
use crate::store::set::ROWS_AT_MOST;
use crate::store::{Conn, StoreError, events, imports};

/// Sources of one contact that are judged together; the newest are.
const CLAIMS_AT_MOST: usize = 50;

/// Imports of which it is kept that they tell the same: one can be taken back, and the other still tells it. Of further ones it is
/// not, however often a list comes again.
const TELLERS: usize = 2;

/// Words of other systems that are kept of one claim; further ones are nothing new.
const WORDS_AT_MOST: usize = 20;

/// What is claimed of one contact.
#[derive(Clone, Debug, Default)]
pub(super) struct Sources {
    pub claims: Vec<Claim>,
    /// Claims as they were before proof was added to them: told again they are nothing new, and they count no more.
    before: Vec<Claim>,
    told: Vec<Told>,
    left: Left,
}

/// Which imports say that the person left, since they last agreed here.
#[derive(Clone, Debug, Default)]
struct Left {
    by: BTreeSet<ImportId>,
    agreed_at: Option<Timestamp>,
}

/// What events tell of one contact.
#[derive(Default)]
struct Heard {
    told: Vec<Told>,
    left: Left,
}

impl Sources {
    /// What events told, together.
    pub fn of(told: Vec<Told>) -> Self {
        let mut sources = Self::default();
        for one in &told {
            sources.before.extend(one.before.iter().cloned());
            sources.add(std::slice::from_ref(&one.claim));
        }
        sources.told = told;
        sources
    }

    /// The imports that told all of this before, each once; none in an import's place is the brand's own form. Empty where something
    /// of it is new.
    pub fn told_by(
        &self,
        claims: &[Claim],
        said: Option<&Elsewhere>,
    ) -> BTreeSet<Option<ImportId>> {
        let mut all: Option<BTreeSet<Option<ImportId>>> = None;
        for claim in claims {
            let of = || self.told.iter().filter(|one| one.tells(claim));
            let full = of().filter(|one| one.said.is_some()).count() >= WORDS_AT_MOST;
            let said = said.filter(|_| !full);
            let of = of().filter(|one| said.is_none_or(|said| one.says(said)));
            let of: BTreeSet<_> = of.map(|one| one.row.map(|row| row.0)).collect();
            all = Some(all.map_or_else(|| of.clone(), |all| &all & &of));
        }
        all.unwrap_or_default()
    }

    /// Whether it is to be kept that this import, too, tells what these told before.
    pub fn is_to_keep(told_by: &BTreeSet<Option<ImportId>>, import: ImportId) -> bool {
        told_by.len() < TELLERS && !told_by.contains(&None) && !told_by.contains(&Some(import))
    }

    /// Whether it is to be kept that this import, too, says of somebody who has left that they left, by an instant. Where no import
    /// says so, the person did it here.
    pub fn is_leaving_to_keep(&self, import: ImportId, left_by: Timestamp) -> bool {
        (1..TELLERS).contains(&self.left.by.len())
            && !self.left.by.contains(&import)
            && self.left.agreed_at.is_none_or(|at| at < left_by)
    }

    /// An import says that the person left.
    pub fn learn_leaving(&mut self, import: ImportId) {
        self.left.by.insert(import);
    }

    /// A row of an import told of these.
    pub fn learn(&mut self, row: (ImportId, u64), claims: &[Claim], said: Option<&Elsewhere>) {
        self.told.extend(claims.iter().map(|claim| Told {
            said: said.cloned(),
            ..Told::of(Some(row), claim.clone())
        }));
    }

    /// Adds claims that are not there yet. The newest stay where there are too many.
    pub fn add(&mut self, more: &[Claim]) {
        for claim in more {
            if !self.claims.contains(claim) && !self.before.contains(claim) {
                self.claims.push(claim.clone());
            }
        }
        let over = self.claims.len().saturating_sub(CLAIMS_AT_MOST);
        self.claims.drain(..over);
    }
}

/// A source, and what told of it: a row of an import, or a signup with its request.
#[derive(Clone, Debug)]
pub(super) struct Told {
    pub row: Option<(ImportId, u64)>,
    request: Option<RequestId>,
    /// As it stands with the proof that was added.
    pub claim: Claim,
    /// What it was before that.
    before: Vec<Claim>,
    /// The row tells of a confirmation in another system.
    pub confirmed_elsewhere: bool,
    /// What another system says with it.
    said: Option<Elsewhere>,
    /// Another import had told it before.
    pub again: bool,
}

impl Told {
    const fn of(row: Option<(ImportId, u64)>, claim: Claim) -> Self {
        Self {
            row,
            request: None,
            claim,
            before: Vec::new(),
            confirmed_elsewhere: false,
            said: None,
            again: false,
        }
    }

    /// Puts the claim with more proof in the place of the one without it.
    pub fn become_proven(&mut self, claim: Claim) {
        let before = std::mem::replace(&mut self.claim, claim);
        self.before.push(before);
    }

    fn says(&self, said: &Elsewhere) -> bool {
        self.said
            .as_ref()
            .is_some_and(|one| one.tells_the_same(said))
    }

    fn tells(&self, claim: &Claim) -> bool {
        self.claim == *claim || self.before.contains(claim)
    }
}

impl App {
    /// The sources of contacts for a purpose, from their events. What was taken back is none.
    pub(super) async fn sources_of(
        &self,
        conn: &mut Conn,
        purpose: &Slug,
        contacts: &[(BrandId, ContactId)],
    ) -> Result<HashMap<ContactId, Sources>, StoreError> {
        let heard = self.heard_of(conn, purpose, contacts).await?.into_iter();
        let sources = heard.map(|(contact, heard)| {
            let told = Sources::of(heard.told);
            let left = heard.left;
            (contact, Sources { left, ..told })
        });
        Ok(sources.collect())
    }

    /// The same, each source with what told of it, oldest first.
    pub(super) async fn told_of(
        &self,
        conn: &mut Conn,
        purpose: &Slug,
        contacts: &[(BrandId, ContactId)],
    ) -> Result<HashMap<ContactId, Vec<Told>>, StoreError> {
        let heard = self.heard_of(conn, purpose, contacts).await?.into_iter();
        Ok(heard
            .map(|(contact, heard)| (contact, heard.told))
            .collect())
    }

    async fn heard_of(
        &self,
        conn: &mut Conn,
        purpose: &Slug,
        contacts: &[(BrandId, ContactId)],
    ) -> Result<HashMap<ContactId, Heard>, StoreError> {
        let mut heard: HashMap<ContactId, Heard> = HashMap::new();
        for part in contacts.chunks(ROWS_AT_MOST) {
            events::each_source(conn, part, |contact, body| {
                let event = read_body(body.as_deref())?;
                if let Some(event) = event.filter(|one| one.fact.purposes().contains(purpose)) {
                    self.learn_source(heard.entry(contact).or_default(), event);
                }
                Ok(())
            })
            .await?;
        }
        // From the moment that an import is being taken back it is no source, though its contacts come to their turn later.
        let gone = match contacts.first() {
            Some((brand, _)) => imports::list_withdrawing(conn, *brand).await?,
            None => Vec::new(),
        };
        for heard in heard.values_mut() {
            let stands = |one: &Told| one.row.is_none_or(|(import, _)| !gone.contains(&import));
            heard.told.retain(stands);
            heard.left.by.retain(|import| !gone.contains(import));
        }
        Ok(heard)
    }

    fn learn_source(&self, heard: &mut Heard, event: Event) {
        let request = event.request;
        let told = &mut heard.told;
        match event.fact {
            // A row that says that the person left tells of no act of theirs to rest on.
            Fact::Imported(one) if one.left => {
                heard.left.by.insert(one.import);
            }
            Fact::Imported(one) => {
                // Earlier versions kept the choice beside the claims.
                let chosen = one.judgement.facts.organizer_lists.unwrap_or_default();
                let said = one.elsewhere.as_ref();
                let confirmed_elsewhere = said.is_some_and(|said| said.confirmed_before(event.at));
                told.extend(one.claims.into_iter().map(|claim| Told {
                    confirmed_elsewhere,
                    said: one.elsewhere.clone(),
                    again: one.told_again,
                    ..Told::of(Some((one.import, one.line)), claim.chosen(chosen))
                }));
            }
            Fact::Confirmed { .. } | Fact::PurposeChanged(_) => {
                heard.left = Left {
                    by: BTreeSet::new(),
                    agreed_at: Some(event.at),
                };
            }
            Fact::ProofAdded(added) => {
                let is_of = |one: &&mut Told| {
                    one.row
                        .is_some_and(|row| added.is_of(row, one.claim.source()))
                };
                // None where the import was taken back before.
                if let Some(one) = told.iter_mut().rfind(is_of) {
                    let chosen = added.judgement.facts.organizer_lists.unwrap_or_default();
                    one.become_proven(added.claim.chosen(chosen));
                }
            }
            Fact::ImportWithdrawn { import, .. } => {
                told.retain(|one| one.row.is_none_or(|(of, _)| of != import));
                heard.left.by.remove(&import);
            }
            // The person said that this very signup was a mistake.
            Fact::AddressChanged { .. } => {
                told.retain(|one| one.request.is_none() || one.request != request)
            }
            fact => told.extend(self.own_form(&fact, event.at).map(|claim| Told {
                request,
                ..Told::of(None, claim)
            })),
        }
    }

    /// A signup at the brand's own form as a source: its proof is what the server itself kept.
    fn own_form(&self, fact: &Fact, at: Timestamp) -> Option<Claim> {
        let Fact::SignedUp(signup) = fact else {
            return None;
        };
        if signup.ruling.verdict == Verdict::Refuse {
            return None;
        }
        let version = signup.form_version.as_str();
        let page = format!("{}/f/{}", self.config.base_url, signup.form);
        [
            ("form", signup.form.as_str()),
            ("version", version),
            ("page", &page),
            ("time", &at.to_string()),
            ("wording", version),
        ]
        .into_iter()
        .try_fold(
            Claim::new(Source::WebsiteForm, None),
            |claim, (key, value)| claim.prove(key, value),
        )
        .ok()
    }
}
