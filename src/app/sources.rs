//! From which sources a brand has a contact: its own form, and what imports told, with the proof that was added since.

use std::collections::HashMap;

use super::App;
use super::record::read_body;
use crate::domain::brand::Slug;
use crate::domain::event::{Event, Fact};
use crate::domain::ids::{BrandId, ContactId, ImportId, RequestId};
use crate::domain::policy::{Claim, OrganizerLists, Source, Terms, Verdict};
use crate::domain::time::Timestamp;
use crate::store::set::ROWS_AT_MOST;
use crate::store::{Conn, StoreError, events, imports};

/// Sources of one contact that are judged together; the newest are.
const CLAIMS_AT_MOST: usize = 50;

/// What is claimed of one contact.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Sources {
    pub claims: Vec<Claim>,
    /// Claims as they were before proof was added to them: told again they are nothing new, and they count no more.
    before: Vec<Claim>,
    /// An operator chose, for the import that brought the address, that an organiser's list is confirmed instead of refused.
    confirm_organizer_list: bool,
}

impl Sources {
    /// What events told, together.
    pub fn of(told: Vec<Told>) -> Self {
        let mut sources = Self::default();
        for one in told {
            sources.confirm_organizer_list |= one.confirm_organizer_list;
            sources.before.extend(one.before);
            sources.add(&[one.claim]);
        }
        sources
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

    /// The brand's terms, with what was chosen for this contact's import.
    pub fn terms(&self, brand: &Terms) -> Terms {
        let mut terms = brand.clone();
        if self.confirm_organizer_list {
            terms.organizer_lists = OrganizerLists::ConfirmFirst;
        }
        terms
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
    confirm_organizer_list: bool,
    /// The row tells of a confirmation in another system.
    pub confirmed_elsewhere: bool,
}

impl Told {
    /// Puts the claim with more proof in the place of the one without it.
    pub fn become_proven(&mut self, claim: Claim) {
        let before = std::mem::replace(&mut self.claim, claim);
        self.before.push(before);
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
        let told = self.told_of(conn, purpose, contacts).await?.into_iter();
        Ok(told
            .map(|(contact, told)| (contact, Sources::of(told)))
            .collect())
    }

    /// The same, each source with what told of it, oldest first.
    pub(super) async fn told_of(
        &self,
        conn: &mut Conn,
        purpose: &Slug,
        contacts: &[(BrandId, ContactId)],
    ) -> Result<HashMap<ContactId, Vec<Told>>, StoreError> {
        let mut told: HashMap<ContactId, Vec<Told>> = HashMap::new();
        for part in contacts.chunks(ROWS_AT_MOST) {
            events::each_source(conn, part, |contact, body| {
                let event = read_body(body.as_deref())?;
                if let Some(event) = event.filter(|one| one.fact.purposes().contains(purpose)) {
                    self.learn_source(told.entry(contact).or_default(), event);
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
        for told in told.values_mut() {
            told.retain(|one| one.row.is_none_or(|(import, _)| !gone.contains(&import)));
        }
        Ok(told)
    }

    fn learn_source(&self, told: &mut Vec<Told>, event: Event) {
        let request = event.request;
        match event.fact {
            // A row that says that the person left tells of no act of theirs to rest on.
            Fact::Imported(one) if one.left => {}
            Fact::Imported(one) => {
                let chosen = one.judgement.facts.organizer_lists;
                let said = one.elsewhere.as_ref();
                let confirmed_elsewhere = said.is_some_and(|said| said.confirmed_before(event.at));
                told.extend(one.claims.into_iter().map(|claim| Told {
                    row: Some((one.import, one.line)),
                    request: None,
                    claim,
                    before: Vec::new(),
                    confirm_organizer_list: chosen == Some(OrganizerLists::ConfirmFirst),
                    confirmed_elsewhere,
                }));
            }
            Fact::ProofAdded(added) => {
                let is_of = |one: &&mut Told| {
                    one.row
                        .is_some_and(|row| added.is_of(row, one.claim.source()))
                };
                // None where the import was taken back before.
                if let Some(one) = told.iter_mut().rfind(is_of) {
                    one.become_proven(added.claim);
                }
            }
            Fact::ImportWithdrawn { import, .. } => {
                told.retain(|one| one.row.is_none_or(|(of, _)| of != import))
            }
            // The person said that this very signup was a mistake.
            Fact::AddressChanged { .. } => {
                told.retain(|one| one.request.is_none() || one.request != request)
            }
            fact => told.extend(self.own_form(&fact, event.at).map(|claim| Told {
                row: None,
                request,
                claim,
                before: Vec::new(),
                confirm_organizer_list: false,
                confirmed_elsewhere: false,
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
