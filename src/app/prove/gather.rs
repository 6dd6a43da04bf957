//! Gathering a contact's evidence into a bundle. It is checked before it leaves: a bundle that its own verifier would
//! refuse is worth nothing to whoever asked for it.

use std::collections::{BTreeMap, BTreeSet};

use super::super::App;
use super::super::proof::kept_of;
use super::super::read_log::audit_paths;
use super::super::seal::Opened;
use super::super::sequence::{Head, SequenceProblem};
use super::consent_record::consent_record;
use super::dossier::{Anchor, Dossier, Entry, LeftOut};
use super::report::report;
use super::select::{Chosen, EVENTS_AT_MOST, Span, choose, choose_sealed};
use crate::domain::brand::Brand;
use crate::domain::event::Fact;
use crate::domain::form::VersionHash;
use crate::domain::ids::ContactId;
use crate::ledger::archive::ArchiveProblem;
use crate::ledger::bundle::{self, EventPart, Known, Page, Parts, Report, WriteProblem};
use crate::store::events::WholeEvent;
use crate::store::{Conn, StoreError, contacts, log};

const VERIFIER: &str = include_str!("../../../static/verify.html");
const HOW_TO_VERIFY: &str = include_str!("../../../docs/how-to-verify.md");

/// Why there is no bundle.
#[derive(Debug, thiserror::Error)]
pub enum NoBundle {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the log of evidence does not go on: {0}")]
    Log(#[from] SequenceProblem),
    #[error(
        "the events have no place in the log yet; is a server or worker running? Try again in a moment"
    )]
    NotLogged,
    #[error("nothing happened in this time")]
    Nothing,
    #[error(
        "there are more than {EVENTS_AT_MOST} events, and a bundle has room for no more. Make several, each of a part of the time, \
         with --from and --until; what belongs to one request stays together"
    )]
    TooMany,
    #[error(
        "the events and mails are larger than a bundle may be (256 MB in all, 64 MB for the report). Make several, each of a part of \
         the time, with --from and --until; what belongs to one request stays together"
    )]
    TooLarge,
    #[error("{0}")]
    Write(WriteProblem),
    #[error("the report could not be written: {0}")]
    Report(#[from] askama::Error),
    /// What is kept was changed; `verify --log` tells more.
    #[error("what is kept does not hold: {0}. Run `countersign verify --log`")]
    DoesNotHold(#[from] bundle::BundleProblem),
}

impl From<WriteProblem> for NoBundle {
    fn from(problem: WriteProblem) -> Self {
        match problem {
            WriteProblem::Archive(ArchiveProblem::Large(_)) => Self::TooLarge,
            problem => Self::Write(problem),
        }
    }
}

/// A bundle as it is handed out.
pub struct Made {
    /// The ZIP file.
    pub bytes: Vec<u8>,
    /// What its check says.
    pub report: Report,
    /// What it does not hold, in sentences; its report for people says the same.
    pub left_out: Vec<String>,
}

/// What is known of a contact, before it becomes a bundle.
struct Gathered {
    contact: ContactId,
    address: String,
    span: Span,
    chosen: Vec<Chosen>,
    /// Events outside the span.
    left_out: usize,
}

/// What only the pages for people need.
struct Pages {
    address: String,
    entries: Vec<Entry>,
    proofs: BTreeMap<String, bool>,
    forms: BTreeMap<VersionHash, String>,
    left_out: LeftOut,
}

impl App {
    /// The bundle of one contact as a ZIP file, with what its check says; none if the brand does not know the address.
    /// Waits until its events are in the log, and asks the time-stamping authorities for a stamp over them; one that does
    /// not answer is left out.
    pub async fn bundle(
        &self,
        brand: &Brand,
        address_key: &str,
    ) -> Result<Option<(Vec<u8>, Report)>, NoBundle> {
        let made = self.bundle_of(brand, address_key, Span::WHOLE).await?;
        Ok(made.map(|made| (made.bytes, made.report)))
    }

    /// The same of a part of the time; an error where nothing happened in it. What belongs to a request that falls into it is
    /// there whole.
    pub async fn bundle_of(
        &self,
        brand: &Brand,
        address_key: &str,
        span: Span,
    ) -> Result<Option<Made>, NoBundle> {
        let mut conn = self.store.read().await?;
        let Some(contact) = contacts::find(&mut conn, brand.id, address_key).await? else {
            return Ok(None);
        };
        let choice = choose(&mut conn, brand.id, contact.id, span).await?;
        drop(conn);
        let gathered = Gathered {
            contact: contact.id,
            address: contact.address,
            span,
            chosen: choice.chosen,
            left_out: choice.left_out,
        };
        self.bundle_up(brand, gathered).await.map(Some)
    }

    /// The same of a contact that was erased, from what was sealed of it and what was recorded since.
    pub async fn bundle_of_sealed(
        &self,
        brand: &Brand,
        opened: &Opened,
        span: Span,
    ) -> Result<Made, NoBundle> {
        let mut conn = self.store.read().await?;
        let choice = choose_sealed(&mut conn, brand.id, opened, span).await?;
        drop(conn);
        let address = choice.chosen.iter().find_map(|one| match &one.event.fact {
            Fact::SignedUp(signup) => Some(signup.address.clone()),
            Fact::Imported(import) => Some(import.address.clone()),
            Fact::Invited(invited) => Some(invited.address.clone()),
            _ => None,
        });
        let gathered = Gathered {
            contact: opened.contact,
            address: address.unwrap_or_default(),
            span,
            chosen: choice.chosen,
            left_out: choice.left_out,
        };
        self.bundle_up(brand, gathered).await
    }

    async fn bundle_up(&self, brand: &Brand, gathered: Gathered) -> Result<Made, NoBundle> {
        let last = gathered.chosen.last().ok_or(NoBundle::Nothing)?;
        let last = last.stored.position;
        self.logged(last).await?.ok_or(NoBundle::NotLogged)?;
        self.stamp_now().await?;
        let head = self.logged(last).await?.ok_or(NoBundle::NotLogged)?;
        let (parts, pages) = self.parts(brand, gathered, &head).await?;
        self.finish_bundle(brand, parts, pages)
    }

    /// What goes into the bundle besides the pages, and what the pages need.
    async fn parts(
        &self,
        brand: &Brand,
        gathered: Gathered,
        head: &Head,
    ) -> Result<(Parts, Pages), NoBundle> {
        let mut conn = self.store.read().await?;
        let indexes = indexes_of(&mut conn, &gathered.chosen).await?;
        let paths = audit_paths(&mut conn, &indexes, head.size).await?;
        let checkpoint = self.checkpoint_with_cosignatures(head.size).await?;
        let events = &gathered.chosen;
        let anchored = self.anchors(&mut conn, events, &indexes, head.size).await?;
        let proofs = kept_of(&mut conn, brand.id, events.iter().map(|one| &one.event)).await?;
        drop(conn);
        let mut pages = Pages {
            address: gathered.address,
            proofs,
            entries: Vec::with_capacity(events.len()),
            forms: BTreeMap::new(),
            left_out: LeftOut {
                events: gathered.left_out,
                from: gathered.span.from,
                until: gathered.span.until,
                loosely: anchored.loosely,
            },
        };
        let mut parts = Parts {
            brand: brand.declared.slug.to_string(),
            contact: gathered.contact.0,
            made: self.clock.now(),
            checkpoint: checkpoint.unwrap_or_else(|| head.note.clone()),
            events: Vec::with_capacity(events.len()),
            anchors: anchored.parts,
            forms: Vec::new(),
            pages: BTreeMap::new(),
        };
        for version in versions(events) {
            let missing = StoreError::Corrupt("a form version that an event names is missing");
            let page = self.form_as_shown(version).await?.ok_or(missing)?;
            parts.forms.push(page.clone().into_bytes());
            pages.forms.insert(version.clone(), page);
        }
        for ((one, index), path) in gathered.chosen.into_iter().zip(indexes).zip(paths) {
            let stored = one.stored;
            pages.entries.push(Entry {
                number: pages.entries.len() + 1,
                index,
                event: one.event,
                discloses: stored.circumstances.is_some(),
            });
            parts.events.push(EventPart {
                salt: salt_of(&stored)?,
                event: stored.body.unwrap_or_default(),
                index,
                path,
                mail: one.mail,
                circumstances: stored.circumstances,
            });
        }
        Ok((parts, pages))
    }

    /// Checks the parts, writes the pages from what the check found, and checks the whole.
    fn finish_bundle(
        &self,
        brand: &Brand,
        mut parts: Parts,
        pages: Pages,
    ) -> Result<Made, NoBundle> {
        let key = self.log.key.verifier();
        let known = Known {
            key: Some(&key),
            ..Known::default()
        };
        let found = bundle::verify_files(&bundle::files(&parts, &self.log.key)?, true, known)?;
        let left_out = pages.left_out.sentences();
        let dossier = Dossier {
            proofs: pages.proofs,
            brand: brand.declared.clone(),
            contact: ContactId(parts.contact),
            address: pages.address,
            mails: take_mails(&mut parts),
            forms: pages.forms,
            checkpoint: parts.checkpoint.clone(),
            anchors: found.anchors.iter().map(anchor_of).collect(),
            log_key_fingerprint: key.fingerprint(),
            made_at: parts.made,
            entries: pages.entries,
            left_out: pages.left_out,
        };
        let record = serde_json::to_vec_pretty(&consent_record(&dossier)).unwrap_or_default();
        parts.pages = BTreeMap::from([
            (Page::Report, report(&dossier)?.into_bytes()),
            (Page::Record, record),
            (Page::Verifier, VERIFIER.into()),
            (Page::HowToVerify, HOW_TO_VERIFY.into()),
        ]);
        put_back(&mut parts, dossier.mails);
        let bytes = bundle::write(&parts, &self.log.key)?;
        drop(parts);
        let report = bundle::verify(&bytes, known)?;
        Ok(Made {
            bytes,
            report,
            left_out,
        })
    }
}

async fn indexes_of(conn: &mut Conn, chosen: &[Chosen]) -> Result<Vec<u64>, StoreError> {
    let positions: Vec<i64> = chosen.iter().map(|one| one.stored.position).collect();
    let found: BTreeMap<_, _> = log::indexes(conn, &positions).await?.into_iter().collect();
    positions
        .iter()
        .map(|position| {
            let index = found.get(position).copied().flatten();
            index
                .and_then(|index| u64::try_from(index).ok())
                .ok_or(StoreError::Corrupt("an event has no place in the log"))
        })
        .collect()
}

fn salt_of(stored: &WholeEvent) -> Result<[u8; 32], StoreError> {
    let salt = stored.salt.as_deref().and_then(|salt| salt.try_into().ok());
    salt.ok_or(StoreError::Corrupt("an event has no salt"))
}

/// The form versions that the events name, each once.
fn versions(chosen: &[Chosen]) -> BTreeSet<&VersionHash> {
    chosen
        .iter()
        .filter_map(|one| match &one.event.fact {
            Fact::SignedUp(signup) => Some(&signup.form_version),
            Fact::Invited(invited) => Some(&invited.form_version),
            _ => None,
        })
        .collect()
}

/// The mails by the numbers of their events. They are lent: a bundle's mails may be large, and are in memory once.
fn take_mails(parts: &mut Parts) -> BTreeMap<usize, Vec<u8>> {
    (1..)
        .zip(&mut parts.events)
        .filter_map(|(number, event)| Some((number, event.mail.take()?)))
        .collect()
}

fn put_back(parts: &mut Parts, mails: BTreeMap<usize, Vec<u8>>) {
    for (number, mail) in mails {
        if let Some(event) = parts.events.get_mut(number - 1) {
            event.mail = Some(mail);
        }
    }
}

fn anchor_of(found: &bundle::Anchor) -> Anchor {
    let stamp = &found.stamp;
    Anchor {
        name: found.name.clone(),
        at: stamp.at,
        size: found.size,
        authority: stamp.authority.clone(),
        root: Some(format!(
            "{}, SHA-256 {}",
            stamp.root_name, stamp.root_fingerprint
        )),
    }
}
