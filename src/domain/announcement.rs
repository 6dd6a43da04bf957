//! What others are told of: which events, under which names, and with what in them. Webhooks and the feed of the API say the
//! same. This is the one place for it: a further kind of event is one line in `kind_of`.

use serde::Serialize;

use super::brand::Slug;
use super::event::{Event, Fact, Grade, LeaveMethod, MailFate};
use super::ids::{ContactId, EventId};
use super::leaving::{SCOPE_ALL, SCOPE_PURPOSES};
use super::policy::Rule;
use super::time::Timestamp;

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $text:literal),+ $(,)?) => {
        /// What happened to a contact, in the word that others know.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Kind { $($(#[$doc])* $name),+ }

        impl Kind {
            pub const ALL: &[Self] = &[$(Self::$name),+];

            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text),+ }
            }
        }
    };
}

kinds! {
    /// Signed up, and a confirmation mail is on its way.
    Pending = "contact.pending",
    Confirmed = "contact.confirmed",
    /// Said that the signup was not theirs.
    Declined = "contact.declined",
    Withdrawn = "contact.withdrawn",
    /// Consent ended by itself.
    Lapsed = "contact.lapsed",
    /// The mail cannot be delivered.
    Bounced = "contact.bounced",
    Erased = "contact.erased",
    /// Wants no mail for a while, or wants it again.
    Paused = "contact.paused",
    /// Nobody answered the request to confirm in its time.
    Expired = "contact.expired",
}

impl Kind {
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.as_str() == text)
    }
}

/// Under which name a fact is told; none if it is nobody's business.
pub fn kind_of(fact: &Fact) -> Option<Kind> {
    match fact {
        Fact::SignedUp(signup) => (signup.mail == MailFate::Queued).then_some(Kind::Pending),
        Fact::Confirmed { .. } => Some(Kind::Confirmed),
        Fact::Declined { .. } => Some(Kind::Declined),
        // New consent on the preferences page, with its own wording.
        Fact::PurposeChanged(_) => Some(Kind::Confirmed),
        Fact::Withdrawn { .. } => Some(Kind::Withdrawn),
        // A list's word that the person left ends what there was, unless it was told before.
        Fact::Imported(one) => (one.left && !one.told_again).then_some(Kind::Withdrawn),
        // Whoever calls a mail unwanted leaves with it what was not left before.
        Fact::Complained(one) => (!one.purposes.is_empty()).then_some(Kind::Withdrawn),
        Fact::Bounced(bounced) => bounced.hard.then_some(Kind::Bounced),
        Fact::Paused { .. } => Some(Kind::Paused),
        Fact::Expired => Some(Kind::Expired),
        Fact::Lapsed { .. } => Some(Kind::Lapsed),
        Fact::Erased { .. } => Some(Kind::Erased),
        _ => None,
    }
}

/// An event as others are told of it: the body of a webhook, and a line of the feed.
#[derive(Clone, Debug, Serialize)]
pub struct Announcement {
    /// The event's own id: the same in each try, and in the feed.
    pub id: EventId,
    #[serde(rename = "type")]
    pub kind: &'static str,
    pub timestamp: Timestamp,
    pub data: Data,
}

/// What is told of a contact.
#[derive(Clone, Debug, Serialize)]
pub struct Data {
    pub brand: Slug,
    pub contact: ContactId,
    /// None once the contact was erased.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub purposes: Vec<Slug>,
    /// How it was confirmed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grade: Option<Grade>,
    /// The form that was signed up at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub form: Option<Slug>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// How much was withdrawn: `all` or `purposes`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// By what way: as in the event, or `complaint`, or `import` where a list told of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<&'static str>,
    /// Until when no mail is wanted; missing where it is wanted again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// What the receiving mail server said of it (RFC 3463).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// The rule by which consent ended: `D2`, or `D7` where it was explicit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<&'static str>,
    /// For mails to the contact; while there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub links: Option<LinksToLeave>,
}

/// What a mail to the contact carries.
#[derive(Clone, Debug, Serialize)]
pub struct LinksToLeave {
    pub unsubscribe_url: String,
    pub preferences_url: String,
    /// The values of the headers of these names.
    pub list_unsubscribe: String,
    pub list_unsubscribe_post: &'static str,
}

impl Announcement {
    /// What is told of an event; none if nobody is told of such. `address` is that of the contact, if it is still there.
    pub fn of(event: &Event, brand: &Slug, address: Option<&str>) -> Option<Self> {
        let kind = kind_of(&event.fact)?;
        let mut data = Data {
            brand: brand.clone(),
            contact: event.contact,
            address: address.map(ToOwned::to_owned),
            purposes: event.fact.purposes().to_vec(),
            grade: None,
            form: None,
            language: None,
            scope: None,
            method: None,
            until: None,
            status: None,
            rule: None,
            links: None,
        };
        match &event.fact {
            Fact::SignedUp(signup) => {
                data.form = Some(signup.form.clone());
                data.language = Some(signup.language.clone());
            }
            Fact::Confirmed { grade, .. } => data.grade = Some(*grade),
            Fact::PurposeChanged(changed) => data.grade = Some(changed.grade),
            Fact::Withdrawn { scope, method, .. } => {
                data.scope = Some(scope.clone());
                data.method = method.map(LeaveMethod::as_str);
            }
            Fact::Imported(_) => {
                data.scope = Some(SCOPE_PURPOSES.to_owned());
                data.method = Some("import");
            }
            Fact::Complained(_) => {
                data.scope = Some(SCOPE_ALL.to_owned());
                data.method = Some("complaint");
            }
            Fact::Lapsed { explicit, .. } => {
                let rule = if *explicit { Rule::D7 } else { Rule::D2 };
                data.rule = Some(rule.id());
            }
            Fact::Paused { until, .. } => data.until = *until,
            Fact::Bounced(bounced) => data.status = Some(bounced.status.clone()),
            Fact::Erased { .. } => data.address = None,
            _ => {}
        }
        Some(Self {
            id: event.id,
            kind: kind.as_str(),
            timestamp: event.at,
            data,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_read_back_from_its_name() {
        for kind in Kind::ALL {
            assert_eq!(Kind::parse(kind.as_str()), Some(*kind));
        }
        assert_eq!(Kind::parse("contact.renamed"), None);
    }
}
