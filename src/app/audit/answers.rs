//! Confirmations against what opened their requests: a request's row is signed by nobody, and whoever changes it makes the server
//! sign a confirmation of something else than what the person was shown.

use std::collections::HashMap;

use crate::domain::brand::Slug;
use crate::domain::event::{Event, Fact};
use crate::domain::ids::RequestId;
use crate::domain::time::Timestamp;

/// Problems of one contact that are told.
const TOLD_AT_MOST: usize = 20;

/// What a request asked for.
struct Opener {
    purposes: Vec<Slug>,
    expires_at: Timestamp,
    /// Two events opened the request; each reader might take another.
    twice: bool,
}

/// The requests of one contact, and what is wrong with the answers to them. The events come in the order of the log.
#[derive(Default)]
pub(super) struct Answers {
    openers: HashMap<RequestId, Opener>,
    pub problems: Vec<String>,
}

impl Answers {
    pub fn add(&mut self, event: &Event) {
        match &event.fact {
            Fact::SignedUp(signup) => {
                self.open(event, &signup.purposes, signup.confirmation_expires_at)
            }
            Fact::Invited(invited) if !invited.reminder => {
                self.open(event, &invited.purposes, invited.confirmation_expires_at);
            }
            // Its time was over, and the mail was asked for once more.
            Fact::MailRequested {
                confirmation_expires_at: Some(until),
                ..
            } => {
                let request = event.request;
                if let Some(opener) = request.and_then(|one| self.openers.get_mut(&one)) {
                    opener.expires_at = opener.expires_at.max(*until);
                }
            }
            Fact::Confirmed { purposes, .. } => {
                if let Some(problem) = self.problem(event, purposes)
                    && self.problems.len() < TOLD_AT_MOST
                {
                    let at = event.at;
                    self.problems
                        .push(format!("its confirmation of {at} {problem}"));
                }
            }
            _ => {}
        }
    }

    fn open(&mut self, event: &Event, purposes: &[Slug], expires_at: Timestamp) {
        let Some(request) = event.request else { return };
        self.openers
            .entry(request)
            .and_modify(|opener| opener.twice = true)
            .or_insert_with(|| Opener {
                purposes: purposes.to_vec(),
                expires_at,
                twice: false,
            });
    }

    fn problem(&self, event: &Event, purposes: &[Slug]) -> Option<String> {
        let opener = event.request.and_then(|request| self.openers.get(&request));
        let Some(opener) = opener else {
            return Some("answers a request that no signup and no invitation of it opened".into());
        };
        if opener.twice {
            return Some("answers a request that two events opened".into());
        }
        if let Some(other) = purposes.iter().find(|one| !opener.purposes.contains(one)) {
            return Some(format!("is for {other}, which its request did not ask for"));
        }
        let expires_at = opener.expires_at;
        (event.at >= expires_at)
            .then(|| format!("came after its request had expired at {expires_at}"))
    }
}
