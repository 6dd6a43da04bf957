//! Sending what waits in the outbox.
//!
//! One loop claims due mails under a lease; as many senders as there are SMTP sessions compose and send them; results are
//! written in batches. Exactly-once is impossible over SMTP: if the process dies after the server's last reply and before
//! our commit, the mail is sent again, with the same Message-ID, and the try is marked ambiguous. Nothing else sends twice.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::Duration;

use sha2::{Digest, Sha256};
use tokio::sync::{Mutex, mpsc, oneshot};
use tokio::task::JoinSet;

use super::record::About;
use super::sign_up::{CONFIRM, rate_key};
use super::{App, Work};
use crate::config::{SmtpLogin, SmtpTls};
use crate::domain::brand::Brand;
use crate::domain::budget::Rate;
use crate::domain::event::Fact;
use crate::domain::form::VersionHash;
use crate::domain::ids::RequestId;
use crate::domain::standing::RequestState;
use crate::domain::time::Timestamp;
use crate::domain::token::Purpose;
use crate::ledger::note::hex;
use crate::mail::compose::ConfirmationMail;
use crate::mail::compose::skeleton::{Skeleton, Varying};
use crate::mail::dkim::DkimKey;
use crate::mail::pack::{Dictionary, pack};
use crate::mail::transport::{self, Envelope, Outcome, Phase, SmtpSettings, Transport};
use crate::store::contacts::Contact;
use crate::store::events::NewEvent;
use crate::store::locks::Locks;
use crate::store::outbox::{self, OutboxKey, OutboxRow, Retry};
use crate::store::requests::{self, Asked, RequestRow};
use crate::store::set::Writes;
use crate::store::writer::Batcher;
use crate::store::{Engine, StoreError, budgets, events, mails};
use crate::telemetry;

/// Mails claimed at a time.
const CLAIM: i64 = 512;
/// How long a claim holds without being renewed: after a crash the mails of a worker wait this long for another one.
const LEASE: Duration = Duration::from_secs(60);
const RENEW_EVERY: Duration = Duration::from_secs(20);
/// The longest sleep between two looks at the outbox; other processes queue mails without waking this one.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Why delivery cannot start.
#[derive(Debug, thiserror::Error)]
pub enum DeliveryProblem {
    #[error("smtp: {0}")]
    Smtp(#[from] transport::SettingsProblem),
    #[error("dkim: {0}")]
    Dkim(#[from] crate::mail::dkim::DkimProblem),
}

/// What sends: the pool of SMTP sessions and the signing key.
pub struct Delivery {
    app: Arc<App>,
    work: Work,
    transport: Transport,
    dkim: Option<DkimKey>,
    results: Batcher<Sent, ()>,
    /// What this process has leased and not finished, to renew the leases.
    under_way: std::sync::Mutex<HashSet<OutboxKey>>,
    skeletons: std::sync::Mutex<HashMap<MailKind, Option<Arc<Skeleton>>>>,
}

/// Kinds of mails whose skeletons are kept.
const KINDS_AT_MOST: usize = 256;

/// Mails that differ only in what a skeleton fills in.
#[derive(PartialEq, Eq, Hash)]
struct MailKind {
    revision: Option<String>,
    version: String,
    language: String,
    purposes: String,
    page_host: Option<String>,
    domain: String,
}

/// A claimed mail with all that it takes to compose it.
struct Job {
    mail: OutboxRow,
    request: RequestRow,
    contact: Contact,
}

/// A mail as it goes to the server, and what it is packed with to be kept.
struct Composed {
    bytes: Vec<u8>,
    dictionary: Option<Arc<Dictionary>>,
}

/// The result of one try.
#[derive(Clone)]
enum Sent {
    Accepted {
        key: OutboxKey,
        event: Box<NewEvent>,
        /// What the mail was packed with.
        dictionary: Option<Arc<Dictionary>>,
    },
    NotYet(Retry),
    Failed {
        retry: Retry,
        event: Box<NewEvent>,
    },
    /// Not tried: nobody wants it any more.
    Dropped(OutboxKey),
}

impl App {
    /// Connects nothing yet; checks the settings.
    pub fn delivery(self: &Arc<Self>) -> Result<Arc<Delivery>, DeliveryProblem> {
        let transport = Transport::new(self.smtp_settings())?;
        let dkim = match &self.config.dkim {
            None => None,
            Some(dkim) => {
                use secrecy::ExposeSecret;
                Some(DkimKey::from_pem(
                    dkim.key.expose_secret().as_bytes(),
                    &dkim.selector,
                    &dkim.domain,
                )?)
            }
        };
        let work = self.work();
        let stored = Arc::new(std::sync::Mutex::new(HashSet::new()));
        Ok(Arc::new(Delivery {
            app: self.clone(),
            work: self.work(),
            transport,
            dkim,
            results: Batcher::start(512, move |sent| {
                let (work, stored) = (work.clone(), stored.clone());
                async move { write(&work, &stored, sent).await }
            }),
            under_way: std::sync::Mutex::new(HashSet::new()),
            skeletons: std::sync::Mutex::new(HashMap::new()),
        }))
    }

    fn smtp_settings(&self) -> SmtpSettings {
        let smtp = &self.config.smtp;
        SmtpSettings {
            host: smtp.host.clone(),
            port: smtp.port,
            tls: match smtp.tls {
                SmtpTls::Required => transport::Tls::Required,
                SmtpTls::Implicit => transport::Tls::Implicit,
                SmtpTls::Plain => transport::Tls::Plain,
            },
            login: match smtp.login.clone() {
                SmtpLogin::None => transport::Login::None,
                SmtpLogin::Password { user, password } => {
                    transport::Login::Password { user, password }
                }
                SmtpLogin::Xoauth2 {
                    user,
                    token_url,
                    client_id,
                    client_secret,
                    refresh_token,
                    scope,
                } => transport::Login::Xoauth2 {
                    user,
                    token_url,
                    client_id,
                    client_secret,
                    refresh_token,
                    scope,
                },
            },
            hello_name: smtp.hello_name.clone(),
            max_sessions: smtp.max_sessions,
            max_mails_per_session: 100,
            extra_root_certificates: smtp.extra_root_certificates.clone(),
            connect_within: Duration::from_secs(30),
            reply_within: Duration::from_secs(300),
            final_reply_within: Duration::from_secs(600),
            idle_for: Duration::from_secs(60),
        }
    }
}

impl Delivery {
    pub fn transport(&self) -> &Transport {
        &self.transport
    }

    /// Runs until `stop` is done; mails under way are finished, the others stay in the outbox.
    pub async fn run(self: Arc<Self>, stop: impl Future<Output = ()> + Send) {
        self.release_after_restart().await;
        let (queue, waiting) = mpsc::channel::<Job>(2 * CLAIM as usize);
        let waiting = Arc::new(Mutex::new(waiting));
        let mut senders = JoinSet::new();
        for _ in 0..self.app.config.smtp.max_sessions {
            let (delivery, waiting) = (self.clone(), waiting.clone());
            senders.spawn(async move { delivery.send_all(&waiting).await });
        }
        let (senders_end, over) = oneshot::channel::<()>();
        let renewing = tokio::spawn(self.clone().renew_leases(over));
        tokio::pin!(stop);
        loop {
            let claimed = tokio::select! {
                () = &mut stop => break,
                claimed = self.claim(&queue) => claimed,
            };
            match claimed {
                Ok(claimed) if claimed >= CLAIM as usize => {}
                Ok(_) => {
                    tokio::select! {
                        () = &mut stop => break,
                        () = self.app.live.mail_waits() => {}
                        () = tokio::time::sleep(LOOK_EVERY) => {}
                    }
                }
                Err(error) => {
                    tracing::error!(%error, "the outbox could not be read");
                    tokio::select! {
                        () = &mut stop => break,
                        () = tokio::time::sleep(LOOK_EVERY) => {}
                    }
                }
            }
        }
        drop(queue);
        while senders.join_next().await.is_some() {}
        // Not cut off: a statement under way would hold its rows a moment longer than anybody knows.
        drop(senders_end);
        let _ = renewing.await;
        self.transport.close().await;
    }

    /// Sends what is due now and waits for the results: for tests and commands. Answers with the number of tries.
    pub async fn drain(self: &Arc<Self>) -> Result<usize, StoreError> {
        let mut tries = 0;
        loop {
            let (queue, waiting) = mpsc::channel::<Job>(CLAIM as usize);
            let claimed = self.claim(&queue).await?;
            drop(queue);
            self.send_all(&Mutex::new(waiting)).await;
            if claimed == 0 {
                return Ok(tries);
            }
            tries += claimed;
        }
    }

    /// On SQLite this process is the only sender: what an earlier one leased and did not finish is free at once.
    async fn release_after_restart(&self) {
        if self.app.store.engine() != Engine::Sqlite {
            return;
        }
        let released = async {
            let mut tx = self.app.store.write().await?;
            outbox::release_all(&mut tx).await?;
            tx.commit().await
        };
        if let Err(error) = released.await {
            tracing::warn!(%error, "leases of an earlier run could not be ended; they end by themselves");
        }
    }

    /// Until the other end of the channel is dropped.
    async fn renew_leases(self: Arc<Self>, mut over: oneshot::Receiver<()>) {
        let mut ticks = tokio::time::interval(RENEW_EVERY);
        loop {
            tokio::select! {
                _ = &mut over => return,
                _ = ticks.tick() => {}
            }
            let keys: Vec<OutboxKey> = self.lock_under_way().iter().copied().collect();
            let until = self.app.clock.now().plus(LEASE);
            let renewed = async {
                let mut writes = Writes::default();
                outbox::renew(&mut writes, self.app.store.engine(), &keys, until);
                self.app.store.write_now(writes).await
            };
            if !keys.is_empty()
                && let Err(error) = renewed.await
            {
                tracing::warn!(%error, "leases could not be renewed");
            }
        }
    }

    /// Claims due mails and hands them to the senders. Answers with how many were claimed.
    async fn claim(&self, queue: &mpsc::Sender<Job>) -> Result<usize, StoreError> {
        // Look before taking the write lock: an idle server writes nothing.
        let now = self.app.clock.now();
        let mut conn = self.app.store.read().await?;
        let is_due = outbox::is_due(&mut conn, now).await?;
        drop(conn);
        if !is_due {
            return Ok(0);
        }
        let mut tx = self.app.store.write().await?;
        let now = self.app.clock.now();
        let mails = outbox::claim_due(&mut tx, now, now.plus(LEASE), CLAIM).await?;
        // If the process dies after this commit, the lease runs out and the mails are claimed again.
        tx.commit().await?;
        let claimed = mails.len();
        let keys: Vec<OutboxKey> = mails.iter().map(OutboxRow::key).collect();
        self.lock_under_way().extend(&keys);
        let jobs = match self.prepare(mails, now).await {
            Ok(jobs) => jobs,
            Err(error) => {
                // Their leases are no longer renewed, so they are free again within a minute.
                let mut under_way = self.lock_under_way();
                keys.iter().for_each(|key| {
                    under_way.remove(key);
                });
                return Err(error);
            }
        };
        for job in jobs {
            if queue.send(job).await.is_err() {
                break;
            }
        }
        Ok(claimed)
    }

    /// Reads what the claimed mails need, takes out what nobody wants any more and puts back what a rate holds.
    async fn prepare(&self, mails: Vec<OutboxRow>, now: Timestamp) -> Result<Vec<Job>, StoreError> {
        let mut conn = self.app.store.read().await?;
        let keys: Vec<_> = mails.iter().map(|m| (m.brand_id, m.request_id)).collect();
        let asked: HashMap<RequestId, Asked> = requests::list_with_contacts(&mut conn, &keys)
            .await?
            .into_iter()
            .map(|asked| (asked.request.id, asked))
            .collect();
        let boxes: Vec<_> = asked
            .values()
            .map(|asked| &asked.contact)
            .filter_map(|c| Some((c.brand_id, c.mailbox.as_slice().try_into().ok()?)))
            .collect();
        let suppressed: HashSet<Vec<u8>> = budgets::find_mailboxes(&mut conn, &boxes)
            .await?
            .into_iter()
            .filter(|mailbox| mailbox.suppressed_at.is_some())
            .map(|mailbox| mailbox.hash.to_vec())
            .collect();
        drop(conn);
        let mut unwanted = Vec::new();
        let mut jobs = Vec::with_capacity(mails.len());
        for mail in mails {
            let wanted = asked.get(&mail.request_id).filter(|asked| {
                mail.template == CONFIRM
                    && asked.request.state == RequestState::Open.as_str()
                    && now < asked.request.expires_at
                    && !suppressed.contains(&asked.contact.mailbox)
            });
            match wanted.cloned() {
                Some(Asked { request, contact }) => jobs.push(Job {
                    mail,
                    request,
                    contact,
                }),
                None => unwanted.push(mail.key()),
            }
        }
        if !unwanted.is_empty() {
            let mut writes = Writes::default();
            outbox::remove(&mut writes, self.app.store.engine(), &unwanted);
            self.app.store.write_now(writes).await?;
            let mut under_way = self.lock_under_way();
            unwanted.iter().for_each(|key| {
                under_way.remove(key);
            });
        }
        self.hold_back(jobs, now).await
    }

    /// Applies the rates per brand and per recipient domain; a mail over its rate goes back, due when it is its turn.
    async fn hold_back(&self, jobs: Vec<Job>, now: Timestamp) -> Result<Vec<Job>, StoreError> {
        let catalog = self.app.catalog();
        let limits_of = |job: &Job| {
            let brand = catalog
                .brand(job.mail.brand_id)
                .map_or(0, |brand| brand.declared.mails_per_hour);
            let domain = self.app.config.delivery.per_domain_an_hour;
            [
                (
                    rate_key("send brand", &job.mail.brand_id.to_string()),
                    brand,
                ),
                (rate_key("send domain", &job.mail.recipient_domain), domain),
            ]
        };
        let mut keys: Vec<String> = jobs
            .iter()
            .flat_map(&limits_of)
            .filter(|limit| limit.1 > 0)
            .map(|limit| limit.0)
            .collect();
        if keys.is_empty() {
            return Ok(jobs);
        }
        keys.sort_unstable();
        keys.dedup();
        let mut locks = Locks::default();
        keys.iter().for_each(|key| locks.rate(key));
        let mut held_rates = self.app.store.hold(locks).await?;
        let mut rates: HashMap<String, i64> = budgets::find_rates(held_rates.conn(), &keys)
            .await?
            .into_iter()
            .collect();
        let mut moved: HashMap<String, i64> = HashMap::new();
        let mut kept = Vec::with_capacity(jobs.len());
        let mut held = Vec::new();
        for job in jobs {
            let mut taken = Vec::new();
            let mut later = None;
            for (key, an_hour) in limits_of(&job).into_iter().filter(|limit| limit.1 > 0) {
                match (Rate { an_hour }).take(rates.get(&key).copied(), now) {
                    Ok(arrival) => taken.push((key, arrival)),
                    Err(from) => later = later.max(Some(from)),
                }
            }
            match later {
                Some(from) => held.push((job.mail.key(), from)),
                None => {
                    for (key, arrival) in taken {
                        let before = rates.insert(key.clone(), arrival).unwrap_or(0);
                        *moved.entry(key).or_insert(0) += arrival - before.max(now.micros());
                    }
                    kept.push(job);
                }
            }
        }
        let moved: Vec<(String, i64)> = moved.into_iter().collect();
        let mut writes = Writes::default();
        outbox::release(&mut writes, self.app.store.engine(), &held);
        budgets::add_rates(&mut writes, &moved, now);
        held_rates.finish(writes).await?;
        let mut under_way = self.lock_under_way();
        held.iter().for_each(|(key, _)| {
            under_way.remove(key);
        });
        Ok(kept)
    }

    /// Takes jobs until the queue is closed and empty. Results are handed over without waiting for their commit, up to
    /// a number: the next mail need not wait for the disk.
    async fn send_all(self: &Arc<Self>, waiting: &Mutex<mpsc::Receiver<Job>>) {
        const RESULTS_AT_ONCE: usize = 64;
        let mut writing = VecDeque::with_capacity(RESULTS_AT_ONCE);
        loop {
            let next = waiting.lock().await.recv().await;
            let Some(job) = next else { break };
            let key = job.mail.key();
            match self
                .send(job)
                .await
                .and_then(|sent| self.results.submit(sent))
            {
                Ok(submitted) => writing.push_back((key, submitted)),
                Err(error) => self.settled(key, Err(error)),
            }
            if writing.len() >= RESULTS_AT_ONCE
                && let Some((key, submitted)) = writing.pop_front()
            {
                self.settled(key, submitted.wait().await);
            }
        }
        for (key, submitted) in writing {
            self.settled(key, submitted.wait().await);
        }
    }

    fn settled(&self, key: OutboxKey, written: Result<(), StoreError>) {
        if let Err(error) = written {
            // The lease runs out and the mail is tried again, marked ambiguous.
            tracing::error!(%error, "the result of a mail could not be written");
        }
        self.lock_under_way().remove(&key);
    }

    fn lock_under_way(&self) -> MutexGuard<'_, HashSet<OutboxKey>> {
        self.under_way
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    async fn send(&self, job: Job) -> Result<Sent, StoreError> {
        let catalog = self.app.catalog();
        let Some(brand) = catalog.brand(job.mail.brand_id) else {
            return Ok(Sent::Dropped(job.mail.key()));
        };
        let now = self.app.clock.now();
        let from_domain = brand
            .declared
            .from_address
            .rsplit('@')
            .next()
            .unwrap_or("localhost");
        // The id of the outbox row makes the Message-ID: the same for every try (RFC 5322, section 3.6.4).
        let message_id = job
            .mail
            .message_id
            .clone()
            .unwrap_or_else(|| format!("{}@{from_domain}", job.mail.id));
        let composed = match self.compose(brand, &job, &message_id, now) {
            Ok(composed) => composed,
            Err(reason) => return self.failed(&job, message_id, reason, now, false),
        };
        let envelope = Envelope {
            from: brand.declared.from_address.clone(),
            to: job.contact.address.clone(),
        };
        let outcome = self.transport.send(&envelope, &composed.bytes).await;
        let now = self.app.clock.now();
        let count = |result: &'static str| {
            metrics::counter!(telemetry::MAILS, "result" => result).increment(1);
        };
        match outcome {
            Outcome::Accepted { reply } => {
                count("accepted");
                self.app.live.set_smtp_problem(None);
                self.accepted(brand, &job, message_id, reply, &composed, now)
            }
            Outcome::Rejected { reply, .. } => {
                count("rejected");
                self.failed(&job, message_id, reply, now, false)
            }
            Outcome::Deferred { reason, phase } => {
                count("deferred");
                // A busy mailbox is this mail's matter; what fails before the envelope concerns all mail.
                if matches!(phase, Phase::Connect | Phase::Tls | Phase::Login) {
                    self.app.live.set_smtp_problem(Some(&reason));
                }
                self.later(&job, message_id, reason, now, false)
            }
            Outcome::Unknown { reason } => {
                count("unknown");
                self.later(&job, message_id, reason, now, true)
            }
        }
    }

    fn compose(
        &self,
        brand: &Brand,
        job: &Job,
        message_id: &str,
        now: Timestamp,
    ) -> Result<Composed, String> {
        let catalog = self.app.catalog();
        let request = &job.request;
        let form = catalog
            .form_by_id(request.form_id)
            .ok_or("the form is gone")?;
        let version = VersionHash::stored(request.form_version.clone());
        let content = form.content(&version).ok_or("the form version is gone")?;
        let keys = &self.app.keys;
        let key_id = u8::try_from(request.key_id).unwrap_or(0);
        let (message_local, domain) = message_id.split_once('@').unwrap_or((message_id, ""));
        let token = |purpose| keys.sign(purpose, brand.number, request.id.0, request.expires_at);
        let values = Varying {
            to: job.contact.address.clone(),
            confirm_token: token(Purpose::Confirm),
            about_token: token(Purpose::About),
            code: keys
                .code(key_id, request.id.0)
                .ok_or("the secret that this request was made with is gone")?,
            asked_at: request.issued_at,
            expires_at: request.expires_at,
            message_local: message_local.to_owned(),
            now,
        };
        let purposes = request.purposes();
        let name = job
            .contact
            .name
            .clone()
            .filter(|_| form.declared.name_in_mail);
        let compose = |values: &Varying| {
            ConfirmationMail {
                brand,
                content,
                language: &request.language,
                purposes: &purposes,
                name: name.clone(),
                to: &values.to,
                confirm_url: self.app.url(&format!("/c/{}", values.confirm_token)),
                decline_url: self
                    .app
                    .url(&format!("/c/{}/decline", values.confirm_token)),
                about_url: self.app.url(&format!("/a/{}", values.about_token)),
                code: values.code.clone(),
                asked_at: values.asked_at,
                asked_from: request.page_host.clone(),
                expires_at: values.expires_at,
                message_id: format!("{}@{domain}", values.message_local),
                now: values.now,
            }
            .compose()
        };
        let kind = MailKind {
            revision: catalog.revision.clone(),
            version: version.as_str().to_owned(),
            language: request.language.clone(),
            purposes: request.purposes.clone(),
            page_host: request.page_host.clone(),
            domain: domain.to_owned(),
        };
        let skeleton = name
            .is_none()
            .then(|| self.skeleton(kind, &compose))
            .flatten();
        let dictionary = skeleton
            .as_ref()
            .map(|skeleton| skeleton.dictionary.clone());
        let filled = skeleton.and_then(|skeleton| skeleton.fill(&values));
        let bytes = match filled {
            Some(bytes) => bytes,
            None => compose(&values).map_err(|problem| problem.to_string())?,
        };
        let Some(key) = &self.dkim else {
            return Ok(Composed { bytes, dictionary });
        };
        let seconds = u64::try_from(now.unix_seconds()).unwrap_or(0);
        let mut signed = key
            .sign(&bytes, seconds)
            .map_err(|problem| problem.to_string())?;
        signed.extend_from_slice(&bytes);
        Ok(Composed {
            bytes: signed,
            dictionary,
        })
    }

    /// The skeleton of a kind of mail, made at its first use.
    fn skeleton<E>(
        &self,
        kind: MailKind,
        compose: &dyn Fn(&Varying) -> Result<Vec<u8>, E>,
    ) -> Option<Arc<Skeleton>> {
        let mut known = self
            .skeletons
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(skeleton) = known.get(&kind) {
            return skeleton.clone();
        }
        // Old revisions and rare pages would pile up; starting over costs a composition or two.
        if known.len() >= KINDS_AT_MOST {
            known.clear();
        }
        let skeleton = Skeleton::of(compose).map(Arc::new);
        known.insert(kind, skeleton.clone());
        skeleton
    }

    fn event(&self, job: &Job, at: Timestamp, fact: Fact) -> Result<NewEvent, StoreError> {
        let about = About {
            brand: job.mail.brand_id,
            contact: job.mail.contact_id,
            request: Some(job.mail.request_id),
        };
        self.work.record(about, at, fact)
    }

    fn accepted(
        &self,
        brand: &Brand,
        job: &Job,
        message_id: String,
        reply: String,
        composed: &Composed,
        now: Timestamp,
    ) -> Result<Sent, StoreError> {
        let fact = Fact::MailAccepted {
            message_id,
            from: brand.declared.from_address.clone(),
            reply,
            mail_sha256: hex(&Sha256::digest(&composed.bytes)),
            template: job.mail.template.clone(),
            language: job.request.language.clone(),
            tries: job.mail.tries + 1,
            ambiguous: job.mail.ambiguous != 0,
        };
        let mut event = self.event(job, now, fact)?;
        let packed = pack(&composed.bytes, composed.dictionary.as_deref());
        event.mail = Some(packed.map_err(|_| StoreError::Corrupt("a mail that cannot be packed"))?);
        Ok(Sent::Accepted {
            key: job.mail.key(),
            event: Box::new(event),
            dictionary: composed.dictionary.clone(),
        })
    }

    fn later(
        &self,
        job: &Job,
        message_id: String,
        reason: String,
        now: Timestamp,
        ambiguous: bool,
    ) -> Result<Sent, StoreError> {
        let tries = job.mail.tries + 1;
        let first = job.mail.first_try_at.unwrap_or(now);
        let delivery = &self.app.config.delivery;
        // A mail whose fate is unknown time and again is a poison message: eight tries and it is parked.
        const AMBIGUOUS_TRIES: i64 = 8;
        let over = tries >= delivery.max_tries
            || now.since(first) >= delivery.retry_for
            || (ambiguous && tries >= AMBIGUOUS_TRIES);
        if over {
            return self.failed(job, message_id, reason, now, ambiguous);
        }
        Ok(Sent::NotYet(Retry {
            key: job.mail.key(),
            next_due_at: Some(now.plus(self.backoff(tries))),
            tries,
            first_try_at: first,
            message_id,
            last_reply: reason,
            ambiguous: ambiguous || job.mail.ambiguous != 0,
        }))
    }

    /// 30 seconds, doubled at each try up to four hours, and up to a quarter more by chance so that a crowd of mails does
    /// not come back all at once.
    fn backoff(&self, tries: i64) -> Duration {
        let doubled = 30_u64 << u32::try_from(tries - 1).unwrap_or(0).min(9);
        let seconds = doubled.min(4 * 3_600);
        let jitter = self.app.random.below(seconds * 250 + 1);
        Duration::from_secs(seconds) + Duration::from_millis(jitter)
    }

    fn failed(
        &self,
        job: &Job,
        message_id: String,
        reason: String,
        now: Timestamp,
        ambiguous: bool,
    ) -> Result<Sent, StoreError> {
        let tries = job.mail.tries + 1;
        let ambiguous = ambiguous || job.mail.ambiguous != 0;
        let fact = Fact::MailFailed {
            message_id: message_id.clone(),
            reason: reason.clone(),
            tries,
            ambiguous,
        };
        Ok(Sent::Failed {
            event: Box::new(self.event(job, now, fact)?),
            retry: Retry {
                key: job.mail.key(),
                next_due_at: None,
                tries,
                first_try_at: job.mail.first_try_at.unwrap_or(now),
                message_id,
                last_reply: reason,
                ambiguous,
            },
        })
    }
}

/// Writes the results of a batch. If the process dies before this commit, accepted mails are sent again: the one window
/// that SMTP leaves open. `stored` are the common texts that are known to be on disk.
async fn write(
    work: &Work,
    stored: &std::sync::Mutex<HashSet<i64>>,
    sent: Vec<Sent>,
) -> Result<Vec<()>, StoreError> {
    let answers = vec![(); sent.len()];
    let mut done = Vec::with_capacity(sent.len());
    let mut retries = Vec::new();
    let mut events = Vec::with_capacity(sent.len());
    let mut texts: HashMap<i64, Arc<Dictionary>> = HashMap::new();
    for one in sent {
        match one {
            Sent::Accepted {
                key,
                event,
                dictionary,
            } => {
                done.push(key);
                events.push(*event);
                texts.extend(dictionary.map(|text| (text.id, text)));
            }
            Sent::NotYet(retry) => retries.push(retry),
            Sent::Failed { retry, event } => {
                retries.push(retry);
                events.push(*event);
            }
            Sent::Dropped(key) => done.push(key),
        }
    }
    let known = || stored.lock().unwrap_or_else(PoisonError::into_inner);
    texts.retain(|id, _| !known().contains(id));
    let texts: Vec<(i64, Vec<u8>)> = texts
        .into_values()
        .map(|text| (text.id, text.bytes.clone()))
        .collect();
    let mut writes = Writes::default();
    mails::put_dictionaries(&mut writes, &texts);
    outbox::remove(&mut writes, work.store.engine(), &done);
    outbox::retry(&mut writes, work.store.engine(), &retries);
    // A contact that was erased while its mail was under way stays erased.
    events::append_to_known(&mut writes, work.store.engine(), &events);
    work.store.write_now(writes).await?;
    known().extend(texts.into_iter().map(|text| text.0));
    Ok(answers)
}
