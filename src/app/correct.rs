//! "Wrong address?": the signup once more, for the address that was meant. Each request is corrected once, and a chain of
//! corrections ends, so that one signup that passed its checks is no key to any number of mailboxes.

use std::sync::Arc;
use std::time::Duration;

use super::App;
use super::record::{About, read_all};
use super::sign_up::{Corrects, Refusal, SignedUp, Submission};
use crate::domain::circumstances::Circumstances;
use crate::domain::email_address::EmailAddress;
use crate::domain::event::{self, Fact, MailFate};
use crate::domain::form::Form;
use crate::domain::ids::RequestId;
use crate::domain::standing::{RequestState, apply, never_confirmed};
use crate::domain::time::Timestamp;
use crate::store::held::decided;
use crate::store::locks::Locks;
use crate::store::requests::{self, Asked, RequestRow};
use crate::store::set::Writes;
use crate::store::{Conn, StoreError, contacts, events, outbox};

/// How often one signup's address may be corrected, one request after another.
pub const CORRECTIONS_AT_MOST: i64 = 3;
/// How long a correction whose signup could not be written may be sent once more.
const AGAIN_WITHIN: Duration = Duration::from_secs(600);

/// What came back from the page.
#[derive(Clone, Debug)]
pub struct Correction {
    pub email: String,
    pub fields: Vec<String>,
    /// The honeypot was filled in.
    pub bot: bool,
    pub circumstances: Circumstances,
}

/// Why no signup follows.
#[derive(Debug)]
pub enum NotCorrected {
    Refused(Refusal),
    /// It was corrected too often; the form is the way on.
    TooOften,
    /// The request is over.
    Over,
    Store(StoreError),
}

impl From<StoreError> for NotCorrected {
    fn from(problem: StoreError) -> Self {
        Self::Store(problem)
    }
}

/// What a request's end leaves to do.
enum Step {
    /// It ended just now; this one is to be made.
    Make(RequestId),
    /// It was corrected before, at this time.
    Made(RequestId, Timestamp),
    Over,
}

impl App {
    /// The person mistyped the address: ends the request of the wrong one, with what that signup had given, and signs up the
    /// right one, through all checks and budgets of a signup. A request that was corrected before is answered as then.
    pub async fn correct_address(
        &self,
        form: &Arc<Form>,
        old: &RequestRow,
        given: Correction,
    ) -> Result<SignedUp, NotCorrected> {
        let key = (old.brand_id, old.id);
        let old = self.asked(key.0, key.1).await?.ok_or(NotCorrected::Over)?;
        let number = {
            let catalog = self.catalog();
            let brand = catalog.brand(key.0).ok_or(NotCorrected::Over)?;
            brand.number
        };
        let first = self.said_at(&old.request).await?;
        let circumstances = given.circumstances.clone();
        let mut again = self.once_more(form, &old, first, given);
        // What was typed is judged before anything ends.
        let checked = self
            .check(form, again.clone())
            .map_err(NotCorrected::Refused)?;
        if takes_corrections(old.request.state()?)
            && checked.address_key() == old.contact.address_key
        {
            return Ok(SignedUp::again(number, &old));
        }
        let step = decided(|| self.end_corrected(&old, circumstances.clone())).await?;
        let request = match step {
            Step::Over if old.request.corrections >= CORRECTIONS_AT_MOST => {
                return Err(NotCorrected::TooOften);
            }
            Step::Over => return Err(NotCorrected::Over),
            Step::Make(request) => request,
            Step::Made(request, ended_at) => {
                if let Some(made) = self.asked(key.0, request).await? {
                    return Ok(SignedUp::again(number, &made));
                }
                if self.clock.now().since(ended_at) > AGAIN_WITHIN {
                    return Err(NotCorrected::Over);
                }
                request
            }
        };
        // If the process dies here, the old request is over and the new one is missing: sent once more, it is made.
        again.corrects = Some(Corrects {
            request,
            number: old.request.corrections + 1,
        });
        let done = self
            .sign_up(form, again)
            .await
            .map_err(NotCorrected::Refused)?;
        if done.is_new() {
            return Ok(done);
        }
        let made = self.asked(key.0, request).await?;
        made.map(|made| SignedUp::again(number, &made))
            .ok_or(NotCorrected::Over)
    }

    /// The same signup for another address. It carries on what this very signup brought, and nothing that is known of the
    /// contact otherwise: whoever typed the address of somebody else must learn nothing of that person.
    fn once_more(
        &self,
        form: &Form,
        old: &Asked,
        first: Option<Box<event::SignedUp>>,
        given: Correction,
    ) -> Submission {
        let request = &old.request;
        let was_bot = first.as_ref().is_some_and(|one| one.mail == MailFate::Bot);
        let (name, page) = first.map_or((None, None), |one| (one.name, one.page));
        Submission {
            bot: given.bot || was_bot || self.too_soon(form, old, &given.email),
            email: given.email,
            name,
            purposes: request.purposes().iter().map(ToString::to_string).collect(),
            language: request.language.clone(),
            page,
            version: Some(request.form_version.clone()),
            fields: given.fields,
            circumstances: given.circumstances,
            ..Submission::default()
        }
    }

    /// Whether the correction came sooner after the signup than a person types. A press on the address that the page itself
    /// proposed needs no typing.
    fn too_soon(&self, form: &Form, old: &Asked, email: &str) -> bool {
        let least = Duration::from_secs(u64::from(form.declared.minimum_fill_seconds));
        self.clock.now().since(old.request.issued_at) < least
            && EmailAddress::suggestion_for(&old.contact.address_key).as_deref()
                != Some(email.trim())
    }

    /// What the signup of a request brought.
    pub(super) async fn said_at(
        &self,
        request: &RequestRow,
    ) -> Result<Option<Box<event::SignedUp>>, StoreError> {
        let mut conn = self.store.read().await?;
        said_at(&mut conn, request).await
    }

    async fn end_corrected(
        &self,
        old: &Asked,
        circumstances: Circumstances,
    ) -> Result<Step, StoreError> {
        let key = (old.request.brand_id, old.request.id);
        let mut locks = Locks::default();
        locks.contact(key.0, &old.contact.address_key);
        let mut held = self.store.hold(locks).await?;
        let found = requests::list_with_contacts(held.conn(), &[key]).await?;
        let Some(Asked {
            mut request,
            mut contact,
        }) = found.into_iter().next()
        else {
            return Ok(Step::Over);
        };
        let now = self.clock.now();
        if let Some(made) = requests::find_corrected(held.conn(), key.0, key.1).await? {
            return Ok(Step::Made(made, request.ended_at.unwrap_or(now)));
        }
        let state = request.state()?;
        if !takes_corrections(state)
            || now >= request.expires_at
            || request.corrections >= CORRECTIONS_AT_MOST
        {
            return Ok(Step::Over);
        }
        // What was given stands by the signup that replaced this one, which somebody else may have made.
        let is_replaced = state == RequestState::Replaced;
        let ended = if is_replaced {
            Vec::new()
        } else {
            request.purposes()
        };
        let fact = Fact::AddressChanged {
            purposes: ended,
            signed_up_at: request.issued_at,
            circumstances,
        };
        apply(&mut contact.standings, &fact, now);
        request.state = RequestState::Abandoned.as_str().to_owned();
        request.ended_at = Some(now);
        let about = About {
            brand: key.0,
            contact: contact.id,
            request: Some(key.1),
        };
        let event = self.work().record(about, now, fact)?;
        let next = RequestId(self.random.uuid_v7(now));
        let mut writes = Writes::default();
        // A mistyped address may be somebody else's: its term begins now.
        let since = (!is_replaced && never_confirmed(&contact.standings)).then_some(now);
        contacts::put_closed(&mut writes, &contact, since);
        requests::correct(&mut writes, &request, next);
        events::append(&mut writes, &[event]);
        outbox::remove_untried(&mut writes, key.1);
        held.finish(writes).await?;
        Ok(Step::Make(next))
    }
}

/// On its page a request that a newer mail replaced behaves as one that waits.
const fn takes_corrections(state: RequestState) -> bool {
    matches!(state, RequestState::Open | RequestState::Replaced)
}

/// What the signup of a request brought.
pub(super) async fn said_at(
    conn: &mut Conn,
    request: &RequestRow,
) -> Result<Option<Box<event::SignedUp>>, StoreError> {
    let (brand, contact) = (request.brand_id, request.contact_id);
    let found = events::list_signed_up_at(conn, brand, contact, request.issued_at).await?;
    let mut of_request = read_all(&found)?
        .into_iter()
        .filter(|one| one.request == Some(request.id));
    Ok(of_request.find_map(|one| match one.fact {
        Fact::SignedUp(said) => Some(said),
        _ => None,
    }))
}
