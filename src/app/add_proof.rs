//! Proof that comes later: words or a file, added to what an import claimed of a contact. The contact is judged anew with it.

use sha2::{Digest, Sha256};

use super::App;
use super::acted::Acting;
use super::judge::{came_back, closed};
use super::permit::parse_address;
use super::record::About;
use super::sources::{Sources, Told};
use crate::domain::added::ProofAdded;
use crate::domain::brand::{Brand, Slug};
use crate::domain::event::{Fact, Through};
use crate::domain::ids::ContactId;
use crate::domain::operator::Deed;
use crate::domain::policy::{
    AddressFacts, Claim, ClaimProblem, Closed, Judgement, Source, TAKE_FILES, Verdict, judge,
    takes_file,
};
use crate::domain::standing::{Standing, Standings, apply};
use crate::domain::time::Timestamp;
use crate::intake::candidate::with_hash;
use crate::intake::dates::{day, instant};
use crate::intake::proof::{FILE_BYTES, ProofProblem};
use crate::store::contacts::{self, Contact};
use crate::store::events::{self, NewEvent};
use crate::store::held::decided;
use crate::store::locks::Locks;
use crate::store::proofs::{self, FILES_AT_MOST, FileHash, ProofRow, Reference};
use crate::store::set::Writes;
use crate::store::signups::{self, Known, Who};
use crate::store::{Conn, StoreError};

/// Pieces of proof that are added at once at most.
const PIECES_AT_MOST: usize = 20;
/// What is a day, and what an instant.
const DAYS: [&str; 5] = [
    "date",
    "joined",
    "last_active",
    "original_date",
    "notice_sent",
];
const INSTANT: &str = "time";

/// Proof to be added.
#[derive(Clone, Debug)]
pub struct NewProof {
    pub contact: ContactId,
    /// The source that it is proof of: one that an import claimed.
    pub source: Source,
    /// None: for each purpose that the source was claimed for.
    pub purpose: Option<Slug>,
    /// Keys and values.
    pub words: Vec<(String, String)>,
    /// A key, and the content of a file for it.
    pub file: Option<(String, Vec<u8>)>,
}

/// What became of it for one purpose.
#[derive(Clone, Debug)]
pub struct Proven {
    pub purpose: Slug,
    /// The verdict with the proof.
    pub judgement: Judgement,
    /// Where the contact stands now.
    pub standing: Option<Standing>,
}

/// Why nothing was added.
#[derive(Debug, thiserror::Error)]
pub enum ProofRefused {
    #[error("the brand knows nothing of this contact")]
    Unknown,
    #[error(
        "no import claimed the source {0} for this contact, or the import was taken back; bring the source with its proof by \
         importing a list of one row"
    )]
    NoClaim(Source),
    #[error(transparent)]
    Claim(#[from] ClaimProblem),
    #[error("there is something for the proof \"{0}\" already; proof is added, and never changed")]
    There(String),
    #[error("name 1 to {PIECES_AT_MOST} pieces of proof")]
    Count,
    #[error("the proof \"{0}\" is a day that had begun, YYYY-MM-DD")]
    NoDay(String),
    #[error(
        "the proof \"{0}\" is an instant with its distance from UTC, such as 2026-11-23T17:34:05Z"
    )]
    NoInstant(String),
    #[error("the proof \"{}\" is no file; files can be: {}", .0.escape_debug(), TAKE_FILES.join(", "))]
    NoFile(String),
    #[error("the file: {0}")]
    File(#[from] ProofProblem),
    #[error("the brand keeps {FILES_AT_MOST} files of proof already, and no more")]
    ManyFiles,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Proof that was looked over.
struct Checked {
    words: Vec<(String, String)>,
    file: Option<(String, FileHash)>,
}

/// What is written.
struct Writing {
    contact: ContactId,
    standings: Standings,
    events: Vec<NewEvent>,
    references: Vec<Reference>,
    proven: Vec<Proven>,
}

impl App {
    /// Adds proof to the newest claim of its source, for each purpose, and judges the contact with it: what it gives by that holds
    /// from now on, and nothing is lowered or reopened. When this returns it is on disk.
    pub async fn add_proof(
        &self,
        brand: &Brand,
        new: &NewProof,
        by: (Option<&Acting>, Through),
    ) -> Result<Vec<Proven>, ProofRefused> {
        let checked = check(new)?;
        let mut conn = self.store.read().await?;
        let known = contacts::find_by_id(&mut conn, brand.id, new.contact).await?;
        drop(conn);
        let known = known.ok_or(ProofRefused::Unknown)?;
        decided(|| async {
            match self.try_add(brand, &known, (new, &checked), by).await {
                Err(ProofRefused::Store(problem)) => Err(problem),
                done => Ok(done),
            }
        })
        .await?
    }

    async fn try_add(
        &self,
        brand: &Brand,
        known: &Contact,
        (new, checked): (&NewProof, &Checked),
        by: (Option<&Acting>, Through),
    ) -> Result<Vec<Proven>, ProofRefused> {
        let who = self.whose_proof(brand, known)?;
        let mut locks = Locks::default();
        locks.contact(brand.id, &who.address_key);
        locks.mailbox(brand.id, &who.mailbox);
        if checked.file.is_some() {
            locks.proofs(brand.id);
        }
        let mut held = self.store.hold(locks).await?;
        let found = signups::find_known(held.conn(), std::slice::from_ref(&who)).await?;
        let found = found.into_iter().next().ok_or(ProofRefused::Unknown)?;
        let contact = found.contact.clone().filter(|one| one.id == new.contact);
        let contact = contact.ok_or(ProofRefused::Unknown)?;
        let mut writing = Writing {
            contact: contact.id,
            standings: contact.standings.clone(),
            events: Vec::new(),
            references: Vec::new(),
            proven: Vec::new(),
        };
        // The clock is read under the locks, so that times within one contact never run backwards.
        let now = self.clock.now();
        let purposes: Vec<&Slug> = match &new.purpose {
            Some(purpose) => vec![purpose],
            None => contact.standings.keys().collect(),
        };
        for purpose in purposes {
            let one = [(brand.id, contact.id)];
            let told = self.told_of(held.conn(), purpose, &one);
            let told = told.await?.remove(&contact.id).unwrap_or_default();
            let facts = facts(&found, &contact, purpose);
            let proof = (new.source, checked);
            self.prove_for(
                brand,
                (purpose, told, facts),
                proof,
                (by, now),
                &mut writing,
            )?;
        }
        if writing.proven.is_empty() {
            return Err(ProofRefused::NoClaim(new.source));
        }
        let on = format!("contact {} of brand {}", contact.id, brand.declared.slug);
        writing
            .events
            .push(self.deed_by(by.0, Deed::ProofAdded, on)?);
        let file = self
            .new_file(held.conn(), brand, (new, checked), now)
            .await?;
        let mut writes = Writes::default();
        let standings = (brand.id, contact.id, &writing.standings);
        contacts::put_standings(&mut writes, &[standings]);
        events::append(&mut writes, &writing.events);
        proofs::put(&mut writes, file.as_slice());
        proofs::refer(&mut writes, &writing.references);
        held.finish(writes).await?;
        Ok(writing.proven)
    }

    /// Adds the proof for one purpose, if its source was claimed for it.
    fn prove_for(
        &self,
        brand: &Brand,
        (purpose, mut told, facts): (&Slug, Vec<Told>, AddressFacts),
        (source, checked): (Source, &Checked),
        ((by, through), now): ((Option<&Acting>, Through), Timestamp),
        writing: &mut Writing,
    ) -> Result<(), ProofRefused> {
        let is_of = |one: &&mut Told| one.row.is_some() && one.claim.source() == source;
        let Some(one) = told.iter_mut().rfind(is_of) else {
            return Ok(());
        };
        let Some((import, line)) = one.row else {
            return Ok(());
        };
        let claim = checked.added_to(&one.claim)?;
        let added = checked.keys();
        let added = added.filter_map(|key| Some((key.to_owned(), claim.given(key)?.to_owned())));
        let added = added.collect();
        one.become_proven(claim.clone());
        let is_confirmed = one.confirmed_elsewhere;
        let terms = self.terms(brand);
        let sources = Sources::of(told);
        let terms = sources.terms(&terms);
        let judgement = judge(&sources.claims, facts, &terms, now);
        let alone = judge(std::slice::from_ref(&claim), facts, &terms, now);
        let fact = Fact::ProofAdded(Box::new(ProofAdded {
            by: self.name_of(by),
            through,
            import,
            line,
            purposes: vec![purpose.clone()],
            added,
            claim,
            judgement: judgement.clone(),
            confirmed_elsewhere: is_confirmed
                && alone.verdict == Verdict::Accept
                && source != Source::MergerOrAcquisition,
        }));
        apply(&mut writing.standings, &fact, now);
        writing.proven.push(Proven {
            purpose: purpose.clone(),
            judgement,
            standing: writing.standings.get(purpose).copied(),
        });
        let about = About {
            brand: brand.id,
            contact: writing.contact,
            request: None,
        };
        writing.events.push(self.work().record(about, now, fact)?);
        writing
            .references
            .extend(checked.file.iter().map(|file| Reference {
                brand_id: brand.id,
                sha256: file.1,
                import_id: import,
                contact_id: Some(writing.contact),
            }));
        Ok(())
    }

    /// The file, if the brand does not keep it yet.
    async fn new_file(
        &self,
        conn: &mut Conn,
        brand: &Brand,
        (new, checked): (&NewProof, &Checked),
        now: Timestamp,
    ) -> Result<Option<ProofRow>, ProofRefused> {
        let (Some((_, sha256)), Some((_, content))) = (&checked.file, &new.file) else {
            return Ok(None);
        };
        if !proofs::list_kept(conn, brand.id, &[*sha256])
            .await?
            .is_empty()
        {
            return Ok(None);
        }
        if proofs::count(conn, brand.id).await? >= FILES_AT_MOST {
            return Err(ProofRefused::ManyFiles);
        }
        Ok(Some(ProofRow {
            brand_id: brand.id,
            sha256: *sha256,
            content: content.clone(),
            kept_at: now,
        }))
    }

    fn whose_proof(&self, brand: &Brand, known: &Contact) -> Result<Who, StoreError> {
        Ok(Who {
            brand_id: brand.id,
            address_key: known.address_key.clone(),
            address_hash: self.keys.address_hash(brand.id.0, &known.address_key),
            mailbox: known.mailbox_hash()?,
            // It draws on no rate: nothing is mailed.
            network: String::new(),
            form: String::new(),
        })
    }
}

impl Checked {
    fn keys(&self) -> impl Iterator<Item = &str> {
        let words = self.words.iter().map(|(key, _)| key.as_str());
        words.chain(self.file.iter().map(|(key, _)| key.as_str()))
    }

    /// A claim with the proof: what stands there already stays, and a file goes behind the words of its key.
    fn added_to(&self, claim: &Claim) -> Result<Claim, ProofRefused> {
        let mut claim = claim.clone();
        for (key, value) in &self.words {
            if claim.given(key).is_some() {
                return Err(ProofRefused::There(key.clone()));
            }
            claim = claim.prove(key, value)?;
        }
        if let Some((key, sha256)) = &self.file {
            let given = claim.given(key);
            let value = with_hash(key, given, sha256);
            let hash = with_hash(key, None, sha256);
            if given.is_some_and(|given| key == "scan" || given.contains(&hash)) {
                return Err(ProofRefused::There(key.clone()));
            }
            claim = claim.prove_on(key, &value)?;
        }
        Ok(claim)
    }
}

/// Looks over what was brought. What is added cannot be taken away again, so what cannot be read is not taken.
fn check(new: &NewProof) -> Result<Checked, ProofRefused> {
    let mut words = Vec::with_capacity(new.words.len());
    for (key, value) in &new.words {
        let value = value.trim();
        if value.is_empty() {
            continue;
        }
        let value = match key.as_str() {
            key if DAYS.contains(&key) => {
                day(value, None).ok_or_else(|| ProofRefused::NoDay(key.to_owned()))?
            }
            INSTANT => instant(value)
                .or_else(|| Timestamp::parse(value).map(|_| value.to_owned()))
                .ok_or_else(|| ProofRefused::NoInstant(key.clone()))?,
            _ => value.to_owned(),
        };
        words.push((key.clone(), value));
    }
    let file = match &new.file {
        Some((key, _)) if !takes_file(key) => {
            return Err(ProofRefused::NoFile(key.chars().take(60).collect()));
        }
        Some((_, content)) if content.is_empty() => return Err(ProofProblem::Empty.into()),
        Some((_, content)) if content.len() as u64 > FILE_BYTES => {
            return Err(ProofProblem::TooLong.into());
        }
        Some((key, content)) => Some((key.clone(), Sha256::digest(content).into())),
        None => None,
    };
    let pieces = words.len() + usize::from(file.is_some());
    if !(1..=PIECES_AT_MOST).contains(&pieces) {
        return Err(ProofRefused::Count);
    }
    // Whether the source takes it is told before anything is looked up.
    let checked = Checked { words, file };
    checked.added_to(&Claim::new(new.source, None))?;
    Ok(checked)
}

/// What is known of the address itself, as an import would find it.
fn facts(found: &Known, contact: &Contact, purpose: &Slug) -> AddressFacts {
    let standings = Some(&contact.standings);
    let suppressed = found.mailbox.as_ref();
    let suppressed = suppressed.is_some_and(|mailbox| mailbox.suppressed_at.is_some());
    let closed = closed(
        standings,
        Some(purpose),
        suppressed,
        found.erased_at.is_some(),
    );
    let mut left = found.left.iter();
    let left = left.any(|left| left.purpose == purpose.as_str() && !came_back(standings, left));
    AddressFacts {
        role: parse_address(&contact.address).is_ok_and(|address| address.is_role()),
        closed: closed.or(left.then_some(Closed::Withdrew)),
    }
}
