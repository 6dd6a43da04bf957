//! Signing up. Written for a batch: what many callers bring is read, decided and written in one transaction.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use super::record::About;
use super::{App, Work};
use crate::domain::brand::{Brand, RoleAddresses, Slug};
use crate::domain::budget::{Limits, MailboxWindow, Occasion, Rate};
use crate::domain::circumstances::Circumstances;
use crate::domain::email_address::{AddressProblem, AddressRules, EmailAddress, clean_name};
use crate::domain::event::{self, AskedBy, Fact, MailFate, ShownBox, Source};
use crate::domain::form::{Form, VersionHash};
use crate::domain::ids::{BrandId, ContactId, OutboxId, RequestId};
use crate::domain::policy::{POLICY_VERSION, Rule, Ruling, Verdict, judge_signup};
use crate::domain::standing::{RequestState, Standings, State, apply};
use crate::domain::time::Timestamp;
use crate::domain::token::Purpose;
use crate::store::budgets::{self, Mailbox, MailboxHash};
use crate::store::contacts;
use crate::store::erased::AddressHash;
use crate::store::events::NewEvent;
use crate::store::locks::Locks;
use crate::store::outbox::{self, OutboxRow};
use crate::store::requests::{self, RequestRow};
use crate::store::set::Writes;
use crate::store::signups::{self, INSTALLATION, Known, Who};
use crate::store::{StoreError, events};
use crate::telemetry;

/// Signups in one transaction at most.
pub const BATCH: usize = 1_024;

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
    pub circumstances: Circumstances,
}

/// Why a signup cannot be taken: always about what was typed, never about the state of the address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    Address(AddressProblem),
    /// Several people read it, so nobody's consent can be verified (O6).
    RoleAddress,
    UnknownPurpose,
    NoPurpose,
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
    fields: Vec<String>,
    bot: bool,
    key_id: u8,
    request: RequestId,
    circumstances: Circumstances,
}

/// A signup that is on disk.
#[derive(Clone, Debug)]
pub struct SignedUp {
    pub brand: u16,
    pub request: RequestId,
    pub expires_at: Timestamp,
    pub masked: String,
    pub suggestion: Option<String>,
    mail: MailFate,
}

impl App {
    /// Checks a submission and records it. When this returns, the signup is on disk and its mail, if any, in the outbox.
    pub async fn sign_up(&self, form: &Arc<Form>, given: Submission) -> Result<SignedUp, Refusal> {
        let catalog = self.catalog();
        let brand = catalog.brand(form.brand).ok_or(Refusal::Store)?.clone();
        let rules = AddressRules {
            any_domain: self.config.any_domain,
        };
        let address = EmailAddress::parse(&given.email, &rules).map_err(Refusal::Address)?;
        if address.is_role() && brand.declared.role_addresses == RoleAddresses::Refuse {
            return Err(Refusal::RoleAddress);
        }
        let purposes = purposes_of(form, &given.purposes)?;
        let language = if form.declared.languages.contains(&given.language) {
            given.language
        } else {
            form.declared.languages.first().cloned().unwrap_or_default()
        };
        let now = self.clock.now();
        let command = SignUp {
            address_hash: self.keys.address_hash(brand.id.0, address.key()),
            mailbox: self.keys.mailbox_hash(brand.id.0, &address.mailbox()),
            version: form.version_shown(given.version.as_deref()).clone(),
            name: given
                .name
                .filter(|_| form.declared.asks_name)
                .and_then(|name| clean_name(&name)),
            purposes,
            language,
            page_host: given
                .page
                .as_deref()
                .and_then(|page| shown_host(page, form, self.config.host())),
            page: given.page.filter(|page| is_page(page)),
            fields: given.fields,
            bot: given.bot,
            key_id: self.keys.current_id(),
            request: RequestId(self.random.uuid_v7(now)),
            circumstances: given.circumstances,
            brand,
            form: form.clone(),
            address,
        };
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

fn is_page(page: &str) -> bool {
    page.len() <= 1_000
        && (page.starts_with("https://") || page.starts_with("http://"))
        && !page.contains(char::is_control)
}

/// The purposes that are meant: those named, or those that the form is for.
fn purposes_of(form: &Form, named: &[String]) -> Result<Vec<Slug>, Refusal> {
    let offered = || form.declared.purposes.iter().chain(&form.declared.choices);
    let mut purposes: BTreeSet<Slug> = BTreeSet::new();
    for name in named.iter().filter(|name| !name.is_empty()) {
        let slug = offered()
            .find(|slug| slug.as_str() == name)
            .ok_or(Refusal::UnknownPurpose)?;
        purposes.insert(slug.clone());
    }
    if purposes.is_empty() {
        purposes.extend(form.declared.purposes.iter().cloned());
    }
    if purposes.is_empty() {
        return Err(Refusal::NoPurpose);
    }
    Ok(purposes.into_iter().collect())
}

type ContactKey = (BrandId, String);
type MailboxKey = (BrandId, MailboxHash);

/// A contact as the batch sees it.
struct Contact {
    row: contacts::Contact,
    open: Option<RequestRow>,
}

/// What the batch read, changes as it decides, and writes.
struct Batch<'a> {
    work: &'a Work,
    limits: &'a Limits,
    now: Timestamp,
    contacts: HashMap<ContactKey, Contact>,
    mailboxes: HashMap<MailboxKey, Mailbox>,
    /// Addresses that were erased.
    erased: HashSet<ContactKey>,
    /// Arrival times of rates, and by how much this batch moved them.
    rates: HashMap<String, i64>,
    moved: HashMap<String, i64>,
    requests: Vec<RequestRow>,
    replaced: Vec<RequestRow>,
    events: Vec<NewEvent>,
    mails: Vec<OutboxRow>,
}

/// Records a batch of signups. Acknowledged means committed: if the process dies before the commit, none of the batch
/// is there and nobody was answered; after it, all is there and the mails wait in the outbox.
pub(super) async fn run(
    work: &Work,
    limits: &Limits,
    calls: Vec<SignUp>,
) -> Result<Vec<SignedUp>, StoreError> {
    let who: Vec<Who> = calls.iter().map(who).collect();
    let mut held = work.store.hold(locks_of(&who, limits)).await?;
    let known = signups::find_known(held.conn(), &who).await?;
    let mut batch = Batch::begin(work, limits, who, known);
    let mut answers = Vec::with_capacity(calls.len());
    for call in calls {
        answers.push(batch.decide(call)?);
    }
    held.finish(batch.writes()).await?;
    for answer in &answers {
        metrics::counter!(telemetry::SIGNUPS, "mail" => fate_name(answer.mail)).increment(1);
    }
    Ok(answers)
}

const fn fate_name(fate: MailFate) -> &'static str {
    match fate {
        MailFate::Queued => "queued",
        MailFate::OverBudget => "over_budget",
        MailFate::Suppressed => "suppressed",
        MailFate::Bot => "bot",
    }
}

/// The templates of outbox rows: the confirmation mail, and the row of a signup that causes none.
pub(super) const CONFIRM: &str = "confirm";
const NOTHING: &str = "nothing";

fn network_key(call: &SignUp) -> String {
    rate_key("network", &call.circumstances.network())
}

fn form_key(form: &Form) -> String {
    rate_key("form", &form.id.to_string())
}

pub(super) fn rate_key(kind: &str, of: &str) -> String {
    format!("{kind}:{of}")
}

fn who(call: &SignUp) -> Who {
    Who {
        brand_id: call.brand.id,
        address_key: call.address.key().to_owned(),
        address_hash: call.address_hash,
        mailbox: call.mailbox,
        network: network_key(call),
        form: form_key(&call.form),
    }
}

/// What a batch decides about. Form and installation are not among it: they only hold mail back, and all would wait.
fn locks_of(all: &[Who], limits: &Limits) -> Locks {
    let mut locks = Locks::default();
    for who in all {
        locks.contact(who.brand_id, &who.address_key);
        locks.mailbox(who.brand_id, &who.mailbox);
        if limits.per_network_an_hour > 0 {
            locks.rate(&who.network);
        }
    }
    locks
}

impl<'a> Batch<'a> {
    fn begin(work: &'a Work, limits: &'a Limits, who: Vec<Who>, known: Vec<Known>) -> Self {
        let count = who.len();
        let mut batch = Self {
            // The clock is read under the locks, so that times within one contact never run backwards.
            now: work.clock.now(),
            work,
            limits,
            contacts: HashMap::with_capacity(count),
            mailboxes: HashMap::with_capacity(count),
            erased: HashSet::new(),
            rates: HashMap::new(),
            moved: HashMap::new(),
            requests: Vec::with_capacity(count),
            replaced: Vec::new(),
            events: Vec::with_capacity(count),
            mails: Vec::with_capacity(count),
        };
        for (who, known) in who.into_iter().zip(known) {
            batch
                .rates
                .extend(known.network_arrival.map(|at| (who.network, at)));
            batch
                .rates
                .extend(known.form_arrival.map(|at| (who.form, at)));
            let all = known.installation_arrival;
            batch
                .rates
                .extend(all.map(|at| (INSTALLATION.to_owned(), at)));
            let mailbox = known.mailbox;
            batch
                .mailboxes
                .extend(mailbox.map(|one| ((who.brand_id, who.mailbox), one)));
            if known.erased_at.is_some() {
                batch.erased.insert((who.brand_id, who.address_key.clone()));
            }
            if let Some(row) = known.contact {
                let open = known.open;
                batch
                    .contacts
                    .entry((who.brand_id, who.address_key))
                    .or_insert(Contact { row, open });
            }
        }
        batch
    }

    fn decide(&mut self, call: SignUp) -> Result<SignedUp, StoreError> {
        let now = self.now;
        let key = contact_key(&call);
        let mailbox_key = (call.brand.id, call.mailbox);
        // Made for every mailbox that is named, so that each signup writes one, whatever comes of it.
        let suppressed = self
            .mailboxes
            .entry(mailbox_key)
            .or_insert_with(|| empty_mailbox(call.brand.id, call.mailbox))
            .suppressed_at
            .is_some();
        let (mail, due_at) = self.take_budget(&call, suppressed);
        let work = self.work;
        let erased = self.erased.contains(&key);
        let contact = self.contacts.entry(key).or_insert_with(|| Contact {
            row: contacts::Contact {
                brand_id: call.brand.id,
                id: ContactId(work.random.uuid_v7(now)),
                address: call.address.deliverable().to_owned(),
                address_key: call.address.key().to_owned(),
                mailbox: call.mailbox.to_vec(),
                language: call.language.clone(),
                name: None,
                open_request_id: None,
                standings: Standings::new(),
                created_at: now,
            },
            open: None,
        });
        let closed = |purpose: &Slug| {
            contact
                .row
                .standings
                .get(purpose)
                .is_some_and(|s| matches!(s.state, State::Withdrawn | State::Declined))
        };
        // Anybody can type an address that was erased. Until the person has confirmed anew it gives no basis (D3).
        let reopened = || {
            let mut standings = contact.row.standings.values();
            standings.any(|standing| standing.state == State::Explicit)
        };
        let ruling = if call.bot {
            // A program's act is no act of the person (G1).
            Ruling {
                verdict: Verdict::Refuse,
                rule: Rule::G1,
            }
        } else {
            judge_signup(
                suppressed || call.purposes.iter().all(closed) || (erased && !reopened()),
                call.address.is_role(),
                call.brand.declared.role_addresses,
                call.brand.declared.hold_until_confirmed,
            )
        };
        let expires_at = whole_second(now.plus(call.brand.confirm_within()));
        let queued = mail == MailFate::Queued;
        let open = contact
            .open
            .take_if(|open| open.state == "open" && open.expires_at > now);
        let request = RequestRow {
            brand_id: call.brand.id,
            id: call.request,
            contact_id: contact.row.id,
            form_id: call.form.id,
            form_version: call.version.as_str().to_owned(),
            purposes: joined(&call.purposes),
            language: call.language.clone(),
            page_host: call.page_host,
            key_id: i64::from(call.key_id),
            state: RequestState::Open.as_str().to_owned(),
            mailed: i64::from(queued),
            last_mail_at: now,
            follows_id: open.as_ref().filter(|_| !queued).map(|open| open.id),
            code_tries: 0,
            openings: 0,
            issued_at: now,
            expires_at,
            ended_at: None,
        };
        let mut facts = Vec::with_capacity(2);
        if queued {
            // One link serves one request, and a newer mail replaces the older. Without a new mail the older one stays
            // good: nobody can spoil a person's link by typing the address once more.
            if let Some(mut open) = open {
                open.state = RequestState::Replaced.as_str().to_owned();
                open.ended_at = Some(now);
                facts.push((open.id, Fact::Replaced));
                replace(&mut self.replaced, &mut self.requests, open);
            }
            contact.row.open_request_id = Some(request.id);
            contact.open = Some(request.clone());
        } else {
            contact.open = open;
        }
        let responsible = (call.address.is_role()
            && call.brand.declared.role_addresses == RoleAddresses::ConfirmFirst)
            .then(|| call.brand.declared.responsible.clone())
            .flatten();
        let masked = call.address.masked();
        let suggestion = call.address.suggestion();
        if call.name.is_some() {
            contact.row.name.clone_from(&call.name);
        }
        facts.push((
            request.id,
            Fact::SignedUp(Box::new(event::SignedUp {
                address_typed: call.address.as_typed().to_owned(),
                address: contact.row.address.clone(),
                name: call.name,
                boxes: boxes(&call.form, &call.version, &call.purposes),
                purposes: call.purposes,
                source: Source::WebsiteForm,
                form: call.form.declared.slug.clone(),
                form_version: call.version,
                language: call.language,
                page: call.page,
                fields: call.fields,
                ruling,
                policy_version: POLICY_VERSION.to_owned(),
                confirmation_expires_at: expires_at,
                key_id: call.key_id,
                asked_by: AskedBy::from(&call.brand.declared),
                mail,
                responsible,
                circumstances: call.circumstances,
            })),
        ));
        for (request, fact) in facts {
            apply(&mut contact.row.standings, &fact, now);
            let about = About {
                brand: contact.row.brand_id,
                contact: contact.row.id,
                request: Some(request),
            };
            self.events.push(work.record(about, now, fact)?);
        }
        // A signup without a mail writes an outbox row as well, which delivery takes out unsent: otherwise the time of the
        // answer would tell the states of addresses apart (T19).
        self.mails.push(OutboxRow {
            id: OutboxId(work.random.uuid_v7(now)),
            brand_id: contact.row.brand_id,
            contact_id: contact.row.id,
            request_id: request.id,
            template: if queued { CONFIRM } else { NOTHING }.to_owned(),
            recipient_domain: call.address.domain().to_owned(),
            due_at,
            tries: 0,
            first_try_at: None,
            message_id: None,
            ambiguous: 0,
        });
        let answer = SignedUp {
            brand: call.brand.number,
            request: request.id,
            expires_at,
            masked,
            suggestion,
            mail,
        };
        self.requests.push(request);
        Ok(answer)
    }

    /// Takes a mail from all budgets or from none. Mailbox and network say yes or no; form and installation only hold.
    fn take_budget(&mut self, call: &SignUp, suppressed: bool) -> (MailFate, Timestamp) {
        let now = self.now;
        if call.bot {
            return (MailFate::Bot, now);
        }
        if suppressed {
            return (MailFate::Suppressed, now);
        }
        let network = network_key(call);
        let rate = Rate {
            an_hour: self.limits.per_network_an_hour,
        };
        let Ok(arrival) = rate.take(self.rates.get(&network).copied(), now) else {
            metrics::counter!(telemetry::BUDGET, "budget" => "network").increment(1);
            return (MailFate::OverBudget, now);
        };
        let mailbox_key = (call.brand.id, call.mailbox);
        let mailbox = self
            .mailboxes
            .entry(mailbox_key)
            .or_insert_with(|| empty_mailbox(call.brand.id, call.mailbox));
        if !mailbox
            .window
            .take(Occasion::Signup, call.form.id, now, self.limits)
        {
            metrics::counter!(telemetry::BUDGET, "budget" => "mailbox").increment(1);
            return (MailFate::OverBudget, now);
        }
        self.move_rate(network, arrival);
        let of_form = self.reserve(form_key(&call.form), self.limits.per_form_an_hour);
        let of_all = self.reserve(
            INSTALLATION.to_owned(),
            self.limits.per_installation_an_hour,
        );
        (MailFate::Queued, of_form.max(of_all))
    }

    fn reserve(&mut self, key: String, an_hour: u32) -> Timestamp {
        let (arrival, due_at) = Rate { an_hour }.reserve(self.rates.get(&key).copied(), self.now);
        if due_at > self.now {
            metrics::counter!(telemetry::BUDGET, "budget" => "held").increment(1);
        }
        self.move_rate(key, arrival);
        due_at
    }

    fn move_rate(&mut self, key: String, arrival: i64) {
        let before = self.rates.insert(key.clone(), arrival).unwrap_or(0);
        *self.moved.entry(key).or_insert(0) += arrival - before.max(self.now.micros());
    }

    fn writes(self) -> Writes {
        let contacts: Vec<contacts::Contact> = self
            .contacts
            .into_values()
            .map(|contact| contact.row)
            .collect();
        let mailboxes: Vec<Mailbox> = self.mailboxes.into_values().collect();
        let moved: Vec<(String, i64)> = self.moved.into_iter().collect();
        let mut writes = Writes::default();
        contacts::put(&mut writes, &contacts);
        requests::insert(&mut writes, &self.requests);
        requests::update(&mut writes, &self.replaced);
        events::append(&mut writes, &self.events);
        outbox::insert(&mut writes, &self.mails);
        budgets::put_mailboxes(&mut writes, &mailboxes);
        budgets::add_rates(&mut writes, &moved, self.now);
        writes
    }
}

/// The purposes that the form showed, with the state of each box as it came back.
fn boxes(form: &Form, version: &VersionHash, chosen: &[Slug]) -> Vec<ShownBox> {
    let shown = form
        .content(version)
        .map_or(&[][..], |content| &content.purposes);
    shown
        .iter()
        .map(|purpose| ShownBox {
            purpose: purpose.slug.clone(),
            is_box: purpose.choice,
            ticked: purpose.choice && chosen.contains(&purpose.slug),
        })
        .collect()
}

/// A request that ends within the batch that made it is changed where it waits to be inserted.
fn replace(replaced: &mut Vec<RequestRow>, inserted: &mut [RequestRow], ended: RequestRow) {
    if !inserted.iter().any(|row| row.id == ended.id) {
        replaced.push(ended);
        return;
    }
    for row in inserted.iter_mut().filter(|row| row.id == ended.id) {
        row.clone_from(&ended);
    }
}

pub(super) fn empty_mailbox(brand_id: BrandId, hash: MailboxHash) -> Mailbox {
    Mailbox {
        brand_id,
        hash,
        window: MailboxWindow::default(),
        suppressed_at: None,
        suppressed_for: None,
    }
}

fn contact_key(call: &SignUp) -> ContactKey {
    (call.brand.id, call.address.key().to_owned())
}

fn joined(purposes: &[Slug]) -> String {
    let names: Vec<&str> = purposes.iter().map(Slug::as_str).collect();
    names.join(" ")
}

/// Tokens carry whole seconds; the stored expiry is the same instant.
fn whole_second(at: Timestamp) -> Timestamp {
    Timestamp::from_micros(at.unix_seconds() * 1_000_000)
}

/// The host of the page, for the mail's "asked from": only our own or one that the brand declared, since a page is what
/// the client claims, and nothing that a stranger typed may stand in a mail (T4).
fn shown_host(page: &str, form: &Form, own: &str) -> Option<String> {
    let (scheme, rest) = page.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.split(':').next()?.to_ascii_lowercase();
    let declared = form.allows_origin(&format!("{scheme}://{authority}"));
    (declared || host == own).then_some(host)
}
