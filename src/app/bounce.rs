//! What became of mail after a server took it: reports of other servers and of providers. Only what holds an address or a link
//! that nobody but we can have made is believed, whoever sends it (T34).

use std::sync::Arc;

use super::App;
use super::close::{Also, Closing, Ending, Happened, Look, Under, Which};
use super::permit::parse_address;
use super::record::read_all;
use super::withdraw::all_of;
use crate::domain::brand::{Brand, Slug};
use crate::domain::campaign::{self, Plan};
use crate::domain::envelope::{BOUNCE, Returned};
use crate::domain::event::{Bounced, Complained, Event, Fact};
use crate::domain::fate::{Severity, is_complaint};
use crate::domain::ids::ContactId;
use crate::domain::standing::{RequestState, State};
use crate::mail::bounce::{self, Action, Delivery, Kind, Report};
use crate::mail::inbound::{self, Answer};
use crate::store::contacts::Contact;
use crate::store::outbox::{self, Retry};
use crate::store::requests;
use crate::store::set::Writes;
use crate::store::{Conn, StoreError, campaigns, contacts, events};
use crate::telemetry;

/// Events that are in memory together where mails that came back are counted.
const PAGE: i64 = 500;
/// Texts of one report that are held against the key.
const TRIED_AT_MOST: usize = 100;

/// A mail that came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub severity: Severity,
    /// RFC 3463.
    pub status: String,
    pub said: String,
    pub reporter: String,
    /// The id under which it was told, by a provider or in a report; empty where the mail was refused while it was handed over.
    pub report: String,
    pub mail: Told,
}

/// Which mail came back. One that does so for the time being is counted once, however many reports tell of it: an alias leads to
/// five mailboxes, and each of their servers writes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// By its Message-ID.
    Mail(String),
    /// A report that returns nothing of the mail: it may be any of the request's, and is taken for the same one.
    Unnamed,
    /// A provider's own word, which it gives once for each mail.
    Once,
}

impl Told {
    fn which(&self) -> Which<'_> {
        match self {
            Self::Mail(id) => Which::Named(id),
            Self::Unnamed => Which::Unnamed,
            Self::Once => Which::Any,
        }
    }

    fn named(&self) -> Option<String> {
        match self {
            Self::Mail(id) => Some(id.clone()),
            Self::Unnamed | Self::Once => None,
        }
    }
}

/// A mail that is given up since its recipient was refused.
#[derive(Clone, Debug)]
pub(super) struct GivenUp {
    /// That it failed.
    pub fact: Fact,
    pub retry: Retry,
}

/// A complaint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint {
    /// RFC 5965, in lower case.
    pub feedback: String,
    pub reporter: String,
    /// The provider's id of what it told by webhook, else empty.
    pub report: String,
}

/// What a report came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// The mail came back for good: the request ended, and nothing is sent there any more.
    Hard,
    /// For the time being; it is counted.
    Soft,
    /// The person left.
    Complaint,
    /// It had all been told before.
    Again,
    /// It tells that the mail arrived, or that a server still tries.
    Underway,
    /// The feedback is not that the mail was unwanted.
    NoComplaint,
    /// It holds nothing that we made, so it changes nothing.
    NotOurs,
    /// Whose mail it was is not there any more.
    Gone,
    /// It is no report.
    NoReport,
}

impl Taken {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hard => "hard",
            Self::Soft => "soft",
            Self::Complaint => "complaint",
            Self::Again => "again",
            Self::Underway => "underway",
            Self::NoComplaint => "no_complaint",
            Self::NotOurs => "not_ours",
            Self::Gone => "gone",
            Self::NoReport => "no_report",
        }
    }
}

/// Whose mail a report is about.
#[derive(Clone, Debug)]
pub struct Subject {
    pub brand: Arc<Brand>,
    pub of: Returned,
}

impl App {
    /// Takes a message that may be a report. `recipient` is the envelope's, where it is known. When this returns, what it
    /// changed is on disk.
    pub async fn take_report(
        &self,
        message: &[u8],
        recipient: Option<&str>,
    ) -> Result<Taken, StoreError> {
        let taken = match bounce::read(message) {
            None => Taken::NoReport,
            Some(report) => match self.subject_of(&report, recipient) {
                None => Taken::NotOurs,
                Some(subject) => self.take(&subject, report).await?,
            },
        };
        metrics::counter!(telemetry::REPORTS, "report" => taken.as_str()).increment(1);
        Ok(taken)
    }

    async fn take(&self, subject: &Subject, report: Report) -> Result<Taken, StoreError> {
        let reporter = report.reporter;
        match report.kind {
            Kind::Feedback(feedback) if !is_complaint(&feedback) => Ok(Taken::NoComplaint),
            Kind::Feedback(feedback) => {
                let complaint = Complaint {
                    feedback,
                    reporter,
                    report: String::new(),
                };
                self.take_complaint(subject, complaint).await
            }
            Kind::Delivery(told) => {
                let arrived = told
                    .iter()
                    .any(|one| matches!(one.action, Action::Delivered | Action::Relayed));
                let failed = told.into_iter().filter(|one| one.action == Action::Failed);
                // Each of our mails has one recipient; of several the worst counts.
                let worst = failed.max_by_key(|one| one.severity() == Severity::Hard);
                let Some(worst) = worst else {
                    return Ok(Taken::Underway);
                };
                // One that is not there behind an alias or a forward says nothing for good of the address that we know.
                let theirs = !arrived && self.is_theirs(subject, &worst).await?;
                let failure = Failure {
                    severity: if theirs {
                        worst.severity()
                    } else {
                        Severity::Soft
                    },
                    status: worst.status,
                    said: worst.said,
                    reporter,
                    report: report.id,
                    mail: report.mail.map_or(Told::Unnamed, Told::Mail),
                };
                self.take_bounce(subject, failure).await
            }
        }
    }

    /// Whether a report is about the contact's own address, or names none.
    async fn is_theirs(&self, subject: &Subject, told: &Delivery) -> Result<bool, StoreError> {
        let Some(named) = &told.final_recipient else {
            return Ok(true);
        };
        let Some(id) = self.contact_of(subject).await? else {
            return Ok(true);
        };
        let mut conn = self.store.read().await?;
        let found = contacts::find_by_id(&mut conn, subject.brand.id, id).await?;
        Ok(found.is_none_or(|contact| {
            contact.address.eq_ignore_ascii_case(named)
                || parse_address(named).is_ok_and(|named| named.key() == contact.address_key)
        }))
    }

    /// Whether mail to this address is ours to take: it is the envelope sender of one of our mails, or where complaints go.
    fn takes_mail_to(&self, recipient: &str) -> bool {
        self.is_for_feedback(recipient) || self.returned(recipient).is_some()
    }

    /// Whether providers were given this address for their feedback reports. It says nothing of whose mail one is about.
    fn is_for_feedback(&self, recipient: &str) -> bool {
        let mut known = self.config.bounces.feedback.iter();
        known.any(|address| address.eq_ignore_ascii_case(recipient))
    }

    /// Whose mail has this envelope sender.
    pub fn returned(&self, address: &str) -> Option<Subject> {
        let (number, of) = self.keys.returned(address)?;
        let brand = self.catalog().brand_by_number(number)?.clone();
        Some(Subject { brand, of })
    }

    /// The first address or link in a report that is genuine.
    fn subject_of(&self, report: &Report, recipient: Option<&str>) -> Option<Subject> {
        if let Some(found) = recipient.and_then(|address| self.returned(address)) {
            return Some(found);
        }
        // Links to leave travel with mails that people pass on. Where each mail has an envelope sender of its own, that vouches for a
        // delivery report, and no link does.
        let by_link =
            self.config.bounces.domain.is_none() || matches!(report.kind, Kind::Feedback(_));
        let places = report.places.iter();
        let candidates = places.flat_map(|text| addresses_in(text).chain(links_in(text)));
        candidates
            .take(TRIED_AT_MOST)
            .find_map(|found| match found {
                Found::Address(address) => self.returned(address),
                Found::Link(_) if !by_link => None,
                Found::Link(token) => {
                    let known = self.unsubscribing(token)?;
                    let catalog = self.catalog();
                    let brand = catalog.brand_by_number(known.token.brand)?.clone();
                    let of = Returned::Contact(ContactId(known.token.subject));
                    Some(Subject { brand, of })
                }
            })
    }

    pub(super) async fn contact_of(
        &self,
        subject: &Subject,
    ) -> Result<Option<ContactId>, StoreError> {
        let mut conn = self.store.read().await?;
        let brand = subject.brand.id;
        Ok(match subject.of {
            Returned::Request(id) => {
                let found = requests::find(&mut conn, brand, id).await?;
                found.map(|request| request.contact_id)
            }
            Returned::Contact(id) => contacts::find_by_id(&mut conn, brand, id)
                .await?
                .map(|contact| contact.id),
        })
    }

    /// A mail came back. For good: its request ends, and nothing is sent to the mailbox any more. For the time being: it is
    /// counted once, and from the limit on it is for good.
    pub async fn take_bounce(
        &self,
        subject: &Subject,
        failure: Failure,
    ) -> Result<Taken, StoreError> {
        self.bounced(subject, failure, None).await
    }

    /// For which purposes a mail was the notice of a merger. Once a reminder was sent it may as well be that one.
    async fn notice_of(&self, subject: &Subject) -> Result<Vec<Slug>, StoreError> {
        let Returned::Request(request) = subject.of else {
            return Ok(Vec::new());
        };
        let mut conn = self.store.read().await?;
        let found = campaigns::list_of_requests(&mut conn, &[(subject.brand.id, request)]).await?;
        let first = found.first().filter(|one| one.reminded_at.is_none());
        let plan = first.and_then(|one| serde_json::from_str::<Plan>(&one.plan).ok());
        let notice = plan.filter(|plan| plan.kind == campaign::Kind::MergerNotice);
        Ok(notice.map(|plan| plan.purpose).into_iter().collect())
    }

    /// The same of a mail whose recipient a server refused while it was handed over: that the mail is given up is written with it.
    pub(super) async fn bounced(
        &self,
        subject: &Subject,
        failure: Failure,
        given_up: Option<&GivenUp>,
    ) -> Result<Taken, StoreError> {
        let Some(contact) = self.contact_of(subject).await? else {
            return Ok(Taken::Gone);
        };
        let limit = self.config.bounces.soft_limit;
        let request = match subject.of {
            Returned::Request(id) => Some(id),
            Returned::Contact(_) => None,
        };
        let closing = Closing {
            ending: Ending::All,
            state: RequestState::Bounced,
            suppress: Some("bounced"),
            request,
            report: &failure.report,
            look: match failure.severity {
                Severity::Hard => Look::Nothing,
                // Counted under the lock: of reports that come at once, one is the last that the limit takes.
                Severity::Soft => Look::Passing {
                    limit,
                    which: failure.mail.which(),
                },
            },
        };
        let notice_for = self.notice_of(subject).await?;
        let decide = |under: Under<'_>| {
            let mut standings = under.contact.standings.values();
            // Lifted by another name of the mailbox, it is to be suppressed again.
            let known = (under.suppressed || under.address_only)
                && !under.contact.standings.is_empty()
                && standings.all(|standing| standing.undeliverable_since.is_some());
            let mut facts: Vec<Fact> = given_up.iter().map(|one| one.fact.clone()).collect();
            if under.told || known && under.ending.is_empty() {
                return Happened::only(facts);
            }
            let hard = under.passing.is_none_or(|times| times >= limit);
            let bounced = Bounced {
                hard,
                status: failure.status.clone(),
                said: failure.said.clone(),
                reporter: failure.reporter.clone(),
                report: failure.report.clone(),
                mail: failure.mail.named(),
                passing: under.passing,
                replaces: under.replaces.map(str::to_owned),
                address_only: hard && under.address_only,
                notice_for: notice_for.clone(),
            };
            facts.push(Fact::Bounced(Box::new(bounced)));
            Happened::only(facts)
        };
        let also = |writes: &mut Writes| {
            if let Some(one) = given_up {
                outbox::retry(
                    writes,
                    self.store.engine(),
                    std::slice::from_ref(&one.retry),
                );
            }
        };
        let also = Also {
            request: given_up.and(request),
            write: &also,
        };
        let happened = self
            .close_with(&subject.brand, contact, closing, decide, also)
            .await?;
        let Some(happened) = happened else {
            return Ok(Taken::Gone);
        };
        let told = happened.facts.iter().find_map(|fact| match fact {
            Fact::Bounced(bounced) => Some(bounced.hard),
            _ => None,
        });
        Ok(match told {
            None => Taken::Again,
            Some(true) => Taken::Hard,
            Some(false) => Taken::Soft,
        })
    }

    /// The person called a mail unwanted: everything is left, and nothing is sent to the mailbox any more. That holds for whoever
    /// had left before as well: leaving alone does not suppress the mailbox. Told again, it changes nothing more, until an
    /// operator has lifted the suppression.
    pub async fn take_complaint(
        &self,
        subject: &Subject,
        complaint: Complaint,
    ) -> Result<Taken, StoreError> {
        let Some(contact) = self.contact_of(subject).await? else {
            return Ok(Taken::Gone);
        };
        let closing = Closing {
            ending: Ending::All,
            state: RequestState::Left,
            suppress: Some("complained"),
            request: match subject.of {
                Returned::Request(id) => Some(id),
                Returned::Contact(_) => None,
            },
            report: &complaint.report,
            look: Look::Complaint,
        };
        let brand = &subject.brand;
        let decide = |under: Under<'_>| {
            if under.told {
                return Happened::default();
            }
            let mut purposes = all_of(brand, &under);
            // What the person left before was left then.
            purposes.retain(|purpose| {
                let standing = under.contact.standings.get(purpose);
                !standing.is_some_and(|one| one.state == State::Withdrawn && one.left_all)
            });
            let nothing_left = under.ending.is_empty() && purposes.is_empty();
            if nothing_left && under.suppressed && under.complained {
                return Happened::default();
            }
            let complained = Complained {
                purposes,
                feedback: complaint.feedback.clone(),
                reporter: complaint.reporter.clone(),
                report: complaint.report.clone(),
                replaces: under.replaces.map(str::to_owned),
            };
            Happened::only(vec![Fact::Complained(Box::new(complained))])
        };
        let happened = self.close(brand, contact, closing, decide).await?;
        Ok(match happened {
            None => Taken::Gone,
            Some(happened) if happened.facts.is_empty() => Taken::Again,
            Some(_) => Taken::Complaint,
        })
    }

    /// Takes reports by LMTP or SMTP until `stop` is done.
    pub async fn take_reports(
        self: Arc<Self>,
        listener: tokio::net::TcpListener,
        stop: impl Future<Output = ()>,
    ) {
        let door = self.clone();
        let knows = move |recipient: &str| door.takes_mail_to(recipient);
        let take = move |recipient: String, message: Arc<Vec<u8>>| {
            let app = self.clone();
            async move {
                let recipient = Some(recipient.as_str()).filter(|one| !app.is_for_feedback(one));
                match app.take_report(&message, recipient).await {
                    Ok(_) => Answer::Taken,
                    Err(error) => {
                        tracing::error!(%error, "a report about a mail could not be written");
                        Answer::Later
                    }
                }
            }
        };
        inbound::serve(listener, knows, take, stop).await;
    }
}

/// How many mails in a row came back for the time being since the person last did something, or an operator let the brand write to
/// the mailbox again. To be counted under the contact's lock.
pub(super) async fn passing(conn: &mut Conn, contact: &Contact) -> Result<u32, StoreError> {
    let (brand, id) = (contact.brand_id, contact.id);
    let mut before = i64::MAX;
    let mut count: u32 = 0;
    loop {
        let page = events::list_returned(conn, brand, id, before, PAGE).await?;
        let Some(last) = page.last() else {
            return Ok(count);
        };
        before = last.position;
        for Event { fact, .. } in read_all(&page)? {
            match fact {
                Fact::Bounced(bounced) => count += u32::from(!bounced.hard),
                _ => return Ok(count),
            }
        }
    }
}

/// What looks like one of ours.
enum Found<'a> {
    Address(&'a str),
    Link(&'a str),
}

fn addresses_in(text: &str) -> impl Iterator<Item = Found<'_>> {
    let lower = text.to_ascii_lowercase();
    let starts: Vec<usize> = lower.match_indices(BOUNCE).map(|found| found.0).collect();
    starts.into_iter().map(|at| {
        let rest = &text[at..];
        let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || "+@.-".contains(c)));
        Found::Address(&rest[..end.unwrap_or(rest.len())])
    })
}

fn links_in(text: &str) -> impl Iterator<Item = Found<'_>> {
    text.split("/u/").skip(1).map(|rest| {
        let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || "._-".contains(c)));
        Found::Link(&rest[..end.unwrap_or(rest.len())])
    })
}
