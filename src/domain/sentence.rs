//! Events in words, for operators and auditors: the timeline, the report and the admin pages tell the same story.

use super::added::ProofAdded;
use super::brand::Slug;
use super::campaign::{Invited, Kind};
use super::circumstances::Circumstances;
use super::event::{
    Bounced, ErasedBy, Event, Fact, Grade, HandedOut, LeftBy, Link, MailFate, SignedUp, Through,
};
use super::import::Imported;
use super::leaving::SCOPE_ALL;
use super::operator::Deed;
use super::policy::Verdict;
use super::scanner::Signal;

fn from(circumstances: &Circumstances) -> String {
    circumstances
        .ip
        .map_or_else(String::new, |ip| format!(" from {ip}"))
}

fn signals(found: &[Signal]) -> String {
    let words: Vec<&str> = found
        .iter()
        .map(|signal| match signal {
            Signal::PressedAtOnce => "pressed within two seconds of its page",
            Signal::OpenedAllLinks => "opened all links of the mail within seconds",
            Signal::SeveralPeople => "opened several people's links within a minute",
            Signal::NoPage => "pressed a button whose page nobody is known to have opened",
        })
        .collect();
    words.join("; ")
}

fn listed(purposes: &[Slug]) -> String {
    let names: Vec<&str> = purposes.iter().map(Slug::as_str).collect();
    names.join(", ")
}

const fn verdict(of: Verdict) -> &'static str {
    match of {
        Verdict::Accept => "implicit consent",
        Verdict::ConfirmFirst => "waits for confirmation",
        Verdict::Refuse => "no consent from it",
    }
}

fn asked(invited: &Invited) -> String {
    let what = match (invited.reminder, invited.campaign_kind) {
        (true, _) => "Reminded of the request to confirm",
        (false, Kind::Invitation) => "Invited to confirm",
        (false, Kind::Reconfirmation) => "Asked again to confirm",
        (false, Kind::MergerNotice) => "Told of the merger, and asked to stay or to leave",
    };
    let by = if invited.released {
        "; an operator released it by name"
    } else {
        ""
    };
    if let Some(term) = &invited.due {
        let ends = invited.ends_unanswered_at.map_or_else(
            || "without an answer consent stays".to_owned(),
            |at| format!("without an answer consent ends at {}", at.to_the_minute()),
        );
        return format!(
            "{what} {} by campaign {}, since the brand asks again {}; {ends}; {}.",
            listed(&invited.purposes),
            invited.campaign,
            term.words(),
            fate(invited.mail),
        );
    }
    format!(
        "{what} {} by campaign {}: rule {}, outreach {}{by}; {}.",
        listed(&invited.purposes),
        invited.campaign,
        invited.judgement.rule.id(),
        invited.judgement.outreach.as_str(),
        fate(invited.mail),
    )
}

fn imported(import: &Imported) -> String {
    if import.left {
        return format!(
            "An import told that the person left {} (line {} of import {}): a withdrawal as the operator tells it, by rule D3.",
            listed(&import.purposes),
            import.line,
            import.import
        );
    }
    let sources: Vec<&str> = import
        .claims
        .iter()
        .map(|claim| claim.source().as_str())
        .collect();
    if import.told_again {
        return format!(
            "An import told again what the brand knew of {} as {} (line {} of import {}): it gives nothing anew.",
            listed(&import.purposes),
            sources.join(" and "),
            import.line,
            import.import
        );
    }
    let judgement = &import.judgement;
    let given = match import.gives(judgement.facts.as_of) {
        Some(given) if given.grade == Some(Grade::ApiClaim) => "explicit consent, as is claimed",
        _ => verdict(judgement.verdict),
    };
    let until = judgement
        .valid_until
        .filter(|_| judgement.verdict == Verdict::Accept)
        .map_or_else(String::new, |until| {
            format!(" until {}", until.to_the_minute())
        });
    let elsewhere = match &import.elsewhere {
        Some(said) if said.tells_of_a_confirmation() => {
            " Another system is said to have confirmed the address; that was not seen here."
        }
        _ => "",
    };
    format!(
        "Imported for {} as {} (line {} of import {}): {given}{until} by rule {}. {}{elsewhere}",
        listed(&import.purposes),
        sources.join(" and "),
        import.line,
        import.import,
        judgement.rule.id(),
        judgement.why,
    )
}

/// Proof that came later, with what it is good for.
fn proof_added(proof: &ProofAdded) -> String {
    let added = proof.added.iter();
    let added: Vec<String> = added.map(|(key, value)| format!("{key} {value}")).collect();
    let judgement = &proof.judgement;
    let given = match proof.gives(judgement.facts.as_of) {
        Some(given) if given.grade == Some(Grade::ApiClaim) => "explicit consent, as is claimed",
        _ => verdict(judgement.verdict),
    };
    let until = judgement
        .valid_until
        .filter(|_| judgement.verdict == Verdict::Accept)
        .map_or_else(String::new, |until| {
            format!(" until {}", until.to_the_minute())
        });
    let given = if proof.nothing_new {
        "It gives nothing anew,".to_owned()
    } else {
        format!("With it {given}{until}")
    };
    format!(
        "{} added proof {} to the source {} for {} (line {} of import {}): {}. {given} by rule {}. {}",
        proof.by,
        way(proof.through),
        proof.claim.source().as_str(),
        listed(&proof.purposes),
        proof.line,
        proof.import,
        added.join(", "),
        judgement.rule.id(),
        judgement.why,
    )
}

/// What a booth's tablet, or a program that passed it on, says of a signup.
fn at_booth(signup: &SignedUp) -> String {
    if let Some(passed_on) = &signup.passed_on {
        let at = passed_on.entered_at.map_or_else(String::new, |at| {
            format!(", by its word entered at {}", at.to_the_minute())
        });
        return format!(
            " as a program of the operator's says (API key {}{at})",
            passed_on.key
        );
    }
    match (signup.kiosk, signup.entered_at, signup.clock_said) {
        (false, ..) => String::new(),
        (true, None, None) => " at a booth".to_owned(),
        (true, None, Some(said)) => format!(
            " at a booth, without a connection and sent later, at a time that is not known: its tablet's clock was wrong and said {}",
            said.to_the_minute()
        ),
        (true, Some(at), Some(said)) => format!(
            " at a booth on {}, by its tablet's clock, which said {} and was put right, without a connection and sent later",
            at.to_the_minute(),
            said.to_the_minute()
        ),
        (true, Some(at), None) => format!(
            " at a booth, by its tablet's clock on {}, without a connection and sent later",
            at.to_the_minute()
        ),
    }
}

/// One event as a sentence.
pub fn sentence(event: &Event) -> String {
    match &event.fact {
        Fact::SignedUp(signup) => {
            let verdict = verdict(signup.ruling.verdict);
            let version: String = signup.form_version.as_str().chars().take(12).collect();
            format!(
                "Signed up for {} on form \"{}\" (version {version}, {}){}{}: {verdict} by rule {}; {}.{}",
                listed(&signup.purposes),
                signup.form,
                signup.language,
                at_booth(signup),
                from(&signup.circumstances),
                signup.ruling.rule.id(),
                fate(signup.mail),
                left_before(&signup.left),
            )
        }
        Fact::Imported(import) => imported(import),
        Fact::ImportWithdrawn { import, .. } => {
            format!("The operator took the import {import} back; nothing rests on it any more.")
        }
        Fact::ProofAdded(added) => proof_added(added),
        Fact::Invited(invited) => asked(invited),
        Fact::Lapsed {
            purposes,
            until,
            explicit: true,
            ..
        } => format!(
            "Explicit consent to {} ended at {} by rule D7: its term was over, the person was asked again and told that no answer ends it, and did not answer.",
            listed(purposes),
            until.to_the_minute()
        ),
        Fact::Lapsed {
            purposes,
            until,
            campaign: Some(_),
            ..
        } => format!(
            "Implicit consent to {} ended at {}: the person was asked to confirm it by then and did not answer.",
            listed(purposes),
            until.to_the_minute()
        ),
        Fact::Lapsed {
            purposes, until, ..
        } => format!(
            "Implicit consent to {} lapsed by rule D2: it held until {}.",
            listed(purposes),
            until.to_the_minute()
        ),
        Fact::MailRequested {
            mail,
            confirmation_expires_at,
            circumstances,
        } => {
            let until = confirmation_expires_at.map_or_else(String::new, |until| {
                format!(
                    " The request is open again until {}.",
                    until.to_the_minute()
                )
            });
            format!(
                "Asked for the mail again{}; {}.{until}",
                from(circumstances),
                fate(*mail)
            )
        }
        Fact::MailAccepted {
            message_id,
            reply,
            tries,
            template,
            ..
        } if template == "preferences" => format!(
            "The mail server took the mail with the link to the preferences <{message_id}> at try {tries} and said: {}",
            reply.trim()
        ),
        Fact::MailAccepted {
            message_id,
            reply,
            tries,
            ..
        } => format!(
            "The mail server took the confirmation mail <{message_id}> at try {tries} and said: {}",
            reply.trim()
        ),
        Fact::MailFailed {
            reason,
            tries,
            ambiguous,
            ..
        } => format!(
            "The confirmation mail was given up after {tries} tries: {}{}",
            reason.trim(),
            if *ambiguous {
                " (an earlier try may have reached the server)"
            } else {
                ""
            }
        ),
        Fact::LinkOpened {
            link,
            method,
            same_browser,
            circumstances,
        } => format!(
            "The link {} was opened by {method}{}{}.",
            match link {
                Link::Confirm => "to confirm",
                Link::Decline => "\"This was not me\"",
                Link::About => "\"About this mail\"",
                Link::Unsubscribe => "to leave",
                Link::Preferences => "to the preferences",
            },
            from(circumstances),
            if *same_browser {
                " in the browser that signed up"
            } else {
                ""
            }
        ),
        Fact::CodeAsked {
            signals: found,
            declining,
            circumstances,
        } => format!(
            "A press{} did not {}, it looked like a program's ({}); the code was asked for.",
            from(circumstances),
            if *declining { "decline" } else { "confirm" },
            signals(found)
        ),
        Fact::CodeWrong {
            tries,
            circumstances,
        } => {
            format!(
                "A wrong code was typed{} (number {tries}).",
                from(circumstances)
            )
        }
        Fact::Confirmed {
            purposes,
            grade,
            name,
            circumstances,
            ..
        } => {
            format!(
                "Confirmed {} {}{}: explicit consent by rule G3.{}",
                listed(purposes),
                match grade {
                    Grade::Code => "with the code from the mail",
                    Grade::SameBrowser => "in the browser that signed up",
                    Grade::LinkButton => "by the button behind the link",
                    Grade::ApiClaim => "elsewhere, as is claimed",
                },
                from(circumstances),
                if name.is_some() {
                    " The name given at that signup holds from now on."
                } else {
                    ""
                }
            )
        }
        Fact::Declined { circumstances, .. } => format!(
            "Said \"this was not me\"{}: no further mail to this mailbox.",
            from(circumstances)
        ),
        Fact::Withdrawn {
            purposes,
            scope,
            method,
            by,
            reason,
            circumstances,
            told_by,
            ..
        } => format!(
            "{} {}{}{}{}{}.",
            match by {
                Some(LeftBy::Operator) => "An operator wrote down that the person left",
                Some(LeftBy::Person) | None => "Left",
            },
            left(purposes, scope),
            method.map_or_else(String::new, |method| format!(" {}", method.says())),
            told_by
                .as_ref()
                .map_or_else(String::new, |told| format!(" ({})", told.reporter)),
            from(circumstances),
            reason
                .as_ref()
                .map_or_else(String::new, |reason| format!(": {reason}")),
        ),
        Fact::PurposeChanged(change) => format!(
            "Said yes to {} on the preferences page ({}){}: explicit consent by rule G3.",
            listed(&change.purposes),
            change.language,
            from(&change.circumstances)
        ),
        Fact::Paused {
            until: Some(until),
            circumstances,
        } => format!(
            "Asked for no mail before {}{}.",
            until.to_the_minute(),
            from(circumstances)
        ),
        Fact::Paused {
            until: None,
            circumstances,
        } => format!("Ended the pause{}.", from(circumstances)),
        Fact::LanguageChanged {
            from: old,
            to,
            circumstances,
        } => format!(
            "Changed the language from {old} to {to}{}.",
            from(circumstances)
        ),
        Fact::Bounced(bounced) => bounce(bounced),
        Fact::Complained(complaint) if complaint.purposes.is_empty() => format!(
            "A provider reported a complaint ({}) about a mail of the person, who had left everything before: nothing is sent to this mailbox any more.",
            complaint.feedback
        ),
        Fact::Complained(complaint) => format!(
            "A provider reported a complaint ({}) about a mail: the person leaves {}, and nothing is sent to this mailbox any more.",
            complaint.feedback,
            listed(&complaint.purposes)
        ),
        Fact::Suppressed { reason, .. } => format!(
            "An operator keeps the brand from writing to this mailbox from now on: {reason}"
        ),
        Fact::SuppressionLifted { was, reason } => format!(
            "An operator lets the brand write to this mailbox again (it was kept from it: {was}): {reason}"
        ),
        Fact::OperatorNote { by, through, note } => format!(
            "{by} wrote down {}: {}",
            way(*through),
            note.replace('\n', " ")
        ),
        Fact::LegalHold { reason, until } => format!(
            "An owner keeps what is known of this contact for a claim: until {} it is neither erased nor removed: {reason}",
            until.to_the_minute()
        ),
        Fact::LegalHoldLifted { reason } => {
            format!("An owner lifted the legal hold before its time: {reason}")
        }
        Fact::ErasureWished {
            taken_back: false,
            circumstances,
        } => format!(
            "Asked to be erased{} while a legal hold kept this contact: it is done by itself once none does.",
            from(circumstances)
        ),
        Fact::ErasureWished {
            taken_back: true,
            circumstances,
        } => format!("Took the wish to be erased back{}.", from(circumstances)),
        Fact::Expired => "Nobody answered in time; this request ended.".to_owned(),
        Fact::Reminded { mail } => format!(
            "Nobody had answered yet, and the form reminds once; {}.",
            fate(*mail)
        ),
        Fact::AddressChanged { circumstances, .. } => format!(
            "The person who signed up corrected the address{}; this request ended.",
            from(circumstances)
        ),
        Fact::Replaced => "A newer request took the place of this one.".to_owned(),
        Fact::Erased {
            by,
            through,
            events,
            sealed,
            reason,
            ..
        } => erased(*by, *through, *events, *sealed, reason.as_deref()),
        Fact::LeftTold(told) => format!(
            "An import told of {} people whom the brand does not know that they left (import {}, its part behind row {}).",
            told.rows, told.import, told.part
        ),
        Fact::LeftForgotten { import, rows } => format!(
            "Import {import} was taken back, and that it had told of {rows} people that they left is forgotten."
        ),
        Fact::SealOpened { by, reason } => {
            format!("What the erasure had sealed was opened by {by}: {reason}")
        }
        Fact::SealDeleted => {
            "What the erasure had sealed was deleted, its term is over.".to_owned()
        }
        Fact::Exported { what, through } => format!(
            "{} {}.",
            match what {
                HandedOut::Bundle => "The evidence was handed out as a bundle",
                HandedOut::Story => "The evidence was handed out as a story",
                HandedOut::Data => "All that is kept was handed out as data",
            },
            way(*through)
        ),
        Fact::OperatorActed {
            operator,
            deed,
            on,
            circumstances,
        } => {
            let on = on.as_ref().map_or_else(String::new, |on| format!(": {on}"));
            format!(
                "{operator} {}{}{on}.",
                Deed::parse(deed).map_or(deed.as_str(), |deed| deed.says()),
                from(circumstances)
            )
        }
    }
}

/// What a signup gives nothing for, since a list had told that the person left it.
fn left_before(purposes: &[Slug]) -> String {
    if purposes.is_empty() {
        return String::new();
    }
    let listed = listed(purposes);
    format!(
        " A list had told that the person left {listed}: for that it gives nothing before it is confirmed."
    )
}

fn left(purposes: &[Slug], scope: &str) -> String {
    if scope == SCOPE_ALL {
        format!("everything ({})", listed(purposes))
    } else {
        listed(purposes)
    }
}

fn bounce(bounced: &Bounced) -> String {
    let for_good = match (bounced.hard, bounced.passing) {
        (true, None) => "for good".to_owned(),
        (true, Some(times)) => format!("for the {times}th time in a row, which counts as for good"),
        (false, times) => format!("for the time being ({} in a row)", times.unwrap_or(1)),
    };
    let said = match bounced.said.trim() {
        "" => String::new(),
        said => format!(": {said}"),
    };
    format!("A mail came back {for_good} ({}){said}", bounced.status)
}

fn erased(
    by: ErasedBy,
    through: Through,
    events: i64,
    sealed: bool,
    reason: Option<&str>,
) -> String {
    let who = match by {
        ErasedBy::Operator => "at the wish of an operator",
        ErasedBy::Person => "at the wish of the person",
        ErasedBy::Term => "since it was never confirmed and its term was over",
    };
    let way = way(through);
    let kept = if sealed {
        format!(
            "what they held is kept sealed ({})",
            reason.unwrap_or("no reason was stated")
        )
    } else {
        "nothing of it is kept".to_owned()
    };
    format!("Erased {who}, {way}: {events} events were emptied; {kept}.")
}

const fn way(through: Through) -> &'static str {
    match through {
        Through::CommandLine => "on the command line",
        Through::AdminPages => "on the admin pages",
        Through::Api => "over the API",
        Through::PreferencesPage => "on the preferences page",
        Through::Clockwork => "by the clockwork",
    }
}

const fn fate(mail: MailFate) -> &'static str {
    match mail {
        MailFate::Queued => "a confirmation mail was queued",
        MailFate::OverBudget => "no mail, the budget was used up",
        MailFate::Suppressed => "no mail, the mailbox is suppressed",
        MailFate::Bot => "no mail, the form was filled in by a program",
        MailFate::Replaced => "no mail, another request of the contact took its place",
    }
}
