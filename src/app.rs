//! The verbs. Each has a file and, where it writes, one transaction.

pub mod acted;
pub mod add_proof;
mod ahead;
pub mod anchored;
pub mod announce;
pub mod apply;
pub mod audit;
pub mod auditing;
pub mod booth;
pub mod bounce;
pub mod breaker;
pub mod campaign;
pub mod catalog;
pub mod challenge;
mod close;
pub mod confirm;
pub mod correct;
pub mod deliver;
pub mod doctor;
pub mod drafts;
pub mod due_again;
pub mod edit_form;
pub mod erase;
pub mod expire;
pub mod figures;
pub mod find;
pub mod held;
pub mod hold;
pub mod hook;
pub mod import;
pub mod inbox;
pub mod judge;
pub mod keys;
pub mod lapse;
pub mod last_use;
pub mod links;
pub mod live;
pub mod log_standing;
pub mod look_up;
pub mod note;
pub mod notice;
pub mod open_link;
pub mod operators;
mod outside;
pub mod overview;
pub mod passkeys;
pub mod permit;
pub mod prefer;
pub mod proof;
pub mod prove;
pub mod queue;
mod rates;
pub mod read_log;
mod record;
pub mod repeat;
pub mod report_use;
pub mod resend;
pub mod restored;
mod retain;
pub mod seal;
pub mod second_factor;
pub mod sequence;
pub mod sign_in;
pub mod sign_up;
mod smtp_problem;
mod sources;
pub mod summarize;
pub mod suppress;
pub mod tidy;
pub mod timestamp;
pub mod waiting;
pub mod webhooks;
pub mod wish;
pub mod withdraw;
pub mod witness;

use std::sync::{Arc, PoisonError, RwLock};

use crate::clock::{Clock, Random};
use crate::config::Config;
use crate::domain::circumstances::{Circumstances, KeepCircumstances};
use crate::domain::ids::BrandId;
use crate::domain::keys::{Keys, KeysProblem};
use crate::domain::time::Timestamp;
use crate::ledger::note::{NoteProblem, SigningNoteKey};
use crate::store::writer::{Batcher, DECIDING};
use crate::store::{Store, StoreError, settings};

use catalog::Catalog;

/// What every verb needs. Shared by all requests and tasks of the process.
pub struct App {
    pub config: Config,
    pub clock: Clock,
    pub random: Random,
    pub keys: Arc<Keys>,
    pub store: Store,
    pub live: live::Live,
    pub log: sequence::Log,
    pub stamping: timestamp::Stamping,
    pub witnessing: witness::Witnessing,
    pub telling: webhooks::Telling,
    pub auditing: auditing::Auditing,
    lists_taken: acted::ListsTaken,
    sns: hook::sns::Sns,
    /// For work that goes on after the request that began it.
    background: tokio::runtime::Handle,
    pub at_work: drafts::AtWork,
    catalog: Arc<RwLock<Arc<Catalog>>>,
    sign_ups: Batcher<sign_up::SignUp, sign_up::SignedUp>,
    confirmations: Batcher<confirm::Answer, confirm::Answered>,
    openings: Batcher<open_link::Opened, ()>,
}

/// Why the server cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartProblem {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("secrets: {0}")]
    Keys(#[from] KeysProblem),
    #[error(
        "the root secret that this database began with is missing; put it last in secrets.previous"
    )]
    OldSecretMissing,
    #[error("the log's key: {0}")]
    LogKey(#[from] NoteProblem),
    /// The log's name and key are those of its first checkpoint, for good.
    #[error(
        "this database's log is signed by another key; its root secret is missing; put it last in secrets.previous"
    )]
    OtherLog,
}

/// What a batch of a hot verb works with; cheap to clone into its task.
#[derive(Clone)]
pub(crate) struct Work {
    pub store: Store,
    pub clock: Clock,
    pub random: Random,
    pub keys: Arc<Keys>,
    catalog: Arc<RwLock<Arc<Catalog>>>,
}

impl Work {
    /// How much of the circumstances of a request this brand keeps. What belongs to no brand is kept whole: it is about
    /// operators.
    fn keeps(&self, brand: BrandId) -> KeepCircumstances {
        let catalog = self.catalog.read().unwrap_or_else(PoisonError::into_inner);
        let known = catalog.brand(brand);
        known.map_or_else(KeepCircumstances::default, |brand| {
            brand.declared.circumstances
        })
    }

    /// A network as it is kept to tell scanners from people.
    pub fn mark_of(&self, circumstances: &Circumstances) -> String {
        self.keys.network_mark(&circumstances.neighbourhood())
    }
}

impl App {
    /// Opens the store, checks the keys against it, loads the catalog and starts the writers.
    pub async fn start(
        config: Config,
        clock: Clock,
        random: Random,
    ) -> Result<Arc<Self>, StartProblem> {
        // From here on a step of the clock is noticed, even if it comes before the first event.
        clock.reading();
        let keys = Arc::new(Keys::derive(&config.root_secrets)?);
        let store = Store::open(&config.database).await?;
        let mut tx = store.write().await?;
        let known = settings::put_once(&mut tx, "mailbox_key", &keys.mailbox_fingerprint()).await?;
        tx.commit().await?;
        if known != keys.mailbox_fingerprint() {
            return Err(StartProblem::OldSecretMissing);
        }
        let log = Self::open_log(&config, &keys, &store, &random, clock.now()).await?;
        let catalog = Arc::new(RwLock::new(Arc::new(catalog::load(&store).await?)));
        let stamping = timestamp::Stamping::new(&config.timestamps, random.uuid_v7(clock.now()));
        let witnessing = witness::Witnessing::new(&config.witnesses, random.uuid_v7(clock.now()));
        let telling = webhooks::Telling::new(&config.webhooks, random.uuid_v7(clock.now()));
        let at_work = drafts::AtWork::new(random.uuid_v7(clock.now()));
        let work = Work {
            store: store.clone(),
            clock: clock.clone(),
            random: random.clone(),
            keys: keys.clone(),
            catalog: catalog.clone(),
        };
        let thresholds = config.thresholds;
        let limits = config.limits;
        let (one, two, three) = (work.clone(), work.clone(), work);
        let app = Arc::new(Self {
            sign_ups: Batcher::start(sign_up::BATCH, DECIDING, move |calls| {
                let work = one.clone();
                async move { sign_up::run(&work, &limits, calls).await }
            }),
            confirmations: Batcher::start(confirm::BATCH, DECIDING, move |calls| {
                let work = two.clone();
                async move { confirm::run(&work, &thresholds, calls).await }
            }),
            openings: Batcher::start(open_link::BATCH, DECIDING, move |calls| {
                let work = three.clone();
                async move { open_link::run(&work, calls).await }
            }),
            catalog,
            live: live::Live::default(),
            log,
            stamping,
            witnessing,
            telling,
            auditing: auditing::Auditing::default(),
            lists_taken: acted::ListsTaken::default(),
            sns: hook::sns::Sns::new(config.hooks.ses.as_ref()),
            background: tokio::runtime::Handle::current(),
            at_work,
            config,
            clock,
            random,
            keys,
            store,
        });
        // Before anything is sent or logged. What this cannot read, the first of these will tell.
        if let Err(problem) = app.notice_restored().await {
            tracing::warn!(%problem, "the log could not be compared with its head beside the database");
        }
        if let Err(problem) = app.learn_ahead().await {
            tracing::warn!(%problem, "how far the clock is off against an authority's could not be read");
        }
        Ok(app)
    }

    /// The log's key and its name. The name is chosen once, when the database is new: what it is found under may change.
    async fn open_log(
        config: &Config,
        keys: &Keys,
        store: &Store,
        random: &Random,
        now: Timestamp,
    ) -> Result<sequence::Log, StartProblem> {
        let mut tx = store.write().await?;
        let origin = settings::put_once(&mut tx, "log_origin", &config.ledger.origin).await?;
        let key = SigningNoteKey::new(&origin, keys.log_secret())?;
        let vkey = key.verifier().vkey();
        let known = settings::put_once(&mut tx, "log_key", &vkey).await?;
        tx.commit().await?;
        if known != vkey {
            return Err(StartProblem::OtherLog);
        }
        Ok(sequence::Log::new(key, random.uuid_v7(now)))
    }

    fn work(&self) -> Work {
        Work {
            store: self.store.clone(),
            clock: self.clock.clone(),
            random: self.random.clone(),
            keys: self.keys.clone(),
            catalog: self.catalog.clone(),
        }
    }

    /// The brands and forms as they are now.
    pub fn catalog(&self) -> Arc<Catalog> {
        self.catalog
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Reads the catalog again if another process, or the command line, has changed it.
    pub async fn refresh_catalog(&self) -> Result<(), StoreError> {
        let mut conn = self.store.read().await?;
        let revision = settings::find(&mut conn, catalog::REVISION).await?;
        if revision == self.catalog().revision {
            return Ok(());
        }
        drop(conn);
        let fresh = Arc::new(catalog::load(&self.store).await?);
        *self.catalog.write().unwrap_or_else(PoisonError::into_inner) = fresh;
        Ok(())
    }

    /// A public URL. Links come from the settings only, never from what a request says (T14).
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.config.base_url)
    }
}
