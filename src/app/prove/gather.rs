//! Gathering a contact's evidence into a bundle. It is checked before it leaves: a bundle that its own verifier would
//! refuse is worth nothing to whoever asked for it.

use std::collections::{BTreeMap, BTreeSet};

use super::super::App;
use super::super::proof::kept_of;
use super::super::read_log::audit_paths;
use super::super::record::read_whole;
use super::super::seal::Opened;
use super::super::sequence::{Head, SequenceProblem};
use super::consent_record::consent_record;
use super::dossier::{Anchor, Dossier, Entry};
use super::report::report;
use crate::domain::brand::Brand;
use crate::domain::event::{Event, Fact};
use crate::domain::form::VersionHash;
use crate::domain::ids::ContactId;
use crate::ledger::bundle::{self, EventPart, Known, Page, Parts, Report, WriteProblem};
use crate::store::events::{self, WholeEvent};
use crate::store::{Conn, StoreError, contacts, log};

/// With a proof for each, and a mail or circumstances (no event has both), they stay below the files that a bundle may have.
const EVENTS_AT_MOST: usize = 6_000;

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
    #[error("there are more than {EVENTS_AT_MOST} events of this contact")]
    TooMany,
    #[error("{0}")]
    Write(#[from] WriteProblem),
    #[error("the report could not be written: {0}")]
    Report(#[from] askama::Error),
    /// What is kept was changed; `verify --log` tells more.
    #[error("what is kept does not hold: {0}. Run `countersign verify --log`")]
    DoesNotHold(#[from] bundle::BundleProblem),
}

/// What is known of a contact, before it becomes a bundle.
struct Gathered {
    contact: ContactId,
    address: String,
    whole: Vec<(WholeEvent, Event)>,
    mails: BTreeMap<i64, Vec<u8>>,
}

/// What only the pages for people need.
struct Pages {
    entries: Vec<Entry>,
    proofs: BTreeSet<String>,
    forms: BTreeMap<VersionHash, String>,
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
        match self.gather(brand, address_key).await? {
            Some(gathered) => self.bundle_up(brand, &gathered).await.map(Some),
            None => Ok(None),
        }
    }

    /// The same of a contact that was erased, from what was sealed of it and what was recorded since.
    pub async fn bundle_of_sealed(
        &self,
        brand: &Brand,
        opened: &Opened,
    ) -> Result<(Vec<u8>, Report), NoBundle> {
        let mut conn = self.store.read().await?;
        let most = EVENTS_AT_MOST as i64 + 1;
        let since = events::list_whole(&mut conn, brand.id, opened.contact, 0, most).await?;
        drop(conn);
        let sealed = opened.events.iter().map(|event| WholeEvent {
            position: event.position,
            body: Some(event.body.clone()),
            salt: Some(event.salt.to_vec()),
            circumstances: event.circumstances.clone(),
            mail: None,
        });
        let whole = read_all_whole(sealed.chain(since).collect())?;
        let address = whole.iter().find_map(|(_, event)| match &event.fact {
            Fact::SignedUp(signup) => Some(signup.address.clone()),
            Fact::Imported(import) => Some(import.address.clone()),
            Fact::Invited(invited) => Some(invited.address.clone()),
            _ => None,
        });
        let mails = opened.events.iter();
        let mails = mails.filter_map(|event| Some((event.position, event.mail.clone()?)));
        let gathered = Gathered {
            contact: opened.contact,
            address: address.unwrap_or_default(),
            mails: mails.collect(),
            whole,
        };
        self.bundle_up(brand, &gathered).await
    }

    async fn bundle_up(
        &self,
        brand: &Brand,
        gathered: &Gathered,
    ) -> Result<(Vec<u8>, Report), NoBundle> {
        let last = gathered.whole.last().map_or(0, |one| one.0.position);
        self.logged(last).await?.ok_or(NoBundle::NotLogged)?;
        self.stamp_now().await?;
        let head = self.logged(last).await?.ok_or(NoBundle::NotLogged)?;
        let (parts, pages) = self.parts(brand, gathered, &head).await?;
        self.finish_bundle(brand, gathered, parts, pages)
    }

    async fn gather(&self, brand: &Brand, address_key: &str) -> Result<Option<Gathered>, NoBundle> {
        let mut conn = self.store.read().await?;
        let Some(contact) = contacts::find(&mut conn, brand.id, address_key).await? else {
            return Ok(None);
        };
        let most = EVENTS_AT_MOST as i64 + 1;
        let stored = events::list_whole(&mut conn, brand.id, contact.id, 0, most).await?;
        drop(conn);
        let whole = read_all_whole(stored)?;
        let mails = self.mails_as_sent(brand, contact.id).await?;
        Ok(Some(Gathered {
            contact: contact.id,
            address: contact.address,
            whole,
            mails: mails.into_iter().collect(),
        }))
    }

    /// What goes into the bundle besides the pages, and the entries as the pages need them.
    async fn parts(
        &self,
        brand: &Brand,
        gathered: &Gathered,
        head: &Head,
    ) -> Result<(Parts, Pages), NoBundle> {
        let mut conn = self.store.read().await?;
        let indexes = indexes_of(&mut conn, &gathered.whole).await?;
        let paths = audit_paths(&mut conn, &indexes, head.size).await?;
        let checkpoint = self.checkpoint_with_cosignatures(head.size).await?;
        let mut parts = Parts {
            brand: brand.declared.slug.to_string(),
            contact: gathered.contact.0,
            made: self.clock.now(),
            checkpoint: checkpoint.unwrap_or_else(|| head.note.clone()),
            events: Vec::new(),
            anchors: self.anchors(&mut conn, &indexes, head.size).await?,
            forms: Vec::new(),
            pages: BTreeMap::new(),
        };
        let mut entries = Vec::new();
        for (((stored, event), index), path) in gathered.whole.iter().zip(&indexes).zip(paths) {
            entries.push(Entry {
                number: entries.len() + 1,
                index: *index,
                event: event.clone(),
                discloses: stored.circumstances.is_some(),
            });
            parts.events.push(EventPart {
                event: stored.body.clone().unwrap_or_default(),
                salt: salt_of(stored)?,
                index: *index,
                path,
                mail: gathered.mails.get(&stored.position).cloned(),
                circumstances: stored.circumstances.clone(),
            });
        }
        let events = gathered.whole.iter().map(|one| &one.1);
        let proofs = kept_of(&mut conn, brand.id, events).await?;
        drop(conn);
        let mut forms = BTreeMap::new();
        for version in versions(&gathered.whole) {
            let missing = StoreError::Corrupt("a form version that an event names is missing");
            let page = self.form_as_shown(version).await?.ok_or(missing)?;
            parts.forms.push(page.clone().into_bytes());
            forms.insert(version.clone(), page);
        }
        Ok((
            parts,
            Pages {
                entries,
                proofs,
                forms,
            },
        ))
    }

    /// Checks the parts, writes the pages from what the check found, and checks the whole.
    fn finish_bundle(
        &self,
        brand: &Brand,
        gathered: &Gathered,
        mut parts: Parts,
        pages: Pages,
    ) -> Result<(Vec<u8>, Report), NoBundle> {
        let key = self.log.key.verifier();
        let known = Known {
            key: Some(&key),
            ..Known::default()
        };
        let found = bundle::verify_files(&bundle::files(&parts, &self.log.key)?, true, known)?;
        let dossier = Dossier {
            proofs: pages.proofs,
            brand: brand.declared.clone(),
            contact: gathered.contact,
            address: gathered.address.clone(),
            mails: numbered(&parts),
            forms: pages.forms,
            checkpoint: parts.checkpoint.clone(),
            anchors: found.anchors.iter().map(anchor_of).collect(),
            log_key_fingerprint: key.fingerprint(),
            made_at: parts.made,
            entries: pages.entries,
        };
        let record = serde_json::to_vec_pretty(&consent_record(&dossier)).unwrap_or_default();
        parts.pages = BTreeMap::from([
            (Page::Report, report(&dossier)?.into_bytes()),
            (Page::Record, record),
            (Page::Verifier, VERIFIER.into()),
            (Page::HowToVerify, HOW_TO_VERIFY.into()),
        ]);
        let bytes = bundle::write(&parts, &self.log.key)?;
        let checked = bundle::verify(&bytes, known)?;
        Ok((bytes, checked))
    }
}

/// Reads events back; emptied ones are left out.
fn read_all_whole(all: Vec<WholeEvent>) -> Result<Vec<(WholeEvent, Event)>, NoBundle> {
    if all.len() > EVENTS_AT_MOST {
        return Err(NoBundle::TooMany);
    }
    let mut whole = Vec::with_capacity(all.len());
    for stored in all {
        if let Some(event) = read_whole(&stored)? {
            whole.push((stored, event));
        }
    }
    Ok(whole)
}

async fn indexes_of(
    conn: &mut Conn,
    whole: &[(WholeEvent, Event)],
) -> Result<Vec<u64>, StoreError> {
    let positions: Vec<i64> = whole.iter().map(|one| one.0.position).collect();
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
fn versions(whole: &[(WholeEvent, Event)]) -> BTreeSet<&VersionHash> {
    whole
        .iter()
        .filter_map(|(_, event)| match &event.fact {
            Fact::SignedUp(signup) => Some(&signup.form_version),
            Fact::Invited(invited) => Some(&invited.form_version),
            _ => None,
        })
        .collect()
}

/// The mails by the numbers of their events.
fn numbered(parts: &Parts) -> BTreeMap<usize, Vec<u8>> {
    (1..)
        .zip(&parts.events)
        .filter_map(|(number, event)| Some((number, event.mail.clone()?)))
        .collect()
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
