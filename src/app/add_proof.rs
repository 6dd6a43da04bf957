//! Proof that comes later: words or a file, added to what an import claimed of a contact. The contact is judged anew with it.

use super::App;
use super::acted::Acting;
use super::judge::{came_back, closed};
use super::permit::parse_address;
use super::record::About;
use crate::domain::added::ProofAdded;
use crate::domain::brand::{Brand, Slug};
use crate::domain::event::{Fact, Through};
use crate::domain::ids::ContactId;
use crate::domain::operator::Deed;
use crate::domain::policy::{
    AddressFacts, Claim, ClaimProblem, Closed, Judgement, Source, TAKE_FILES, Verdict, judge,
};
use crate::domain::standing::{Basis, Standing, Standings, apply};
use crate::domain::time::Timestamp;
use crate::intake::proof::ProofProblem;
use crate::store::contacts::{self, Contact};
use crate::store::events::{self, NewEvent};
use crate::store::held::decided;
use crate::store::listed::{self, Known, Named};
use crate::store::locks::Locks;
use crate::store::proofs::{self, FILES_AT_MOST, ProofRow, Reference};
use crate::store::set::Writes;
use crate::store::{Conn, StoreError};

mod checked;

use checked::{Checked, Claimed, PIECES_AT_MOST, check};

/// What is told where the proof brings nothing back.
const HAD_ENDED: &str = " The claim was accepted without this proof, and what it gave has ended: the proof brings nothing back.";

/// Proof to be added.
#[derive(Clone, Debug)]
pub struct NewProof {
    pub contact: ContactId,
    /// The source that it is proof of: one that an import claimed.
    pub source: Source,
    /// None: for the newest claim of the source, and for the same act as it was claimed for other purposes.
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
    #[error(transparent)]
    There(#[from] Misfit),
    #[error("name 1 to {PIECES_AT_MOST} pieces of proof")]
    Count,
    #[error("the proof \"{0}\" is a day that had begun, YYYY-MM-DD")]
    NoDay(String),
    #[error(
        "the proof \"{0}\" is a past instant with its distance from UTC, such as 2026-11-23T17:34:05Z"
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

/// Why a claim does not take the proof.
#[derive(Debug, thiserror::Error)]
pub enum Misfit {
    #[error("there is something for the proof \"{0}\" already; proof is added, and never changed")]
    There(String),
    #[error(
        "the claim is accepted without this proof, and would not be with it ({0}). Proof cannot be taken away again, so nothing \
         was added: correct it; or if it is right, withdraw the contact"
    )]
    Spoils(String),
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
    /// Adds proof to the newest claim of its source, and judges the contact with it: what the claim gives by that holds from now on,
    /// and nothing is lowered or reopened. When this returns it is on disk.
    pub async fn add_proof(
        &self,
        brand: &Brand,
        new: &NewProof,
        by: (Option<&Acting>, Through),
    ) -> Result<Vec<Proven>, ProofRefused> {
        let checked = check(new, &self.terms(brand).zone, self.clock.now())?;
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
        let found = listed::find(held.conn(), std::slice::from_ref(&who)).await?;
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
        let mut claimed = Vec::new();
        for purpose in purposes {
            let one = [(brand.id, contact.id)];
            let told = self.told_of(held.conn(), purpose, &one);
            let told = told.await?.remove(&contact.id).unwrap_or_default();
            claimed.extend(Claimed::of(purpose, told, new.source));
        }
        for (one, claim) in checked.belongs_to(claimed, new.source)? {
            let facts = facts(&found, &contact, one.purpose);
            self.prove_for(brand, (one, claim, facts), checked, (by, now), &mut writing)?;
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

    /// Adds the proof for one purpose: `claim` is what is claimed with it.
    fn prove_for(
        &self,
        brand: &Brand,
        (one, claim, facts): (Claimed<'_>, Claim, AddressFacts),
        checked: &Checked,
        ((by, through), now): ((Option<&Acting>, Through), Timestamp),
        writing: &mut Writing,
    ) -> Result<(), ProofRefused> {
        let (purpose, import, line) = (one.purpose, one.import, one.line);
        let (before, is_confirmed) = (one.claim.clone(), one.confirmed_elsewhere);
        let added = checked.keys();
        let added = added.filter_map(|key| Some((key.to_owned(), claim.given(key)?.to_owned())));
        let added = added.collect();
        let sources = one.sources_with(claim.clone());
        let terms = self.terms(brand);
        let alone = |claim: &Claim, facts| judge(std::slice::from_ref(claim), facts, &terms, now);
        // Whatever else is known of the address: what the claim is worth without the proof, and with it.
        let was = alone(&before, AddressFacts::default());
        let is = alone(&claim, AddressFacts::default());
        if was.verdict == Verdict::Accept && is.verdict != Verdict::Accept {
            let why = is.why.trim_end_matches('.').to_owned();
            return Err(Misfit::Spoils(why).into());
        }
        let own = alone(&claim, facts);
        let mut judgement = judge(&sources.claims, facts, &terms, now);
        let differs = own != judgement;
        let standing = writing.standings.get(purpose);
        let holds = standing.is_some_and(|one| {
            let one = one.as_of(now);
            one.state.basis() != Basis::None || one.waits_for_notice()
        });
        // As with an act that an import tells again: it gives nothing anew, whatever became of what it gave.
        let worth = |one: &Judgement| (one.basis, one.valid_until, one.notice_due);
        let nothing_new = was.verdict == Verdict::Accept
            && own.verdict == Verdict::Accept
            && (worth(&was) == worth(&is) || !holds);
        if nothing_new && !holds {
            judgement.why.push_str(HAD_ENDED);
        }
        let fact = Fact::ProofAdded(Box::new(ProofAdded {
            by: self.name_of(by),
            through,
            import,
            line,
            purposes: vec![purpose.clone()],
            added,
            confirmed_elsewhere: is_confirmed
                && own.verdict == Verdict::Accept
                && claim.source() != Source::MergerOrAcquisition,
            claim,
            judgement: judgement.clone(),
            own: differs.then_some(own),
            nothing_new,
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

    fn whose_proof(&self, brand: &Brand, known: &Contact) -> Result<Named, StoreError> {
        Ok(Named {
            brand_id: brand.id,
            address_key: known.address_key.clone(),
            address_hash: self.keys.address_hash(brand.id.0, &known.address_key),
            mailbox: known.mailbox_hash()?,
        })
    }
}

/// What is known of the address itself, as an import would find it.
fn facts(found: &Known, contact: &Contact, purpose: &Slug) -> AddressFacts {
    let standings = Some(&contact.standings);
    let closed = closed(standings, Some(purpose), found.suppressed, found.erased);
    let mut left = found.left.iter();
    let left = left.any(|left| left.purpose == purpose.as_str() && !came_back(standings, left));
    AddressFacts {
        role: parse_address(&contact.address).is_ok_and(|address| address.is_role()),
        closed: closed.or(left.then_some(Closed::Withdrew)),
    }
}
