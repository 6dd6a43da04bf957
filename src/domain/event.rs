//! Events are the truth: appended, never changed. Tables that say how things stand are their fold.

use serde::{Deserialize, Serialize};

use super::brand::Slug;
use super::circumstances::Circumstances;
use super::form::VersionHash;
use super::ids::{BrandId, ContactId, EventId, RequestId};
use super::policy::Ruling;
use super::scanner::Signal;
use super::time::Timestamp;

/// The version of the events' form; a reader of old events branches on it.
pub const SCHEMA_VERSION: u32 = 1;

/// How a confirmation was given, weakest last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Grade {
    /// The six digits of the mail were typed.
    Code,
    /// The link was opened in the browser that signed up.
    SameBrowser,
    /// The button behind the link was pressed.
    LinkButton,
}

impl Grade {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Code => "code",
            Self::SameBrowser => "same_browser",
            Self::LinkButton => "link_button",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::Code, Self::SameBrowser, Self::LinkButton]
            .into_iter()
            .find(|grade| grade.as_str() == text)
    }
}

/// What became of the mail that a signup or a resend would cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MailFate {
    Queued,
    /// The mailbox, or the client's network, had used up its budget.
    OverBudget,
    /// The person declined or is suppressed: no more mail to this mailbox.
    Suppressed,
    /// A bot's mark: the honeypot was filled in, or the form came back faster than a person types.
    Bot,
}

/// Which of a mail's links was opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Link {
    Confirm,
    Decline,
    About,
}

impl Link {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Confirm => "confirm",
            Self::Decline => "decline",
            Self::About => "about",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::Confirm, Self::Decline, Self::About]
            .into_iter()
            .find(|link| link.as_str() == text)
    }
}

/// Where a contact's own words came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    WebsiteForm,
}

/// What a signup brought.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedUp {
    pub address_typed: String,
    pub address: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    pub purposes: Vec<Slug>,
    pub source: Source,
    pub form: Slug,
    pub form_version: VersionHash,
    pub language: String,
    /// The page that the form stood on, as the client claims it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page: Option<String>,
    /// The names of the fields that came, so that the form's state can be told.
    pub fields: Vec<String>,
    #[serde(flatten)]
    pub ruling: Ruling,
    pub policy_version: String,
    pub confirmation_expires_at: Timestamp,
    pub key_id: u8,
    pub mail: MailFate,
    /// Somebody named answers for this role address: a deviation from O6.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub responsible: Option<String>,
    pub circumstances: Circumstances,
}

/// What happened. The tag is the event's `kind`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Fact {
    SignedUp(Box<SignedUp>),
    MailRequested {
        mail: MailFate,
        circumstances: Circumstances,
    },
    /// The SMTP server took the mail; from here it is the server's.
    MailAccepted {
        message_id: String,
        reply: String,
        template: String,
        language: String,
        tries: i64,
    },
    /// No more tries will be made. `ambiguous` tells that the server may have taken it all the same.
    MailFailed {
        message_id: String,
        reason: String,
        tries: i64,
        ambiguous: bool,
    },
    LinkOpened {
        link: Link,
        method: String,
        same_browser: bool,
        circumstances: Circumstances,
    },
    /// A button was pressed by what looks like a program; the code was asked for instead.
    CodeAsked {
        signals: Vec<Signal>,
        circumstances: Circumstances,
    },
    CodeWrong {
        tries: i64,
        circumstances: Circumstances,
    },
    Confirmed {
        purposes: Vec<Slug>,
        grade: Grade,
        method: String,
        key_id: u8,
        circumstances: Circumstances,
    },
    Declined {
        purposes: Vec<Slug>,
        circumstances: Circumstances,
    },
    /// The person leaves these purposes.
    Withdrawn {
        purposes: Vec<Slug>,
        scope: String,
        circumstances: Circumstances,
    },
    /// The person corrected the address; this request ended unanswered.
    AddressChanged {
        purposes: Vec<Slug>,
        signed_up_at: Timestamp,
        circumstances: Circumstances,
    },
    Replaced,
}

impl Fact {
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::SignedUp(_) => "signed_up",
            Self::MailRequested { .. } => "mail_requested",
            Self::MailAccepted { .. } => "mail_accepted",
            Self::MailFailed { .. } => "mail_failed",
            Self::LinkOpened { .. } => "link_opened",
            Self::CodeAsked { .. } => "code_asked",
            Self::CodeWrong { .. } => "code_wrong",
            Self::Confirmed { .. } => "confirmed",
            Self::Declined { .. } => "declined",
            Self::Withdrawn { .. } => "withdrawn",
            Self::AddressChanged { .. } => "address_changed",
            Self::Replaced => "replaced",
        }
    }
}

/// A fact with its place and time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    pub id: EventId,
    pub schema: u32,
    pub brand: BrandId,
    pub contact: ContactId,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<RequestId>,
    pub at: Timestamp,
    #[serde(flatten)]
    pub fact: Fact,
}
