//! What is kept of a contact for pages and mails, held against its events: its language, its name, and which request of it is open.

use crate::domain::event::{Event, Fact, MailFate};
use crate::domain::ids::RequestId;
use crate::domain::standing::{Standings, explicit_from};
use crate::store::contacts::Contact;

/// What the events of a contact say of that.
#[derive(Default)]
pub(super) struct Details {
    /// That of the first event, or of the last change.
    language: Option<String>,
    name: Seen,
    request: Seen,
}

/// Whether events gave something, and whether one of them gave what is kept.
#[derive(Default)]
struct Seen {
    is_given: bool,
    is_kept: bool,
}

impl Details {
    /// Takes in the next event; `standings` are those before it.
    pub fn add(&mut self, contact: &Contact, event: &Event, standings: &Standings) {
        match &event.fact {
            Fact::SignedUp(signup) => {
                self.began_in(&signup.language);
                let queued = signup.mail == MailFate::Queued;
                let takes_name = queued && explicit_from(standings).is_none();
                self.named(contact, signup.name.as_deref(), takes_name);
                if queued {
                    self.opened(contact, event.request);
                }
            }
            Fact::Imported(import) => {
                self.began_in(&import.language);
                let takes_name = !import.left && !import.told_again;
                self.named(contact, import.name.as_deref(), takes_name);
            }
            Fact::Confirmed { name, .. } => self.named(contact, name.as_deref(), true),
            Fact::LanguageChanged { to, .. } => self.language = Some(to.clone()),
            Fact::Invited(invited) if !invited.reminder => self.opened(contact, event.request),
            // The mail may be that of another request, which then stays the open one.
            Fact::MailRequested {
                mail: MailFate::Queued,
                ..
            } => {
                self.request.is_given = true;
                self.request.is_kept |= contact.open_request_id == event.request;
            }
            _ => {}
        }
    }

    fn began_in(&mut self, language: &str) {
        self.language.get_or_insert_with(|| language.to_owned());
    }

    /// An import's name is taken where there is none, and one of a signup where nothing was confirmed: which of several stays is
    /// not told again here.
    fn named(&mut self, contact: &Contact, name: Option<&str>, is_taken: bool) {
        self.name.is_given |= is_taken && name.is_some();
        self.name.is_kept |= name.is_some() && contact.name.as_deref() == name;
    }

    /// The newest takes the place of those before it.
    fn opened(&mut self, contact: &Contact, request: Option<RequestId>) {
        self.request = Seen {
            is_given: true,
            is_kept: contact.open_request_id == request,
        };
    }

    pub fn problems(&self, contact: &Contact) -> Vec<String> {
        let mut problems = Vec::new();
        let mut tell = |is_wrong: bool, problem: &str| {
            if is_wrong {
                problems.push(problem.to_owned());
            }
        };
        let language = self.language.as_ref();
        tell(
            language.is_some_and(|told| *told != contact.language),
            "the language that it is written to in is not the one that its events tell of",
        );
        tell(
            contact.name.is_some() && !self.name.is_kept,
            "its name is one that no event of it tells of",
        );
        tell(
            contact.name.is_none() && self.name.is_given,
            "its events tell of a name, and that is gone",
        );
        tell(
            contact.open_request_id.is_some() && !self.request.is_kept,
            "its newest request, by which its links and pages go on, is not the one that its events tell of",
        );
        tell(
            contact.open_request_id.is_none() && self.request.is_given,
            "its events tell of a request, and none is kept as its newest",
        );
        problems
    }
}
