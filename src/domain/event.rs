//! Events are the truth: appended, never changed. Tables that say how things stand are their fold.

use serde::{Deserialize, Serialize};

use super::added::ProofAdded;
use super::brand::{BrandDeclaration, Slug};
use super::campaign::Invited;
use super::circumstances::Circumstances;
use super::form::VersionHash;
use super::ids::{ApiKeyId, BrandId, CampaignId, ContactId, EventId, ImportId, RequestId};
use super::import::{Imported, LeftTold};
pub use super::leaving::{
    Bounced, Complained, LeaveMethod, LeftBy, PurposeChanged, ShownPurpose, ToldBy,
};
use super::policy::Ruling;
pub use super::policy::Source;
use super::scanner::Signal;
use super::standing::Standings;
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
    /// An import claims it; nobody confirmed here.
    ApiClaim,
}

impl Grade {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Code => "code",
            Self::SameBrowser => "same_browser",
            Self::LinkButton => "link_button",
            Self::ApiClaim => "api_claim",
        }
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
    /// Another request of the contact took the place of this one, and its mail is not to be sent again either.
    Replaced,
}

/// Which of a mail's links was opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Link {
    Confirm,
    Decline,
    About,
    /// To leave, `/u/`; it belongs to the contact and not to a request.
    Unsubscribe,
    /// To the preferences, `/p/`; likewise.
    Preferences,
}

impl Link {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Confirm => "confirm",
            Self::Decline => "decline",
            Self::About => "about",
            Self::Unsubscribe => "unsubscribe",
            Self::Preferences => "preferences",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [
            Self::Confirm,
            Self::Decline,
            Self::About,
            Self::Unsubscribe,
            Self::Preferences,
        ]
        .into_iter()
        .find(|link| link.as_str() == text)
    }
}

/// Who asks, as the person can find out from the event alone (Directive 2000/31/EC, article 5).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AskedBy {
    pub name: String,
    pub legal_name: String,
    pub postal_address: Vec<String>,
    pub contact: String,
}

impl From<&BrandDeclaration> for AskedBy {
    fn from(brand: &BrandDeclaration) -> Self {
        Self {
            name: brand.name.clone(),
            legal_name: brand.legal_name.clone(),
            postal_address: brand.postal_address.clone(),
            contact: brand.contact.clone(),
        }
    }
}

/// A purpose as the form showed it, and what the person made of it. A box is never ticked in advance; a purpose without
/// one is what the form is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShownBox {
    pub purpose: Slug,
    #[serde(rename = "box")]
    pub is_box: bool,
    pub ticked: bool,
}

/// How far the machine's clock could be relied on when the event was recorded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClockState {
    /// The operating system says that it follows a time server.
    Synchronised,
    Unsynchronised,
    /// It was set by more than half a second within the last ten minutes.
    Stepped,
    /// The operating system does not say.
    #[default]
    Unknown,
}

/// The clock's state, and how far it was ahead of a time-stamping authority, where one was asked within the last day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockReading {
    pub state: ClockState,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ahead_micros: Option<i64>,
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
    /// The purposes that the form version showed, with the state of each box.
    pub boxes: Vec<ShownBox>,
    /// The names of the fields that came, so that the form's state can be told.
    pub fields: Vec<String>,
    #[serde(flatten)]
    pub ruling: Ruling,
    /// Of its purposes those that the person had left, as a list told: for them it gives nothing (D3).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left: Vec<Slug>,
    /// Implicit consent that had an end has none any more: the form has no window. Earlier versions left the end as it was.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub moves_end: bool,
    pub policy_version: String,
    pub confirmation_expires_at: Timestamp,
    pub key_id: u8,
    pub asked_by: AskedBy,
    pub mail: MailFate,
    /// Somebody named answers for this role address: a deviation from O6.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub responsible: Option<String>,
    /// It was entered on a booth's tablet.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub kiosk: bool,
    /// When it was entered, by the tablet's clock: a claim. Only where it waited there without a connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entered_at: Option<Timestamp>,
    /// What the tablet's clock said, where it was wrong: `entered_at` is that, put right, or missing where nobody can tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock_said: Option<Timestamp>,
    /// A program of the operator's passed it on: nobody was at our form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passed_on: Option<PassedOn>,
    /// Kept beside the event under a term of its own; the event names them by their hash.
    #[serde(default, skip_serializing)]
    pub circumstances: Circumstances,
}

/// What a program of the operator's says of a signup that it passed on over the API. All of it is claimed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PassedOn {
    /// The key that it brought.
    pub key: ApiKeyId,
    /// What the person read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wording: Option<String>,
    /// When the person entered it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entered_at: Option<Timestamp>,
}

/// Who asked for an erasure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErasedBy {
    Operator,
    Person,
    /// Nobody: the term for contacts that never confirmed was over.
    Term,
}

/// Whether it is remembered of an address, when all else goes, that a campaign had asked it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Asked {
    /// None had.
    No,
    /// From now on.
    First,
    /// It had been remembered before, and the time is now this one.
    Again,
}

/// By what way an erasure was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Through {
    CommandLine,
    AdminPages,
    Api,
    PreferencesPage,
    Clockwork,
}

/// What of a person was handed out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HandedOut {
    /// The evidence bundle.
    Bundle,
    /// The events alone, as a story.
    Story,
    /// All that is kept, as data for the person.
    Data,
}

/// What happened. The tag is the event's `kind`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Fact {
    SignedUp(Box<SignedUp>),
    /// An operator's list named the person.
    Imported(Box<Imported>),
    /// The operator took the import back, as if the file had never come.
    ImportWithdrawn {
        import: ImportId,
        purposes: Vec<Slug>,
        /// Where the contact stands for these purposes without it; those that are missing here, nowhere.
        back_to: Standings,
    },
    /// A part of an operator's list said of people whom the brand does not know that they left. It stands under the import's own id,
    /// and holds nothing about anybody.
    LeftTold(Box<LeftTold>),
    /// The list was taken back, and what it had told of them is forgotten.
    LeftForgotten {
        import: ImportId,
        /// How many it had told of, those of earlier versions included.
        rows: i64,
    },
    /// Proof was added later to what an import claimed.
    ProofAdded(Box<ProofAdded>),
    /// A campaign asked the person.
    Invited(Box<Invited>),
    /// Implicit consent ended by itself; or a campaign asked, said until when, and nobody answered.
    Lapsed {
        purposes: Vec<Slug>,
        until: Timestamp,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        campaign: Option<CampaignId>,
        /// It was explicit consent: its term was over, the operator had declared that no answer ends it, and the mail said so.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        explicit: bool,
    },
    /// The mail was asked for once more. It says nothing of consent.
    MailRequested {
        mail: MailFate,
        /// The request's time was over, and it is open again until this instant.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        confirmation_expires_at: Option<Timestamp>,
        #[serde(default, skip_serializing)]
        circumstances: Circumstances,
    },
    /// The SMTP server took the mail; from here it is the server's.
    MailAccepted {
        message_id: String,
        from: String,
        reply: String,
        /// SHA-256 of the message as it was sent, 64 hexadecimal digits.
        mail_sha256: String,
        template: String,
        /// The beginning of the SHA-256 of the texts that the mail was made from, 16 hexadecimal digits.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        template_version: String,
        language: String,
        tries: i64,
        /// An earlier try may have reached the server without its reply reaching us.
        ambiguous: bool,
        /// It is the notice of a merger: for these purposes holds from now on what was carried over (O4).
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        notice_for: Vec<Slug>,
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
        #[serde(default, skip_serializing)]
        circumstances: Circumstances,
    },
    /// A button was pressed by what looks like a program; the code was asked for instead.
    CodeAsked {
        signals: Vec<Signal>,
        /// The button was "this was not me".
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        declining: bool,
        #[serde(default, skip_serializing)]
        circumstances: Circumstances,
    },
    CodeWrong {
        tries: i64,
        #[serde(default, skip_serializing)]
        circumstances: Circumstances,
    },
    Confirmed {
        purposes: Vec<Slug>,
        grade: Grade,
        method: String,
        key_id: u8,
        /// The name that the signup gave, where the contact had another: it is the contact's from now on.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
        #[serde(default, skip_serializing)]
        circumstances: Circumstances,
    },
    Declined {
        purposes: Vec<Slug>,
        #[serde(default, skip_serializing)]
        circumstances: Circumstances,
    },
    /// The person leaves these purposes.
    Withdrawn {
        purposes: Vec<Slug>,
        /// `all`: everything that the brand sends, or ever will; `purposes`: these alone.
        scope: String,
        /// What of these the person had left before, with everything that the brand sends, stays left so. Earlier versions did not
        /// say, and took it for these purposes alone from then on.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        keeps_all: bool,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        method: Option<LeaveMethod>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<LeftBy>,
        /// Why an operator did it for the person, in the operator's words.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
        /// The mail provider, where the person left by its link.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        told_by: Option<Box<ToldBy>>,
        #[serde(default, skip_serializing)]
        circumstances: Circumstances,
    },
    /// The person said yes to purposes on the preferences page: a new consent with its own wording.
    PurposeChanged(Box<PurposeChanged>),
    /// The person wants no mail before this instant; none: mail may go on.
    Paused {
        until: Option<Timestamp>,
        #[serde(default, skip_serializing)]
        circumstances: Circumstances,
    },
    LanguageChanged {
        from: String,
        to: String,
        #[serde(default, skip_serializing)]
        circumstances: Circumstances,
    },
    /// A mail came back.
    Bounced(Box<Bounced>),
    /// The person called a mail of ours unwanted where they read it, and their provider told.
    Complained(Box<Complained>),
    /// An operator keeps the brand from writing to the mailbox; what the person gave stays as it is, and is of no use meanwhile.
    Suppressed {
        /// The operator's own words.
        reason: String,
        /// The weaker reason for which it was suppressed before, and whose place this takes.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        replaces: Option<String>,
    },
    /// An operator lets the brand write to the mailbox again; what was withdrawn or declined stays so.
    SuppressionLifted {
        /// Why nothing had been sent there.
        was: String,
        /// The operator's own words.
        reason: String,
    },
    /// Somebody who works with the contact wrote something down about it. It is told to nobody but whoever reads the evidence,
    /// and to the person.
    OperatorNote {
        /// An operator, a key, or the command line.
        by: String,
        through: Through,
        /// Plain text, 2,000 characters at most.
        note: String,
    },
    /// An owner keeps what is known of the contact for a claim: before this instant it is neither erased nor removed.
    LegalHold {
        /// The operator's own words.
        reason: String,
        until: Timestamp,
    },
    /// An owner ended the hold before its time.
    LegalHoldLifted {
        /// The operator's own words.
        reason: String,
    },
    /// The person wished to be erased while a hold kept them, which is done once none does; or took that back.
    ErasureWished {
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        taken_back: bool,
        #[serde(default, skip_serializing)]
        circumstances: Circumstances,
    },
    /// Nobody answered the request in its time.
    Expired,
    /// Nobody had answered yet, and the form says that the person is reminded once.
    Reminded {
        mail: MailFate,
    },
    /// The person corrected the address; this request ended unanswered.
    AddressChanged {
        purposes: Vec<Slug>,
        signed_up_at: Timestamp,
        #[serde(default, skip_serializing)]
        circumstances: Circumstances,
    },
    Replaced,
    /// The events of the contact before this one were emptied, lawfully. Like the two below it holds nothing about the
    /// person: it stays for good.
    Erased {
        by: ErasedBy,
        through: Through,
        /// How many events were emptied.
        events: i64,
        /// What they held is kept, encrypted, for the defence of claims.
        sealed: bool,
        /// The brand's stated reason for that.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
        /// Until when that is kept.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sealed_until: Option<Timestamp>,
        /// The SHA-256 of what was sealed: over the SHA-256 of each part, in their order. Earlier versions did not say.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sealed_sha256: Option<String>,
        /// Whether the same address had been erased before: then no further one is remembered. Earlier versions did not say.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        erased_before: Option<bool>,
        /// Of what is erased by a term: whether it is remembered that a campaign had asked the address. Earlier versions did not say.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        asked: Option<Asked>,
    },
    /// Somebody with the key read what an erasure had sealed.
    SealOpened {
        by: String,
        reason: String,
    },
    /// What was sealed is gone, since its term was over.
    SealDeleted,
    /// What is kept of the person was handed out. Within an hour the same that goes out by the same way is told once.
    Exported {
        what: HandedOut,
        through: Through,
    },
    /// Somebody who runs the installation did something. It is told of the operator, whose id stands in the contact's place,
    /// under no brand. No address, name or secret of a contact stands in it.
    OperatorActed {
        operator: String,
        /// What was done, as `domain::operator::Deed` names it.
        deed: String,
        /// What it was done to: kinds and ids, or names that the operator chose.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        on: Option<String>,
        #[serde(default, skip_serializing)]
        circumstances: Circumstances,
    },
}

impl Fact {
    /// The id under which a report or a provider told it; none where nobody did, and of reports that earlier versions took.
    pub fn report(&self) -> Option<&str> {
        let id = match self {
            Self::Bounced(bounced) => &bounced.report,
            Self::Complained(complaint) => &complaint.report,
            Self::Withdrawn { told_by, .. } => &told_by.as_ref()?.report,
            _ => return None,
        };
        (!id.is_empty()).then_some(id)
    }

    /// The weaker reason whose place it took as the reason why the mailbox is suppressed.
    pub fn replaces(&self) -> Option<&str> {
        match self {
            Self::Bounced(bounced) => bounced.replaces.as_deref(),
            Self::Complained(complaint) => complaint.replaces.as_deref(),
            Self::Suppressed { replaces, .. } => replaces.as_deref(),
            _ => None,
        }
    }

    /// The circumstances of the request that caused it; none where no request did.
    pub fn circumstances(&self) -> Option<&Circumstances> {
        match self {
            Self::SignedUp(signup) => Some(&signup.circumstances),
            Self::PurposeChanged(change) => Some(&change.circumstances),
            Self::MailRequested { circumstances, .. }
            | Self::LinkOpened { circumstances, .. }
            | Self::CodeAsked { circumstances, .. }
            | Self::CodeWrong { circumstances, .. }
            | Self::Confirmed { circumstances, .. }
            | Self::Declined { circumstances, .. }
            | Self::Withdrawn { circumstances, .. }
            | Self::Paused { circumstances, .. }
            | Self::LanguageChanged { circumstances, .. }
            | Self::AddressChanged { circumstances, .. }
            | Self::ErasureWished { circumstances, .. }
            | Self::OperatorActed { circumstances, .. } => Some(circumstances),
            Self::Imported(import) => import.circumstances.as_deref(),
            Self::ImportWithdrawn { .. }
            | Self::LeftTold(_)
            | Self::LeftForgotten { .. }
            | Self::ProofAdded(_)
            | Self::Invited(_)
            | Self::Lapsed { .. }
            | Self::MailAccepted { .. }
            | Self::MailFailed { .. }
            | Self::Bounced(_)
            | Self::Complained(_)
            | Self::Suppressed { .. }
            | Self::SuppressionLifted { .. }
            | Self::OperatorNote { .. }
            | Self::LegalHold { .. }
            | Self::LegalHoldLifted { .. }
            | Self::Expired
            | Self::Reminded { .. }
            | Self::Replaced
            | Self::Erased { .. }
            | Self::SealOpened { .. }
            | Self::SealDeleted
            | Self::Exported { .. } => None,
        }
    }

    /// Where they are put when the event is read back with them.
    pub fn circumstances_mut(&mut self) -> Option<&mut Circumstances> {
        match self {
            Self::SignedUp(signup) => Some(&mut signup.circumstances),
            Self::PurposeChanged(change) => Some(&mut change.circumstances),
            Self::MailRequested { circumstances, .. }
            | Self::LinkOpened { circumstances, .. }
            | Self::CodeAsked { circumstances, .. }
            | Self::CodeWrong { circumstances, .. }
            | Self::Confirmed { circumstances, .. }
            | Self::Declined { circumstances, .. }
            | Self::Withdrawn { circumstances, .. }
            | Self::Paused { circumstances, .. }
            | Self::LanguageChanged { circumstances, .. }
            | Self::AddressChanged { circumstances, .. }
            | Self::ErasureWished { circumstances, .. }
            | Self::OperatorActed { circumstances, .. } => Some(circumstances),
            Self::Imported(import) => Some(import.circumstances.get_or_insert_default()),
            Self::ImportWithdrawn { .. }
            | Self::LeftTold(_)
            | Self::LeftForgotten { .. }
            | Self::ProofAdded(_)
            | Self::Invited(_)
            | Self::Lapsed { .. }
            | Self::MailAccepted { .. }
            | Self::MailFailed { .. }
            | Self::Bounced(_)
            | Self::Complained(_)
            | Self::Suppressed { .. }
            | Self::SuppressionLifted { .. }
            | Self::OperatorNote { .. }
            | Self::LegalHold { .. }
            | Self::LegalHoldLifted { .. }
            | Self::Expired
            | Self::Reminded { .. }
            | Self::Replaced
            | Self::Erased { .. }
            | Self::SealOpened { .. }
            | Self::SealDeleted
            | Self::Exported { .. } => None,
        }
    }

    /// A mail that told of a merger: what was carried over holds from then on (O4).
    pub fn is_merger_notice(&self) -> bool {
        matches!(self, Self::MailAccepted { notice_for, .. } if !notice_for.is_empty())
    }

    pub const fn kind(&self) -> &'static str {
        match self {
            Self::SignedUp(_) => "signed_up",
            Self::Imported(_) => "imported",
            Self::ImportWithdrawn { .. } => "import_withdrawn",
            Self::LeftTold(_) => "left_told",
            Self::LeftForgotten { .. } => "left_forgotten",
            Self::ProofAdded(_) => "proof_added",
            Self::Invited(_) => "invited",
            Self::Lapsed { .. } => "lapsed",
            Self::MailRequested { .. } => "mail_requested",
            Self::MailAccepted { .. } => "mail_accepted",
            Self::MailFailed { .. } => "mail_failed",
            Self::LinkOpened { .. } => "link_opened",
            Self::CodeAsked { .. } => "code_asked",
            Self::CodeWrong { .. } => "code_wrong",
            Self::Confirmed { .. } => "confirmed",
            Self::Declined { .. } => "declined",
            Self::Withdrawn { .. } => "withdrawn",
            Self::PurposeChanged(_) => "purpose_changed",
            Self::Paused { .. } => "paused",
            Self::LanguageChanged { .. } => "language_changed",
            Self::Bounced(_) => "bounced",
            Self::Complained(_) => "complained",
            Self::Suppressed { .. } => "suppressed",
            Self::SuppressionLifted { .. } => "suppression_lifted",
            Self::OperatorNote { .. } => "operator_note",
            Self::LegalHold { .. } => "legal_hold",
            Self::LegalHoldLifted { .. } => "legal_hold_lifted",
            Self::ErasureWished { .. } => "erasure_wished",
            Self::Expired => "expired",
            Self::Reminded { .. } => "reminded",
            Self::AddressChanged { .. } => "address_changed",
            Self::Replaced => "replaced",
            Self::Erased { .. } => "erased",
            Self::SealOpened { .. } => "seal_opened",
            Self::SealDeleted => "seal_deleted",
            Self::Exported { .. } => "exported",
            Self::OperatorActed { .. } => "operator_acted",
        }
    }

    /// The purposes that the fact itself names.
    pub fn purposes(&self) -> &[Slug] {
        match self {
            Self::SignedUp(signup) => &signup.purposes,
            Self::Imported(import) => &import.purposes,
            Self::ProofAdded(added) => &added.purposes,
            Self::Invited(invited) => &invited.purposes,
            Self::PurposeChanged(change) => &change.purposes,
            Self::Complained(complaint) => &complaint.purposes,
            Self::ImportWithdrawn { purposes, .. }
            | Self::Lapsed { purposes, .. }
            | Self::Confirmed { purposes, .. }
            | Self::Declined { purposes, .. }
            | Self::Withdrawn { purposes, .. }
            | Self::AddressChanged { purposes, .. } => purposes,
            Self::LeftTold(_)
            | Self::LeftForgotten { .. }
            | Self::MailRequested { .. }
            | Self::MailAccepted { .. }
            | Self::MailFailed { .. }
            | Self::LinkOpened { .. }
            | Self::CodeAsked { .. }
            | Self::CodeWrong { .. }
            | Self::Paused { .. }
            | Self::LanguageChanged { .. }
            | Self::Bounced(_)
            | Self::Suppressed { .. }
            | Self::SuppressionLifted { .. }
            | Self::OperatorNote { .. }
            | Self::LegalHold { .. }
            | Self::LegalHoldLifted { .. }
            | Self::ErasureWished { .. }
            | Self::Expired
            | Self::Reminded { .. }
            | Self::Replaced
            | Self::Erased { .. }
            | Self::SealOpened { .. }
            | Self::SealDeleted
            | Self::Exported { .. }
            | Self::OperatorActed { .. } => &[],
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
    pub clock: ClockReading,
    /// The SHA-256 of the circumstances as they are kept, 64 hexadecimal digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub circumstances_sha256: Option<String>,
    #[serde(flatten)]
    pub fact: Fact,
}
