//! What needs a person, on the overview.

use super::grouped;
use crate::app::due_again::COUNTED_UP_TO;
use crate::app::overview::Overview;

/// Something that needs a person.
pub struct Task {
    pub what: String,
    /// The words of a server or of a file.
    pub words: Option<String>,
    pub mend: String,
    /// A page that mends it.
    pub link: Option<(&'static str, &'static str)>,
}

/// What needs a person, the worst first.
pub fn tasks(overview: &Overview) -> Vec<Task> {
    let ready = &overview.ready;
    let mut tasks = Vec::new();
    let mut add = |what: String, words: Option<String>, mend: &str, link| {
        tasks.push(Task {
            what,
            words,
            mend: mend.to_owned(),
            link,
        });
    };
    if let Some(held) = &ready.sending_held {
        add(
            format!("No mail leaves: {}.", held.why),
            None,
            "This copy does not know the withdrawals and erasures since. Enter them again, or put the newest copy back; then the command countersign restored accept lets mail leave.",
            Some(("/admin/evidence", "What this means")),
        );
    }
    for one in ready.witnesses.iter().filter(|one| one.in_doubt) {
        add(
            format!(
                "The log is in doubt. The witness {} has seen another history of it: {}.",
                one.witness,
                one.problem
                    .as_deref()
                    .unwrap_or_default()
                    .trim_end_matches('.')
            ),
            None,
            "Put the newest copy of the database back before anything else is signed.",
            Some(("/admin/evidence", "Evidence")),
        );
    }
    let waiting = ready.log_waiting.as_ref().map(|waiting| waiting.sentence());
    if let Some(text) = waiting.as_ref().or(ready.log_problem.as_ref()) {
        add(
            format!("The log of evidence does not go on: {text}."),
            None,
            "Events are recorded and wait for it. Have the whole log checked to see what is wrong; countersign verify --log does the same.",
            Some(("/admin/evidence", "Check the log")),
        );
    }
    if let Some(at) = ready.breaker.open_since {
        add(
            format!(
                "Suddenly few people confirm, so somebody may be signing up people who did not ask. Since {} confirmation mails are held; none is lost.",
                at.to_the_minute()
            ),
            None,
            "If these signups are genuine, let the mails go, here or with countersign breaker release.",
            Some(("/admin/delivery?show=held", "Held mails")),
        );
    }
    if let Some(text) = &ready.last_smtp_problem {
        add(
            "Mail does not leave at the moment. The server's words:".to_owned(),
            Some(text.clone()),
            "Waiting mails are tried again by themselves.",
            Some(("/admin/delivery", "Delivery")),
        );
    }
    if ready.mails_failed > 0 {
        add(
            format!(
                "Mails that failed for good: {}.",
                grouped(ready.mails_failed)
            ),
            None,
            "Read what the server said, mend it, and have them tried again.",
            Some(("/admin/delivery?show=failed", "Failed mails")),
        );
    }
    for one in &ready.timestamps {
        if let Some(problem) = one.problem.as_ref().filter(|_| one.failures > 2) {
            add(
                format!(
                    "The authority {} gave no timestamp {} times.",
                    one.authority, one.failures
                ),
                Some(problem.clone()),
                "It is asked again by itself; another authority can stand beside it in the settings.",
                Some(("/admin/evidence", "Evidence")),
            );
        }
    }
    for (brand, purpose, contacts) in &overview.due_again {
        let many = if *contacts >= COUNTED_UP_TO {
            "1,000 or more".to_owned()
        } else {
            contacts.to_string()
        };
        add(
            format!("Contacts of {brand} that are due to be asked again for {purpose}: {many}."),
            None,
            "Their confirmation or use is older than the brand's term. A re-confirmation asks them, also with countersign campaign start --due.",
            Some(("/admin/new-campaign", "New campaign")),
        );
    }
    for (brand, contacts) in &overview.lapsing {
        add(
            format!(
                "Implicit consent of {} contacts of {brand} lapses within 30 days.",
                grouped(*contacts)
            ),
            None,
            "Ask these people to confirm while they may still be asked; countersign lapsing --brand lists them.",
            Some(("/admin/campaigns", "Campaigns")),
        );
    }
    tasks
}
