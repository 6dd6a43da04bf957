//! From which sources a brand has a contact: its own form, and what imports told.

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
    /// An operator chose, for the import that brought the address, that an organiser's list is confirmed instead of refused.
    confirm_organizer_list: bool,
}

impl Sources {
    /// Adds claims that are not there yet. The newest stay where there are too many.
    pub fn add(&mut self, more: &[Claim]) {
        for claim in more {
            if !self.claims.contains(claim) {
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

/// A source, and what told of it: an import, or a signup with its request.
struct Told {
    import: Option<ImportId>,
    request: Option<RequestId>,
    claim: Claim,
    confirm_organizer_list: bool,
}

impl App {
    /// The sources of contacts for a purpose, from their events. What was taken back is none.
    pub(super) async fn sources_of(
        &self,
        conn: &mut Conn,
        purpose: &Slug,
        contacts: &[(BrandId, ContactId)],
    ) -> Result<HashMap<ContactId, Sources>, StoreError> {
        let mut told: HashMap<ContactId, Vec<Told>> = HashMap::new();
        for part in contacts.chunks(ROWS_AT_MOST) {
            for (contact, body) in events::list_sources(conn, part).await? {
                let Some(event) = read_body(body.as_deref())? else {
                    continue;
                };
                if event.fact.purposes().contains(purpose) {
                    self.learn_source(told.entry(contact).or_default(), event);
                }
            }
        }
        // From the moment that an import is being taken back it is no source, though its contacts come to their turn later.
        let gone = match contacts.first() {
            Some((brand, _)) => imports::list_withdrawing(conn, *brand).await?,
            None => Vec::new(),
        };
        for told in told.values_mut() {
            told.retain(|one| one.import.is_none_or(|import| !gone.contains(&import)));
        }
        let joined = told.into_iter().map(|(contact, told)| {
            let mut sources = Sources::default();
            for one in told {
                sources.confirm_organizer_list |= one.confirm_organizer_list;
                sources.add(&[one.claim]);
            }
            (contact, sources)
        });
        Ok(joined.collect())
    }

    fn learn_source(&self, told: &mut Vec<Told>, event: Event) {
        let request = event.request;
        match event.fact {
            // A row that says that the person left tells of no act of theirs to rest on.
            Fact::Imported(one) if one.left => {}
            Fact::Imported(one) => {
                let chosen = one.judgement.facts.organizer_lists;
                told.extend(one.claims.into_iter().map(|claim| Told {
                    import: Some(one.import),
                    request: None,
                    claim,
                    confirm_organizer_list: chosen == Some(OrganizerLists::ConfirmFirst),
                }));
            }
            Fact::ImportWithdrawn { import, .. } => told.retain(|one| one.import != Some(import)),
            // The person said that this very signup was a mistake.
            Fact::AddressChanged { .. } => {
                told.retain(|one| one.request.is_none() || one.request != request)
            }
            fact => told.extend(self.own_form(&fact, event.at).map(|claim| Told {
                import: None,
                request,
                claim,
                confirm_organizer_list: false,
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
