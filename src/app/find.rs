//! Contacts as operators look for them, and one contact's story.

use uuid::Uuid;

use super::App;
use super::judge::suppressed_among;
use super::last_use::{LastUse, LastUses};
use super::permit::parse_address;
use super::prove::report::words::headline;
use super::record::read_whole;
use crate::domain::brand::{Brand, in_language};
use crate::domain::event::Fact;
use crate::domain::ids::{BrandId, ContactId, RequestId};
use crate::domain::permission::Permission;
use crate::domain::sentence::sentence;
use crate::domain::standing::{RequestState, Standing, Standings};
use crate::domain::time::Timestamp;
use crate::store::contacts::{self, Contact};
use crate::store::{StoreError, events, log, requests, timestamps};

/// Contacts listed at a time.
pub const PAGE: i64 = 50;
/// Events of a story shown at a time.
pub const EVENTS: i64 = 200;

/// A contact as a list shows it.
#[derive(Clone, Debug)]
pub struct Listed {
    pub id: ContactId,
    pub address: String,
    pub address_key: String,
    pub language: String,
    pub standings: Standings,
    pub created_at: Timestamp,
}

impl Listed {
    fn of(contact: Contact) -> Self {
        Self {
            id: contact.id,
            address: contact.address,
            address_key: contact.address_key,
            language: contact.language,
            standings: contact.standings,
            created_at: contact.created_at,
        }
    }
}

/// What somebody typed into the search.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Sought {
    Id(Uuid),
    /// An address, as contacts are compared by it, or the beginning of one.
    Address(String),
    Beginning(String),
    /// The beginning of an id, as the first and the last that begin so; it may be that of an address, too.
    IdBeginning(ContactId, ContactId, String),
}

/// Ids begin with their time in milliseconds: of fewer digits than these, a whole list begins so.
const ID_DIGITS: usize = 8;
const DIGITS_OF_AN_ID: usize = 32;

/// The first and the last id that begin with these digits; hyphens may stand between them.
fn ids_that_begin(text: &str) -> Option<(ContactId, ContactId)> {
    let digits: String = text.chars().filter(|c| *c != '-').collect();
    let fits = (ID_DIGITS..=DIGITS_OF_AN_ID).contains(&digits.len())
        && digits.chars().all(|c| c.is_ascii_hexdigit());
    if !fits {
        return None;
    }
    let filled = |with: char| {
        let rest = std::iter::repeat_n(with, DIGITS_OF_AN_ID - digits.len());
        let whole: String = digits.chars().chain(rest).collect();
        Uuid::parse_str(&whole).ok().map(ContactId)
    };
    Some((filled('0')?, filled('f')?))
}

fn sought(text: &str) -> Sought {
    let text = text.trim();
    if let Ok(id) = Uuid::parse_str(text) {
        return Sought::Id(id);
    }
    if let Some((first, last)) = ids_that_begin(text) {
        return Sought::IdBeginning(first, last, text.to_lowercase());
    }
    parse_address(text).map_or_else(
        |_| Sought::Beginning(text.to_lowercase()),
        |address| Sought::Address(address.key().to_owned()),
    )
}

/// How well an event is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seal {
    /// The log does not hold it yet: within a second, normally.
    Waiting,
    Logged,
    /// In the log, under a checkpoint that an authority has time-stamped.
    Stamped,
}

/// One event of the story.
#[derive(Clone, Debug)]
pub struct Told {
    pub position: i64,
    /// None of an event that an erasure emptied.
    pub at: Option<Timestamp>,
    pub headline: &'static str,
    pub kind: &'static str,
    pub sentence: String,
    /// The record, as JSON on several lines, with its circumstances.
    pub record: String,
    pub seal: Seal,
    /// Whether the mail that it tells of is kept.
    pub has_mail: bool,
    /// The form version that was shown.
    pub form_version: Option<String>,
}

/// Where a contact stands for a purpose.
#[derive(Clone, Debug)]
pub struct Stands {
    pub name: String,
    /// The answer to "may I".
    pub permission: Permission,
    pub last_use: LastUse,
}

/// A contact with where it stands and what happened.
#[derive(Clone, Debug)]
pub struct Story {
    pub id: ContactId,
    pub address: String,
    pub address_key: String,
    pub name: Option<String>,
    pub language: String,
    pub created_at: Timestamp,
    /// The request that waits for an answer.
    pub open_request: Option<RequestId>,
    /// Each purpose of the brand.
    pub purposes: Vec<Stands>,
    pub events: Vec<Told>,
    /// Behind which position the story goes on.
    pub next: Option<i64>,
}

impl App {
    /// The newest contacts of a brand, before one where it is named. The second answer is where the next page begins.
    pub async fn newest_contacts(
        &self,
        brand: BrandId,
        before: Option<Uuid>,
    ) -> Result<(Vec<Listed>, Option<Uuid>), StoreError> {
        let mut conn = self.store.read().await?;
        let before = ContactId(before.unwrap_or_else(Uuid::max));
        let mut found = contacts::list_newest(&mut conn, brand, before, PAGE + 1).await?;
        let more = found.len() as i64 > PAGE;
        found.truncate(PAGE as usize);
        let next = found.last().filter(|_| more).map(|contact| contact.id.0);
        Ok((found.into_iter().map(Listed::of).collect(), next))
    }

    /// Contacts of a brand, behind one of them; by address, or in the order in which they came. None where that contact is
    /// gone, so that nobody can say where its address stood.
    pub async fn contacts_in_order(
        &self,
        brand: BrandId,
        by_address: bool,
        (after, down): (Option<Uuid>, bool),
        limit: i64,
    ) -> Result<Option<Vec<Listed>>, StoreError> {
        let mut conn = self.store.read().await?;
        let found = if by_address {
            let behind = match after {
                None => None,
                Some(id) => match contacts::find_by_id(&mut conn, brand, ContactId(id)).await? {
                    Some(contact) => Some(contact.address_key),
                    None => return Ok(None),
                },
            };
            contacts::list_by_address(&mut conn, brand, (behind.as_deref(), down), limit).await?
        } else if down {
            let before = ContactId(after.unwrap_or_else(Uuid::max));
            contacts::list_newest(&mut conn, brand, before, limit).await?
        } else {
            let after = ContactId(after.unwrap_or_else(Uuid::nil));
            contacts::list_of_brand(&mut conn, brand, after, limit).await?
        };
        Ok(Some(found.into_iter().map(Listed::of).collect()))
    }

    /// Contacts that an id, an address or the beginning of one finds; behind an address, or an id, where the page goes on. One
    /// at most for an id or a whole address. What begins an id of eight digits or more may begin an address as well: then the
    /// ids come first.
    pub async fn find_contacts(
        &self,
        brand: BrandId,
        text: &str,
        mut after: &str,
    ) -> Result<(Vec<Listed>, Option<String>), StoreError> {
        let mut conn = self.store.read().await?;
        let mut ids = Vec::new();
        let prefix = match sought(text) {
            Sought::Id(id) => {
                let mut found = contacts::find_by_id(&mut conn, brand, ContactId(id)).await?;
                if found.is_none()
                    && let Some(request) = requests::find(&mut conn, brand, RequestId(id)).await?
                {
                    found = contacts::find_by_id(&mut conn, brand, request.contact_id).await?;
                }
                return Ok((found.into_iter().map(Listed::of).collect(), None));
            }
            Sought::Address(key) => {
                if let Some(found) = contacts::find(&mut conn, brand, &key).await? {
                    return Ok((vec![Listed::of(found)], None));
                }
                // `anna@example.co` is an address and the beginning of another.
                key
            }
            Sought::Beginning(text) => text,
            Sought::IdBeginning(first, last, text) => {
                let behind = if after.is_empty() {
                    Some(Uuid::nil())
                } else {
                    Uuid::parse_str(after).ok()
                };
                if let Some(behind) = behind {
                    let (range, behind) = ((first, last), ContactId(behind));
                    ids = contacts::list_by_id_range(&mut conn, brand, range, behind, PAGE + 1)
                        .await?;
                    after = "";
                }
                text
            }
        };
        if prefix.is_empty() {
            return Ok((Vec::new(), None));
        }
        if ids.len() as i64 > PAGE {
            ids.truncate(PAGE as usize);
            let next = ids.last().map(|contact| contact.id.to_string());
            return Ok((ids.into_iter().map(Listed::of).collect(), next));
        }
        let room = PAGE - ids.len() as i64;
        let mut found =
            contacts::list_by_prefix(&mut conn, brand, &prefix, after, room + 1).await?;
        let more = found.len() as i64 > room;
        found.truncate(room as usize);
        let next = match found.last() {
            _ if !more => None,
            Some(last) => Some(last.address_key.clone()),
            // The ids filled the page to its end: the addresses begin on the next one, behind no other.
            None => ids.last().map(|contact| contact.id.to_string()),
        };
        ids.extend(found);
        Ok((ids.into_iter().map(Listed::of).collect(), next))
    }

    /// A contact's story, behind a position; none if the brand has no such contact.
    pub async fn story_of(
        &self,
        brand: &Brand,
        id: ContactId,
        after: i64,
    ) -> Result<Option<Story>, StoreError> {
        let mut conn = self.store.read().await?;
        let Some(contact) = contacts::find_by_id(&mut conn, brand.id, id).await? else {
            return Ok(None);
        };
        let logged = log::head(&mut conn)
            .await?
            .map_or(0, |head| head.last_position);
        let stamped = timestamps::last_stamped_position(&mut conn).await?;
        let mut whole = events::list_whole(&mut conn, brand.id, id, after, EVENTS + 1).await?;
        let more = whole.len() as i64 > EVENTS;
        whole.truncate(EVENTS as usize);
        let mut told = Vec::with_capacity(whole.len());
        for stored in &whole {
            let seal = match stored.position {
                position if position <= stamped => Seal::Stamped,
                position if position <= logged => Seal::Logged,
                _ => Seal::Waiting,
            };
            let Some(event) = read_whole(stored)? else {
                told.push(Told {
                    position: stored.position,
                    at: None,
                    headline: "Emptied",
                    kind: "emptied",
                    sentence: "What stood here was erased; its place in the log stays.".to_owned(),
                    record: String::new(),
                    seal,
                    has_mail: false,
                    form_version: None,
                });
                continue;
            };
            let mut record = serde_json::to_value(&event).unwrap_or_default();
            if let Some(circumstances) = event.fact.circumstances() {
                record["circumstances"] = serde_json::to_value(circumstances).unwrap_or_default();
            }
            told.push(Told {
                position: stored.position,
                at: Some(event.at),
                headline: headline(&event.fact),
                kind: event.fact.kind(),
                sentence: sentence(&event),
                record: serde_json::to_string_pretty(&record).unwrap_or_default(),
                seal,
                has_mail: stored.mail.is_some(),
                form_version: match &event.fact {
                    Fact::SignedUp(signup) => Some(signup.form_version.as_str().to_owned()),
                    Fact::Invited(invited) => Some(invited.form_version.as_str().to_owned()),
                    _ => None,
                },
            });
        }
        let now = self.clock.now();
        let uses = LastUses::read(&mut conn, brand.id, &[id]).await?;
        let mailbox = contact.mailbox_hash()?;
        let suppressed = suppressed_among(&mut conn, brand.id, &[mailbox]).await?;
        let purposes = brand
            .declared
            .purposes
            .iter()
            .map(|purpose| {
                let standing = contact.standings.get(&purpose.slug);
                let of = |one: &Standing| uses.of(brand, id, (&purpose.slug, &one.as_of(now)));
                Stands {
                    name: in_language(&purpose.name, "en").to_owned(),
                    permission: Permission::of(standing, suppressed.get(&mailbox), now),
                    last_use: standing.map(of).unwrap_or_default(),
                }
            })
            .collect();
        let next = told.last().filter(|_| more).map(|event| event.position);
        let mut open_request = None;
        if let Some(id) = contact.open_request_id
            && let Some(request) = requests::find(&mut conn, brand.id, id).await?
            && request.state()? == RequestState::Open
            && now < request.expires_at
        {
            open_request = Some(id);
        }
        Ok(Some(Story {
            id,
            address: contact.address,
            address_key: contact.address_key,
            name: contact.name,
            language: contact.language,
            created_at: contact.created_at,
            open_request,
            purposes,
            events: told,
            next,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_an_address_and_the_beginning_of_one_are_told_apart() {
        let id = Uuid::from_u128(7);
        assert_eq!(sought(&format!(" {id} ")), Sought::Id(id));
        assert_eq!(
            sought("Anna@Example.org"),
            Sought::Address("anna@example.org".to_owned())
        );
        assert_eq!(sought("Ann"), Sought::Beginning("ann".to_owned()));
    }
}
