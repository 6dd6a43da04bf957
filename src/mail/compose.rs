//! The confirmation mail: text and HTML alternatives in the contact's language, nothing in it that a stranger typed.

pub mod preferences;
pub mod skeleton;
mod words;

pub use words::{Again, Ask};

use std::sync::LazyLock;
use std::time::{Duration, SystemTime};

use askama::Template;
use lettre::message::header::{
    ContentTransferEncoding, ContentType, Header, HeaderName, HeaderValue,
};
use lettre::message::{Body, Mailbox, MessageBuilder, MultiPart, SinglePart};
use lettre::{Address, Message};
use sha2::{Digest, Sha256};

use crate::domain::brand::{Accent, Brand, in_language};
use crate::domain::campaign::Kind;
use crate::domain::form::FormContent;
use crate::domain::hex::hex;
use crate::domain::time::Timestamp;
use crate::texts::Texts;

/// A brand as templates see it.
#[derive(Clone, Debug)]
pub struct BrandView {
    pub name: String,
    pub legal_name: String,
    pub postal_address: Vec<String>,
    pub privacy_url: Option<String>,
    pub contact: String,
    pub logo_url: Option<String>,
    pub home_url: Option<String>,
}

impl BrandView {
    pub fn of(brand: &Brand) -> Self {
        let declared = &brand.declared;
        Self {
            name: declared.name.clone(),
            legal_name: declared.legal_name.clone(),
            postal_address: declared.postal_address.clone(),
            privacy_url: declared.privacy_url.clone(),
            contact: declared.contact.clone(),
            logo_url: declared.logo_url.clone(),
            home_url: declared.home_url.clone(),
        }
    }
}

/// A purpose as templates see it, in one language.
#[derive(Clone, Debug)]
pub struct PurposeView {
    pub slug: String,
    pub name: String,
    pub wording: String,
    /// A box that the person may tick; never ticked in advance.
    pub choice: bool,
    pub checked: bool,
}

/// The purposes of a version that are among the given ones.
pub fn purposes_shown(
    content: &FormContent,
    language: &str,
    among: impl Fn(&str) -> bool,
) -> Vec<PurposeView> {
    content
        .purposes
        .iter()
        .filter(|shown| among(shown.slug.as_str()))
        .map(|shown| PurposeView {
            slug: shown.slug.to_string(),
            name: in_language(&shown.name, language).to_owned(),
            wording: in_language(&shown.wording, language).to_owned(),
            choice: shown.choice,
            checked: false,
        })
        .collect()
}

/// What one confirmation mail says.
pub struct ConfirmationMail<'a> {
    pub brand: &'a Brand,
    pub content: &'a FormContent,
    pub language: &'a str,
    pub purposes: &'a [crate::domain::brand::Slug],
    /// Cleaned, and only where the form lets it into the mail.
    pub name: Option<String>,
    /// The deliverable address.
    pub to: &'a str,
    pub confirm_url: String,
    pub decline_url: String,
    pub about_url: String,
    pub code: String,
    pub asked_at: Timestamp,
    pub asked_from: Option<String>,
    /// `asked_at` is what a booth's tablet said: the signup waited there.
    pub by_tablet: bool,
    /// The person may have no page open that waits for the code.
    pub no_page_left: bool,
    pub expires_at: Timestamp,
    pub message_id: String,
    pub now: Timestamp,
    /// A campaign asks; none where the person signed up.
    pub ask: Option<&'a Ask>,
    /// The one reminder of a signup.
    pub reminder: bool,
    /// For the mail program's own button to leave (RFC 8058); none where there is nothing to leave yet.
    pub unsubscribe_url: Option<String>,
}

/// Why a mail cannot be made; never tried again.
#[derive(Debug, thiserror::Error)]
pub enum ComposeProblem {
    #[error("the brand's sender or the recipient is no address that can stand in a header")]
    Address,
    #[error("the template failed: {0}")]
    Template(#[from] askama::Error),
    #[error("the message could not be built")]
    Message,
}

#[derive(Template)]
#[template(path = "mail/confirm/subject.txt")]
struct Subject<'a> {
    parts: &'a Parts,
}

#[derive(Template)]
#[template(path = "mail/confirm/body.txt")]
struct TextBody<'a> {
    parts: &'a Parts,
}

#[derive(Template)]
#[template(path = "mail/confirm/body.html")]
struct HtmlBody<'a> {
    parts: &'a Parts,
}

/// Everything that confirmation mails are made from, whatever the language: whoever has this version of the program can tell
/// that a mail is what it would have written.
const SOURCES: [&str; 11] = [
    include_str!("../../templates/mail/confirm/subject.txt"),
    include_str!("../../templates/mail/confirm/body.txt"),
    include_str!("../../templates/mail/confirm/body.html"),
    include_str!("../../templates/mail/preferences/subject.txt"),
    include_str!("../../templates/mail/preferences/body.txt"),
    include_str!("../../templates/mail/preferences/body.html"),
    include_str!("../../locales/en/mail.ftl"),
    include_str!("../../locales/nl/mail.ftl"),
    include_str!("../../locales/de/mail.ftl"),
    include_str!("../../locales/fr/mail.ftl"),
    include_str!("../../locales/es/mail.ftl"),
];

/// The beginning of the SHA-256 over the templates' sources, 16 hexadecimal digits.
pub fn template_version() -> &'static str {
    static VERSION: LazyLock<String> = LazyLock::new(|| {
        let hash = SOURCES.iter().fold(Sha256::new(), |hash, text| {
            hash.chain_update(text.len().to_be_bytes())
                .chain_update(text)
        });
        hex(&hash.finalize()[..8])
    });
    &VERSION
}

/// What the three templates share.
struct Parts {
    subject: String,
    lead: String,
    /// Paragraphs between the first sentence and the wording.
    paragraphs: Vec<String>,
    button: String,
    code_label: String,
    /// From where the address came, or when it was entered, and until when the links work.
    why: String,
    no: String,
    no_link: String,
    /// Leaving has a button of its own: the mail asks to stay or to leave.
    leave_button: bool,
    brand: BrandView,
    accent: String,
    accent_ink: String,
    t: Texts,
    lang: String,
    dir: String,
    purposes: Vec<PurposeView>,
    name: Option<String>,
    confirm_url: String,
    decline_url: String,
    about_url: String,
    code: String,
}

/// Tells automatic answerers to be quiet (RFC 3834, section 5).
#[derive(Clone)]
pub(super) struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

/// Where a mail program lets the person leave (RFC 2369).
#[derive(Clone)]
struct ListUnsubscribe(String);

impl Header for ListUnsubscribe {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("List-Unsubscribe")
    }

    fn parse(text: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self(text.to_owned()))
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), self.0.clone())
    }
}

/// That one request, without a page, is enough for it (RFC 8058).
#[derive(Clone)]
struct ListUnsubscribePost;

impl Header for ListUnsubscribePost {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("List-Unsubscribe-Post")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "List-Unsubscribe=One-Click".to_owned())
    }
}

impl ConfirmationMail<'_> {
    /// The message as it goes to the SMTP server: CRLF line ends, ASCII but for a UTF-8 address, lines under 998 octets.
    pub fn compose(self) -> Result<Vec<u8>, ComposeProblem> {
        let mut message = addressed(self.brand, self.to, &self.message_id, self.now)?;
        if let Some(url) = &self.unsubscribe_url {
            message = message
                .header(ListUnsubscribe(format!("<{url}>")))
                .header(ListUnsubscribePost);
        }
        let boundary = boundary(&self.message_id);
        let parts = self.parts();
        let subject = one_line(&Subject { parts: &parts }.render()?);
        let text = TextBody { parts: &parts }.render()?;
        let html = HtmlBody { parts: &parts }.render()?;
        finish(message.subject(subject), boundary, text, html)
    }

    fn parts(self) -> Parts {
        let t = Texts::of(self.language);
        let accent = Accent::of(&self.brand.declared.accent);
        let purposes = purposes_shown(self.content, self.language, |slug| {
            self.purposes.iter().any(|own| own.as_str() == slug)
        });
        let words = self.words(&t, &purposes);
        Parts {
            subject: words.subject,
            lead: words.lead,
            paragraphs: words.paragraphs,
            button: words.button,
            code_label: words.code_label,
            why: words.why,
            no: words.no,
            no_link: words.no_link,
            leave_button: self.ask.is_some_and(|ask| ask.kind == Kind::MergerNotice),
            brand: BrandView::of(self.brand),
            accent: accent
                .as_ref()
                .map_or_else(|| "#1f5f8b".to_owned(), |accent| accent.colour.clone()),
            accent_ink: accent.map_or("#ffffff", |accent| accent.ink).to_owned(),
            lang: t.language().to_owned(),
            dir: t.direction().to_owned(),
            t,
            purposes,
            name: self.name,
            confirm_url: self.confirm_url,
            decline_url: self.decline_url,
            about_url: self.about_url,
            code: self.code,
        }
    }
}

/// The fields that all our mails have.
fn addressed(
    brand: &Brand,
    to: &str,
    message_id: &str,
    now: Timestamp,
) -> Result<MessageBuilder, ComposeProblem> {
    let declared = &brand.declared;
    let from = Mailbox::new(Some(declared.name.clone()), parse(&declared.from_address)?);
    let message = Message::builder()
        .from(from)
        .to(Mailbox::new(None, parse(to)?))
        .date(system_time(now))
        .message_id(Some(format!("<{message_id}>")))
        .header(AutoSubmitted);
    Ok(match &declared.reply_to {
        Some(reply_to) => message.reply_to(Mailbox::new(None, parse(reply_to)?)),
        None => message,
    })
}

fn finish(
    message: MessageBuilder,
    boundary: String,
    text: String,
    html: String,
) -> Result<Vec<u8>, ComposeProblem> {
    let part = |kind: ContentType, body: String| {
        // Always the same encoding: lines stay short whatever the language, and the bytes are ASCII (RFC 2045, 6.7).
        let body = Body::new_with_encoding(body, ContentTransferEncoding::QuotedPrintable);
        SinglePart::builder()
            .header(kind)
            .body(body.unwrap_or_else(Body::new))
    };
    let alternatives = MultiPart::alternative()
        .boundary(boundary)
        .singlepart(part(ContentType::TEXT_PLAIN, text))
        .singlepart(part(ContentType::TEXT_HTML, html));
    Ok(message
        .multipart(alternatives)
        .map_err(|_| ComposeProblem::Message)?
        .formatted())
}

pub(super) fn parse(address: &str) -> Result<Address, ComposeProblem> {
    address.parse().map_err(|_| ComposeProblem::Address)
}

/// A subject has no line ends, whatever an operator wrote into a purpose's name.
pub(super) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Made from the Message-ID, so that a mail composed again has the same bytes.
fn boundary(message_id: &str) -> String {
    let id: String = message_id
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .take(32)
        .collect();
    format!("part-{id}")
}

pub(super) fn system_time(at: Timestamp) -> SystemTime {
    let micros = u64::try_from(at.micros()).unwrap_or(0);
    SystemTime::UNIX_EPOCH + Duration::from_micros(micros)
}
