//! Signing up. Written for a batch: what many callers bring is read, decided and written in one transaction.

use std::sync::Arc;

use self::batch::{Batch, corrected_key, entry_key, locks_of, who};
use super::{App, Work};
use crate::domain::booth::AtBooth;
use crate::domain::brand::{Brand, Slug};
use crate::domain::budget::Limits;
use crate::domain::circumstances::Circumstances;
use crate::domain::email_address::{AddressProblem, EmailAddress};
use crate::domain::event::{MailFate, PassedOn};
use crate::domain::form::{Form, VersionHash};
use crate::domain::ids::RequestId;
use crate::domain::time::Timestamp;
use crate::domain::token::Purpose;
use crate::store::budgets::MailboxHash;
use crate::store::erased::AddressHash;
use crate::store::requests::Asked;
use crate::store::signups::{self, Who};
use crate::store::{StoreError, booth, requests};
use crate::telemetry;

pub(super) use self::batch::{empty_mailbox, rate_key};

mod batch;
mod budget;
mod check;
mod decide;
mod fact;

/// Signups in one transaction at most. Larger ones cost memory: SQLite keeps a statement of its own for each number of rows.
pub const BATCH: usize = 256;

/// The templates of outbox rows: the confirmation mail, and the row of a signup that causes none.
pub(super) const CONFIRM: &str = "confirm";
/// The one reminder of a request that nobody answered.
pub(super) const REMIND: &str = "remind";
/// The link to the preferences, for people who have lost theirs. It belongs to no request.
pub(super) const PREFERENCES: &str = "preferences";
pub(super) const NOTHING: &str = "nothing";

/// What a form brought, before anything is checked. Lengths are bounded by the web layer.
#[derive(Clone, Debug, Default)]
pub struct Submission {
    pub email: String,
    pub name: Option<String>,
    /// None given: what the form is for.
    pub purposes: Vec<String>,
    pub language: String,
    pub page: Option<String>,
    pub version: Option<String>,
    pub fields: Vec<String>,
    /// The honeypot was filled in, or the form came back faster than a person types.
    pub bot: bool,
    /// It was entered at a booth.
    pub booth: Option<AtBooth>,
    /// A program passed it on; what it says of the person stands in `circumstances`.
    pub passed_on: Option<PassedOn>,
    /// It follows a signup whose address was mistyped.
    pub corrects: Option<Corrects>,
    pub circumstances: Circumstances,
}

/// A signup that follows another one, for the address that was meant.
#[derive(Clone, Copy, Debug)]
pub struct Corrects {
    /// The request that it makes.
    pub request: RequestId,
    /// How many corrections led to it, this one included.
    pub number: i64,
}

/// Why a signup cannot be taken: always about what was typed, never about the state of the address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    Address(AddressProblem),
    /// Several people read it, so nobody's consent can be verified (O6).
    RoleAddress,
    UnknownPurpose,
    NoPurpose,
    /// The form has none of what is meant any more.
    NoLongerOffered,
    Store,
}

/// One signup, checked.
#[derive(Clone, Debug)]
pub struct SignUp {
    brand: Arc<Brand>,
    form: Arc<Form>,
    version: VersionHash,
    address: EmailAddress,
    address_hash: AddressHash,
    mailbox: MailboxHash,
    name: Option<String>,
    purposes: Vec<Slug>,
    language: String,
    page: Option<String>,
    page_host: Option<String>,
    /// The page is somebody else's.
    is_foreign: bool,
    fields: Vec<String>,
    bot: bool,
    booth: Option<AtBooth>,
    passed_on: Option<PassedOn>,
    corrects: Option<Corrects>,
    key_id: u8,
    request: RequestId,
    circumstances: Circumstances,
}

impl SignUp {
    /// By what the contact is found.
    pub(super) fn address_key(&self) -> &str {
        self.address.key()
    }
}

/// A signup that is on disk. Of an entry that was recorded before, `request` is none that exists.
#[derive(Clone, Debug)]
pub struct SignedUp {
    pub brand: u16,
    pub request: RequestId,
    pub expires_at: Timestamp,
    /// Of the address as it is compared, so that it does not tell whether it was written otherwise before.
    pub masked: String,
    pub suggestion: Option<String>,
    /// None where nothing was recorded anew.
    mail: Option<MailFate>,
}

impl SignedUp {
    /// A signup that was recorded before, as it was answered then.
    pub(super) fn again(brand: u16, asked: &Asked) -> Self {
        let address = EmailAddress::of_key(&asked.contact.address_key);
        Self {
            brand,
            request: asked.request.id,
            expires_at: asked.request.expires_at,
            masked: address
                .as_ref()
                .map_or_else(String::new, EmailAddress::masked),
            suggestion: address.and_then(|address| address.suggestion()),
            mail: None,
        }
    }

    pub(super) const fn is_new(&self) -> bool {
        self.mail.is_some()
    }
}

impl App {
    /// Checks a submission and records it. When this returns, the signup is on disk and its mail, if any, in the outbox.
    pub async fn sign_up(&self, form: &Arc<Form>, given: Submission) -> Result<SignedUp, Refusal> {
        let command = self.check(form, given)?;
        let done = self
            .sign_ups
            .call(command)
            .await
            .map_err(|error| store_refusal(&error))?;
        // Whatever became of the mail: delivery wakes for every signup alike.
        self.live.mail_queued();
        Ok(done)
    }

    /// The token of the page that the browser which signed up is shown next.
    pub fn inbox_token(&self, brand: u16, request: RequestId, expires_at: Timestamp) -> String {
        self.keys.sign(Purpose::Inbox, brand, request.0, expires_at)
    }
}

fn store_refusal(error: &StoreError) -> Refusal {
    tracing::error!(%error, "a signup could not be written");
    Refusal::Store
}

/// Records a batch of signups. Acknowledged means committed: if the process dies before the commit, none of the batch
/// is there and nobody was answered; after it, all is there and the mails wait in the outbox.
pub(super) async fn run(
    work: &Work,
    limits: &Limits,
    calls: Vec<SignUp>,
) -> Result<Vec<SignedUp>, StoreError> {
    let who: Vec<Who> = calls.iter().map(who).collect();
    let entries: Vec<_> = calls.iter().filter_map(entry_key).collect();
    let locks = locks_of(&calls, &who, limits);
    let mut held = work.store.hold_with_kept_plans(locks).await?;
    let known = signups::find_known(held.conn(), &who).await?;
    let recorded = booth::find_recorded(held.conn(), &entries).await?;
    let corrected: Vec<_> = calls.iter().filter_map(corrected_key).collect();
    let corrected = match corrected.as_slice() {
        [] => Vec::new(),
        keys => requests::list(held.conn(), keys).await?,
    };
    let mut batch = Batch::begin(work, limits, who, known);
    batch.recorded.extend(recorded);
    let corrected = corrected.iter().map(|one| (one.brand_id, one.id));
    batch.corrected.extend(corrected);
    let mut answers = Vec::with_capacity(calls.len());
    for call in calls {
        answers.push(batch.decide(call)?);
    }
    held.finish(batch.writes()).await?;
    for fate in answers.iter().filter_map(|answer| answer.mail) {
        metrics::counter!(telemetry::SIGNUPS, "mail" => fate_name(fate)).increment(1);
    }
    Ok(answers)
}

const fn fate_name(fate: MailFate) -> &'static str {
    match fate {
        MailFate::Queued => "queued",
        MailFate::OverBudget => "over_budget",
        MailFate::Suppressed => "suppressed",
        MailFate::Bot => "bot",
        MailFate::Replaced => "replaced",
    }
}
