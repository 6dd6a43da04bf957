//! Preferences: what the person gets, in which language, and whether for the time being nothing; all behind a link that is sent
//! to the address only.

mod data;
mod lost;

pub use lost::NotAsked;

use std::time::Duration;

use sha2::{Digest, Sha256};

use super::App;
use super::close::{Closing, Ending, Happened, Look, Under};
use super::judge::suppressed_among;
use super::record::read_body;
use crate::domain::brand::{Brand, LANGUAGES, Slug, in_language};
use crate::domain::circumstances::Circumstances;
use crate::domain::event::{
    AskedBy, Fact, Grade, LeaveMethod, LeftBy, PurposeChanged, ShownPurpose,
};
use crate::domain::hex::hex;
use crate::domain::ids::{BrandId, ContactId};
use crate::domain::leaving::SCOPE_PURPOSES;
use crate::domain::permission::{Closed, closed};
use crate::domain::standing::{
    Basis, RequestState, Standings, State, has_left_all, were_left_with_all,
};
use crate::domain::time::Timestamp;
use crate::store::contacts::Contact;
use crate::store::{Conn, StoreError, contacts, events, requests, wishes};
use crate::texts::Texts;

/// The pauses that can be chosen, in days.
pub const PAUSES: [u64; 3] = [30, 90, 180];
const DAY: Duration = Duration::from_secs(86_400);
/// How often within a day a contact's preferences may change; leaving is never limited, nor is erasing. More than anybody needs who
/// chooses, and a bound for what a story grows by.
pub const CHANGES_A_DAY: usize = 20;
/// The events that are counted for it.
const CHANGES: [&str; 3] = ["purpose_changed", "paused", "language_changed"];
/// Of these those that took a wish back.
const WISHED: &str = "erasure_wished";

/// A purpose that can be turned on or off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    pub slug: Slug,
    pub name: String,
    pub wording: String,
    /// Whether the brand may write for it.
    pub on: bool,
    /// It is on without a yes that the person gave here: a signup that nobody confirmed, or what an import claims. A box that is
    /// ticked in advance is none (G2), so the page asks at a box of its own.
    pub unsaid: bool,
    /// Nothing is sent for it all the same.
    pub closed: Option<Closed>,
}

/// What the page shows.
#[derive(Clone, Debug)]
pub struct Preferences {
    pub contact: Contact,
    pub choices: Vec<Choice>,
    pub paused_until: Option<Timestamp>,
    /// The sentence above the button that saves, and the words on it.
    pub consent: String,
    pub button: String,
    /// The words at the box that asks for a yes to what is on without one.
    pub agree: String,
    /// Names all words that somebody agrees to here: if they have changed when the page comes back, they are shown again.
    pub wording: String,
    /// Whether a request of the contact waits for an answer.
    pub asked: bool,
    /// Whether the person wished to be erased, which is done once no hold keeps the contact.
    pub erasure_wished: bool,
}

impl Preferences {
    /// Whether the brand may write for anything.
    pub fn is_subscribed(&self) -> bool {
        self.choices.iter().any(|choice| choice.on)
    }

    /// Whether there is anything to leave: something that is mailed now, may be again (after a pause, or by asking anew), or
    /// waits for an answer. Only whoever has left everything has not.
    pub fn can_leave(&self) -> bool {
        let standings = &self.contact.standings;
        let is_closed =
            |state| matches!(state, State::Withdrawn | State::Declined | State::Corrected);
        self.asked
            || !has_left_all(standings)
            || !standings.values().all(|one| is_closed(one.state))
    }
}

/// What the person chose.
#[derive(Clone, Debug, Default)]
pub struct Chosen {
    pub on: Vec<Slug>,
    pub off: Vec<Slug>,
    /// What was on and asked for a yes, which the person gives.
    pub agree: Vec<Slug>,
    pub language: Option<String>,
    pub pause: Option<Pause>,
    /// The wording that the page showed, as `Preferences` names it.
    pub wording: String,
    pub circumstances: Circumstances,
}

/// A pause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pause {
    ForDays(u64),
    End,
}

/// What became of a choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preferred {
    Saved,
    /// Everything was like that before.
    Unchanged,
    /// It changed so often within a day that no more is kept; what was turned off is off all the same.
    TooOften,
    /// The brand has changed the wording since the page was shown, so nothing was turned on; what else was chosen is saved.
    OtherWording,
    /// The contact is gone.
    Gone,
}

impl App {
    /// How a contact's preferences stand; none of one that is gone.
    pub async fn preferences(
        &self,
        brand: &Brand,
        contact: ContactId,
    ) -> Result<Option<Preferences>, StoreError> {
        let mut conn = self.store.read().await?;
        let Some(contact) = contacts::find_by_id(&mut conn, brand.id, contact).await? else {
            return Ok(None);
        };
        let now = self.clock.now();
        let mut asked = false;
        if let Some(open) = contact.open_request_id
            && let Some(request) = requests::find(&mut conn, brand.id, open).await?
        {
            asked = request.state()? == RequestState::Open && now < request.expires_at;
        }
        let wish = wishes::find(&mut conn, brand.id, contact.id).await?;
        let mailbox = contact.mailbox_hash()?;
        let suppressed = suppressed_among(&mut conn, brand.id, &[mailbox]).await?;
        let suppressed = suppressed.get(&mailbox);
        let mut found = self.preferences_of(brand, contact);
        for choice in found.choices.iter_mut().filter(|choice| choice.on) {
            let standing = found.contact.standings.get(&choice.slug);
            choice.closed = standing.and_then(|standing| closed(standing, suppressed, now));
        }
        Ok(Some(Preferences {
            asked,
            erasure_wished: wish.is_some(),
            ..found
        }))
    }

    fn preferences_of(&self, brand: &Brand, contact: Contact) -> Preferences {
        let now = self.clock.now();
        let t = Texts::of(&contact.language);
        let choices = choices(brand, &contact.standings, t.language(), now);
        let consent = t.arg("prefer-consent", "brand", &brand.declared.name);
        let button = t.get("prefer-save");
        let agree = t.get("prefer-agree");
        let paused = contact.standings.values();
        Preferences {
            paused_until: paused
                .filter_map(|standing| standing.paused_until)
                .filter(|until| *until > now)
                .max(),
            wording: wording_of(&choices, [&consent, &button, &agree]),
            contact,
            choices,
            consent,
            button,
            agree,
            asked: false,
            erasure_wished: false,
        }
    }

    /// Saves what the person chose. When this returns it is on disk.
    pub async fn prefer(
        &self,
        brand: &Brand,
        contact: ContactId,
        chosen: Chosen,
    ) -> Result<Preferred, StoreError> {
        let closing = Closing {
            ending: if chosen.off.is_empty() {
                Ending::None
            } else {
                Ending::For(&chosen.off)
            },
            state: RequestState::Left,
            suppress: None,
            request: None,
            report: "",
            look: Look::Preferred,
        };
        let decide = |under: Under<'_>| self.chosen(brand, &chosen, &under);
        let happened = self.close(brand, contact, closing, decide).await?;
        Ok(match happened {
            None => Preferred::Gone,
            Some(happened) if happened.other_wording => Preferred::OtherWording,
            Some(happened) if happened.too_often => Preferred::TooOften,
            Some(happened) if happened.facts.is_empty() => Preferred::Unchanged,
            Some(_) => Preferred::Saved,
        })
    }

    /// What of it is a change.
    fn chosen(&self, brand: &Brand, chosen: &Chosen, under: &Under<'_>) -> Happened {
        let now = self.clock.now();
        let shown = self.preferences_of(brand, under.contact.clone());
        let is_on = |slug: &Slug| {
            let mut all = shown.choices.iter();
            all.any(|choice| choice.slug == *slug && choice.on)
        };
        let asked = |slug: &Slug| {
            let mut all = under.ending.iter();
            all.any(|request| request.purposes().contains(slug))
        };
        let off: Vec<Slug> = chosen
            .off
            .iter()
            .filter(|slug| is_on(slug) || asked(slug))
            .cloned()
            .collect();
        let mut on: Vec<&Choice> = shown
            .choices
            .iter()
            .filter(|choice| {
                let wants = |all: &[Slug]| all.contains(&choice.slug);
                if choice.on {
                    choice.unsaid && wants(&chosen.agree) && !wants(&chosen.off)
                } else {
                    wants(&chosen.on)
                }
            })
            .filter(|choice| brand.purpose(&choice.slug).is_some())
            .collect();
        let circumstances = || chosen.circumstances.clone();
        let mut happened = Happened {
            other_wording: !on.is_empty() && shown.wording != chosen.wording,
            ..Happened::default()
        };
        // Nobody agrees to words that the page did not show. Leaving asks for none.
        if happened.other_wording {
            on.clear();
        }
        if !off.is_empty() {
            happened.facts.push(Fact::Withdrawn {
                keeps_all: were_left_with_all(&under.contact.standings, &off),
                purposes: off,
                scope: SCOPE_PURPOSES.to_owned(),
                method: Some(LeaveMethod::Preferences),
                by: Some(LeftBy::Person),
                told_by: None,
                reason: None,
                circumstances: circumstances(),
            });
        }
        let mut wanted = Vec::new();
        if !on.is_empty() {
            wanted.push(turned_on(brand, &shown, &on, circumstances()));
        }
        if let Some(until) = moved(chosen.pause, shown.paused_until, now) {
            wanted.push(Fact::Paused {
                until,
                circumstances: circumstances(),
            });
        }
        let other =
            |to: &&String| **to != under.contact.language && LANGUAGES.contains(&to.as_str());
        let language = chosen.language.as_ref().filter(other);
        wanted.extend(language.map(|to| Fact::LanguageChanged {
            from: under.contact.language.clone(),
            to: to.clone(),
            circumstances: circumstances(),
        }));
        if under.preferred < CHANGES_A_DAY {
            happened.facts.append(&mut wanted);
            happened.language = language.cloned();
        } else {
            happened.too_often = !wanted.is_empty();
        }
        happened
    }
}

/// Until when the pause is to last, where that is another time than it lasts now: by a day or more, so that pressing the same button
/// again says nothing new.
fn moved(
    pause: Option<Pause>,
    paused_until: Option<Timestamp>,
    now: Timestamp,
) -> Option<Option<Timestamp>> {
    match pause? {
        Pause::ForDays(days) => {
            let until = now.plus(Duration::from_secs(days * 86_400));
            let is_other = |was: Timestamp| until.since(was).max(was.since(until)) >= DAY;
            paused_until.is_none_or(is_other).then_some(Some(until))
        }
        Pause::End => paused_until.map(|_| None),
    }
}

/// How often a contact's preferences changed within the last day. To be counted under the contact's lock.
pub(super) async fn changes_of_late(
    conn: &mut Conn,
    of: (BrandId, ContactId),
    now: Timestamp,
) -> Result<usize, StoreError> {
    let limit = i64::try_from(CHANGES_A_DAY).unwrap_or(i64::MAX);
    let mut changes = 0;
    for kind in CHANGES {
        let found = events::list_of_kind_since(conn, of, kind, now.minus(DAY), limit).await?;
        changes += found.len();
    }
    // Between two that took it back there is one that wished it.
    let wished = events::list_of_kind_since(conn, of, WISHED, now.minus(DAY), 2 * limit).await?;
    for body in wished {
        let event = read_body(body.as_deref())?;
        changes += usize::from(event.is_some_and(|event| {
            matches!(
                event.fact,
                Fact::ErasureWished {
                    taken_back: true,
                    ..
                }
            )
        }));
    }
    Ok(changes)
}

fn choices(brand: &Brand, standings: &Standings, language: &str, now: Timestamp) -> Vec<Choice> {
    let on = |slug: &Slug| {
        let standing = standings.get(slug);
        standing.is_some_and(|standing| standing.as_of(now).state.basis() != Basis::None)
    };
    let said = |slug: &Slug| {
        let standing = standings.get(slug);
        standing.is_some_and(|standing| standing.agreed_here_at().is_some())
    };
    let declared = brand.declared.purposes.iter().map(|purpose| Choice {
        slug: purpose.slug.clone(),
        name: in_language(&purpose.name, language).to_owned(),
        wording: in_language(&purpose.wording, language).to_owned(),
        on: on(&purpose.slug),
        unsaid: on(&purpose.slug) && !said(&purpose.slug),
        closed: None,
    });
    // What is declared no more can be turned off by whoever has it.
    let others = standings
        .keys()
        .filter(|slug| brand.purpose(slug).is_none() && on(slug));
    let others = others.map(|slug| Choice {
        slug: slug.clone(),
        name: slug.to_string(),
        wording: String::new(),
        on: true,
        unsaid: false,
        closed: None,
    });
    declared.chain(others).collect()
}

fn wording_of(choices: &[Choice], around: [&str; 3]) -> String {
    let mut hash = Sha256::new();
    let words = choices
        .iter()
        .flat_map(|one| [one.slug.as_str(), &one.name, &one.wording]);
    for text in words.chain(around) {
        hash.update(text.len().to_be_bytes());
        hash.update(text);
    }
    hex(&hash.finalize()[..16])
}

fn turned_on(
    brand: &Brand,
    shown: &Preferences,
    on: &[&Choice],
    circumstances: Circumstances,
) -> Fact {
    let told = |choice: &&Choice| ShownPurpose {
        purpose: choice.slug.clone(),
        name: choice.name.clone(),
        wording: choice.wording.clone(),
        agree: choice.on.then(|| shown.agree.clone()),
    };
    Fact::PurposeChanged(Box::new(PurposeChanged {
        purposes: on.iter().map(|choice| choice.slug.clone()).collect(),
        shown: on.iter().map(told).collect(),
        consent: shown.consent.clone(),
        button: shown.button.clone(),
        language: shown.contact.language.clone(),
        grade: Grade::LinkButton,
        method: "POST".to_owned(),
        asked_by: AskedBy::from(&brand.declared),
        circumstances,
    }))
}
