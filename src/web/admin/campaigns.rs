//! `/admin/campaigns`: who was asked, what they answered, and what can be done about a campaign. Here is what its pages say.

pub mod deeds;
pub mod list;
pub mod mail;
pub mod new;
pub mod one;
mod people;

use crate::domain::campaign::{Kind, Plan};

const DONE: [(&str, &str); 6] = [
    (
        "started",
        "The campaign has started. First it looks through the contacts, then it asks, at its pace.",
    ),
    (
        "paused",
        "The campaign is paused: nobody is asked, and mails that wait do not leave.",
    ),
    ("resumed", "The campaign goes on."),
    (
        "cancelled",
        "The campaign is cancelled. Whoever was asked can still answer.",
    ),
    (
        "released",
        "Released. Each gets one invitation, and no reminder.",
    ),
    ("dropped", "Nothing was started."),
];

pub const fn kind_words(kind: Kind) -> &'static str {
    match kind {
        Kind::Invitation => "invitation",
        Kind::Reconfirmation => "re-confirmation",
        Kind::MergerNotice => "notice of a merger",
    }
}

/// Why somebody is not asked, in words.
pub fn why_words(why: &str) -> &str {
    match why {
        "confirmed_already" => "confirmed already",
        "left" => "left, or never signed up",
        "refused" => "refused by the policy",
        "not_by_mail" => "not to be asked by mail",
        "no_implicit_consent" => "no implicit consent",
        "no_merger_notice_due" => "no notice of a merger due",
        "other_old_brand" => "came over from another brand than the one that the notice names",
        "merger_notice_first" => "the notice of the merger has to come first",
        "invited_before" => "invited before",
        "paused" => "paused: asked after the pause, if the campaign still runs then",
        "not_due" => "confirmed or used again, so not due",
        "asked_lately" => "asked by time not long ago",
        "erased" => "erased",
        other => other,
    }
}

/// What a campaign does at the moment, in words.
pub const fn state_words(state: &str) -> &str {
    match state.as_bytes() {
        b"enrolling" => "looking through the contacts",
        b"stopped" => "stopped by itself",
        _ => state,
    }
}

/// What was declared of a campaign, in words.
pub fn plan_words(plan: &Plan, import: Option<&str>) -> Vec<(&'static str, String)> {
    let mut words = vec![
        ("Kind", kind_words(plan.kind).to_owned()),
        ("Purpose", plan.purpose.to_string()),
        ("Form", plan.form.to_string()),
    ];
    let mut add = |name, text: Option<String>| words.extend(text.map(|text| (name, text)));
    add(
        "Only of the import",
        plan.import
            .map(|id| import.map_or(id.to_string(), str::to_owned)),
    );
    add(
        "Only by time",
        plan.due
            .map(|terms| format!("people who confirmed: {}", terms.words())),
    );
    add("Old brand", plan.old_brand.clone());
    add(
        "Rate",
        Some(match plan.an_hour {
            0 => "no limit".to_owned(),
            rate => format!("{rate} mails an hour"),
        }),
    );
    let days: Vec<String> = plan.warm_up.iter().map(u32::to_string).collect();
    add(
        "First days",
        (!days.is_empty()).then(|| format!("{} mails", days.join(", "))),
    );
    add(
        "Hours",
        plan.hours
            .map(|(from, to)| format!("from {from} to {to} o'clock, in the brand's time zone")),
    );
    add(
        "Time to answer",
        Some(format!("{} days", plan.answer_within_days)),
    );
    add(
        "Reminder",
        plan.remind_after_days
            .map(|days| format!("one, after {days} days")),
    );
    add(
        "Unanswered",
        plan.lapse_unanswered_at.map(|at| match plan.due {
            Some(_) => format!("explicit consent ends on {}", at.to_the_minute()),
            None => format!("implicit consent ends on {}", at.to_the_minute()),
        }),
    );
    add(
        "Stops",
        Some(format!(
            "when {} of a hundred mails fail or come back, or {} of a thousand people complain",
            plan.stop_at_failed_percent, plan.stop_at_complaints_permille
        )),
    );
    words
}
