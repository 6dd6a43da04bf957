//! Leaving, changing and coming back: what the person does on the pages behind the links of a mail, and what mail servers and
//! providers tell of it.

use serde::{Deserialize, Serialize};

use super::brand::Slug;
use super::circumstances::Circumstances;
use super::event::{AskedBy, Grade};

/// The scope of a withdrawal from everything that the brand sends.
pub const SCOPE_ALL: &str = "all";
/// The scope of a withdrawal from the purposes that the event names.
pub const SCOPE_PURPOSES: &str = "purposes";

/// By what way somebody left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LeaveMethod {
    /// The mail program's own button (RFC 8058).
    OneClick,
    /// The button behind the mail's link.
    LinkButton,
    Preferences,
    Api,
    CommandLine,
    AdminPages,
    /// The link of the mail provider's own, which told of it.
    Provider,
}

impl LeaveMethod {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OneClick => "one_click",
            Self::LinkButton => "link_button",
            Self::Preferences => "preferences",
            Self::Api => "api",
            Self::CommandLine => "command_line",
            Self::AdminPages => "admin_pages",
            Self::Provider => "provider",
        }
    }

    /// In words, to stand behind "left".
    pub const fn says(self) -> &'static str {
        match self {
            Self::OneClick => "by the mail program's unsubscribe button",
            Self::LinkButton => "by the button behind the mail's link",
            Self::Preferences => "on the preferences page",
            Self::Api => "over the API",
            Self::CommandLine => "on the command line",
            Self::AdminPages => "on the admin pages",
            Self::Provider => "at the mail provider, which told of it",
        }
    }
}

/// Whose act it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LeftBy {
    Person,
    /// An operator wrote down what the person had said elsewhere.
    Operator,
}

/// A purpose as the preferences page showed it, in one language.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShownPurpose {
    pub purpose: Slug,
    pub name: String,
    pub wording: String,
    /// The words at the box that was ticked, where the brand wrote for the purpose already and only asked for a yes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agree: Option<String>,
}

/// Purposes that the person turned on, or said yes to where they were on without one. The wording stands in the event itself, so that it is proven with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PurposeChanged {
    pub purposes: Vec<Slug>,
    pub shown: Vec<ShownPurpose>,
    /// The sentence above the button.
    pub consent: String,
    /// The words on the button.
    pub button: String,
    pub language: String,
    pub grade: Grade,
    pub method: String,
    pub asked_by: AskedBy,
    #[serde(default, skip_serializing)]
    pub circumstances: Circumstances,
}

/// A mail that came back, as a mail server reported it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bounced {
    /// For good: the address is not written to any more.
    pub hard: bool,
    /// The enhanced status code (RFC 3463), such as `5.1.1`.
    pub status: String,
    /// What the receiving server said, cut to 400 characters.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub said: String,
    /// The server that reports.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reporter: String,
    /// The id under which it was told: the provider's where it told by webhook, else that of the report. It is told once.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub report: String,
    /// The Message-ID of the mail that came back, where the report names it: a mail counts once. Earlier versions did not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mail: Option<String>,
    /// How many passing ones there were in a row with this one; from the limit on, it is one for good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passing: Option<u32>,
    /// The weaker reason for which the mailbox was suppressed before, and whose place this takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<String>,
    /// The address has a tag: it is not written to any more, and the mailbox stays open, which may be somebody else's. Earlier versions
    /// closed it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub address_only: bool,
    /// It was the notice of a merger: what was carried over for these purposes waits for another one. Earlier versions let it hold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notice_for: Vec<Slug>,
}

/// A complaint, as a provider reported it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Complained {
    /// All that the person leaves with it; none where everything was left before.
    pub purposes: Vec<Slug>,
    /// The kind of feedback (RFC 5965, section 3.1), such as `abuse`.
    pub feedback: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reporter: String,
    /// The provider's id of what it told, where it told by webhook: it is told once.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub report: String,
    /// The weaker reason for which the mailbox was suppressed before, and whose place this takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<String>,
}

/// The provider that told by webhook that the person left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToldBy {
    pub reporter: String,
    /// The provider's id of what it told: it is told once.
    pub report: String,
}
