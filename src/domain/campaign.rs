//! Campaigns: asking contacts to confirm whom the policy lets be asked, and telling the people of a merger.

mod fates;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::brand::Slug;
use super::event::{AskedBy, MailFate};
use super::form::VersionHash;
use super::ids::{CampaignId, ImportId};
use super::policy::{Judgement, Outreach, Rule, Verdict, Zone};
use super::reconfirm::Reconfirm;
use super::standing::{Standing, Standings, State, put};
use super::time::Timestamp;

pub use fates::{Fates, complaints_by_default};

/// What the people of a campaign are asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// To subscribe: people who never confirmed.
    Invitation,
    /// Whether they still want it: people whose consent is implicit, before it lapses; or explicit, and old.
    Reconfirmation,
    /// To stay or to leave, now that the brand they knew belongs to another (O4).
    MergerNotice,
}

impl Kind {
    pub const ALL: [Self; 3] = [Self::Invitation, Self::Reconfirmation, Self::MergerNotice];

    /// The name, which is also that of the mail's template.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Invitation => "invitation",
            Self::Reconfirmation => "reconfirmation",
            Self::MergerNotice => "merger_notice",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// The template of a reminder, whatever the kind of its campaign.
pub const REMINDER: &str = "reminder";

/// What an operator declares of a campaign. It does not change once the campaign has begun.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    pub kind: Kind,
    pub purpose: Slug,
    /// Whose wording people agree to, and where they come out.
    pub form: Slug,
    /// Only the contacts of this import.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub import: Option<ImportId>,
    /// Only people with explicit consent that is older than these terms, of the brand, as of the campaign's start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<Reconfirm>,
    /// The brand that people of a merger know, and what changes for them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old_brand: Option<String>,
    /// The operator's own words, a paragraph of the mail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Mails an hour; 0 is no limit.
    pub an_hour: u32,
    /// Mails on the first days, one number for each day; after them only the hourly rate holds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warm_up: Vec<u32>,
    /// The hours of the day in the brand's time zone: from the first, before the second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hours: Option<(u8, u8)>,
    pub answer_within_days: u16,
    /// One reminder after so many days, to those whom the server may write to by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remind_after_days: Option<u16>,
    /// From when on consent that was not confirmed ends: implicit; of people asked by time, explicit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lapse_unanswered_at: Option<Timestamp>,
    /// The campaign stops by itself when so many of a hundred mails fail or come back.
    pub stop_at_failed_percent: u8,
    /// And when so many of a thousand people complain.
    #[serde(default = "complaints_by_default")]
    pub stop_at_complaints_permille: u16,
}

const NOTE_AT_MOST: usize = 1_000;
const DAYS_AT_MOST: u16 = 90;

impl Plan {
    /// What is wrong with it, and how to mend it.
    pub fn problems(&self, now: Timestamp) -> Vec<String> {
        let mut found = Vec::new();
        let mut say = |wrong: bool, text: &str| {
            if wrong {
                found.push(text.to_owned());
            }
        };
        let merger = self.kind == Kind::MergerNotice;
        let blank = |text: &Option<String>| text.as_ref().is_none_or(|text| text.trim().is_empty());
        say(
            merger && (blank(&self.old_brand) || blank(&self.note)),
            "a merger notice names the brand that people know (old brand) and says what changes for them (note)",
        );
        say(
            !merger && self.old_brand.is_some(),
            "only a merger notice names an old brand",
        );
        let long = |text: &Option<String>| {
            let text = text.as_deref().unwrap_or_default();
            text.chars().count() > NOTE_AT_MOST || text.chars().any(|c| c.is_control() && c != '\n')
        };
        say(
            long(&self.note) || long(&self.old_brand),
            "the note and the old brand's name have at most 1,000 characters, none of which steers a terminal",
        );
        say(
            !(1..=DAYS_AT_MOST).contains(&self.answer_within_days),
            "people have 1 to 90 days to answer",
        );
        say(
            self.remind_after_days
                .is_some_and(|days| days == 0 || days >= self.answer_within_days),
            "the reminder comes after 1 day or more, and before the time to answer is over",
        );
        say(
            self.hours.is_some_and(|(from, to)| from >= to || to > 24),
            "the hours of the day go from an earlier to a later one, at most 24",
        );
        say(
            self.lapse_unanswered_at.is_some_and(|at| at <= now),
            "the day on which unanswered consent lapses lies ahead",
        );
        say(
            self.lapse_unanswered_at.is_some() && self.kind != Kind::Reconfirmation,
            "only where people are asked again does consent lapse unanswered",
        );
        say(
            self.due.is_some() && self.kind != Kind::Reconfirmation,
            "only a re-confirmation asks people by time",
        );
        say(
            !(1..=100).contains(&self.stop_at_failed_percent),
            "a campaign stops when 1 to 100 of a hundred mails fail",
        );
        say(
            !(1..=1_000).contains(&self.stop_at_complaints_permille),
            "a campaign stops when 1 to 1,000 of a thousand people complain",
        );
        found.extend(self.due.iter().flat_map(Reconfirm::problems));
        found
    }

    pub fn answer_within(&self) -> Duration {
        Duration::from_secs(u64::from(self.answer_within_days) * 86_400)
    }

    /// When its hours begin again; none where they have begun, or where it has no hours.
    pub fn opens_at(&self, zone: &Zone, now: Timestamp) -> Option<Timestamp> {
        let (from, to) = self.hours?;
        if (from..to).contains(&zone.hour(now)) {
            return None;
        }
        zone.next_hour(now, from)
    }

    /// How many mails may leave on the day with this number, counted from 0; none: as many as the hourly rate allows.
    pub fn on_day(&self, day: usize) -> Option<u32> {
        self.warm_up.get(day).copied()
    }
}

/// What becomes of a contact in a campaign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The server asks.
    Waiting,
    /// An operator has to release it, one by one.
    Held,
    /// The person wants no mail before this instant (D5); asked then, if the campaign still runs.
    Paused(Timestamp),
    LeftOut(Why),
}

/// Why a contact is not asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// There is nothing to ask.
    Confirmed,
    /// The person left, declined, or took the address back.
    Left,
    /// The policy refuses the address.
    Refused,
    /// The policy lets nobody ask by mail, or only right after the person's own act.
    NotByMail,
    /// Implicit consent that could be confirmed again is not there.
    NothingToKeep,
    /// The address did not come by a merger, or the person was told already.
    NoMerger,
    /// The address came by a merger with another brand than the one that the notice names.
    OtherOldBrand,
    /// The notice of the merger has to come first.
    NoticeFirst,
    /// The person paused, and the campaign was over before the pause.
    Paused,
    /// There is no explicit consent, or its term is not over.
    NotDue,
    /// Another campaign asked by time not long ago.
    AskedLately,
}

impl Why {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Confirmed => "confirmed_already",
            Self::Left => "left",
            Self::Refused => "refused",
            Self::NotByMail => "not_by_mail",
            Self::NothingToKeep => "no_implicit_consent",
            Self::NoMerger => "no_merger_notice_due",
            Self::OtherOldBrand => "other_old_brand",
            Self::NoticeFirst => "merger_notice_first",
            Self::Paused => "paused",
            Self::NotDue => "not_due",
            Self::AskedLately => "asked_lately",
        }
    }
}

/// What is known of a contact in the moment of asking, beside its standing and the policy's verdict. The last two only where
/// people are asked by time.
#[derive(Clone, Copy, Debug)]
pub struct Situation {
    pub now: Timestamp,
    /// The term of its explicit consent is over.
    pub is_over: bool,
    /// Another campaign asked it by time not long ago.
    pub asked_lately: bool,
}

/// What the policy says of a contact now.
#[derive(Clone, Copy, Debug)]
pub struct Verdicts<'a> {
    /// Of all its sources.
    pub all: &'a Judgement,
    /// For the notice of a merger: of what came over from the brand that the notice names, and from nowhere else.
    pub named: Option<&'a Judgement>,
}

/// Whether a contact is asked: by where it stands, and by what the policy says of its sources. Whoever paused waits.
pub fn place(
    plan: &Plan,
    standing: Option<&Standing>,
    verdicts: Verdicts<'_>,
    situation: Situation,
) -> Place {
    let place = match plan.due {
        Some(_) => place_by_time(standing, verdicts.all, situation),
        None => place_by_policy(plan, standing, verdicts),
    };
    let paused = standing.and_then(|standing| standing.paused_at(situation.now));
    match (place, paused) {
        (Place::Waiting | Place::Held, Some(until)) => Place::Paused(until),
        (place, _) => place,
    }
}

/// Explicit consent that stands lets the brand write, from wherever the address first came; whether the mailbox may be written
/// to at all, the policy says (D3).
fn place_by_time(
    standing: Option<&Standing>,
    judgement: &Judgement,
    situation: Situation,
) -> Place {
    match standing.map(|standing| standing.state) {
        Some(State::Explicit) if judgement.rule == Rule::D3 => Place::LeftOut(Why::Refused),
        Some(State::Explicit) if !situation.is_over => Place::LeftOut(Why::NotDue),
        Some(State::Explicit) if situation.asked_lately => Place::LeftOut(Why::AskedLately),
        Some(State::Explicit) => Place::Waiting,
        Some(State::Withdrawn | State::Declined | State::Corrected) | None => {
            Place::LeftOut(Why::Left)
        }
        Some(State::Pending | State::Implicit | State::Lapsed) => Place::LeftOut(Why::NotDue),
    }
}

fn place_by_policy(
    plan: &Plan,
    standing: Option<&Standing>,
    Verdicts { all, named }: Verdicts<'_>,
) -> Place {
    // What lapsed meanwhile is carried over anew by the notice, where the policy still lets it.
    let notice_due = standing.is_some_and(|standing| {
        standing.waits_for_notice() || standing.state == State::Lapsed && all.notice_due
    });
    // Nobody is told of a brand that is not the one they know, or with which nothing came over.
    let is_named = || named.is_some_and(|named| named.notice_due);
    let left_out = match (plan.kind, standing.map(|standing| standing.state)) {
        (_, Some(State::Explicit)) => Some(Why::Confirmed),
        (_, Some(State::Withdrawn | State::Declined | State::Corrected) | None) => Some(Why::Left),
        _ if all.verdict == Verdict::Refuse => Some(Why::Refused),
        (Kind::MergerNotice, _) if !notice_due => Some(Why::NoMerger),
        (Kind::MergerNotice, _) if !is_named() => Some(Why::OtherOldBrand),
        (Kind::Invitation | Kind::Reconfirmation, _) if notice_due => Some(Why::NoticeFirst),
        (Kind::Reconfirmation, Some(state)) if state != State::Implicit => Some(Why::NothingToKeep),
        _ => None,
    };
    match (left_out, all.outreach) {
        (Some(why), _) => Place::LeftOut(why),
        (None, Outreach::Auto) => Place::Waiting,
        (None, Outreach::OneToOne) => Place::Held,
        (None, Outreach::OwnAct) if all.one_to_one => Place::Held,
        (None, Outreach::OwnAct | Outreach::None) => Place::LeftOut(Why::NotByMail),
    }
}

/// A request that a campaign made, or its one reminder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invited {
    pub campaign: CampaignId,
    pub campaign_kind: Kind,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub reminder: bool,
    /// An operator released this one by name.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub released: bool,
    /// The brand's term that was over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<Reconfirm>,
    /// Explicit consent ends then without an answer; the mail says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_unanswered_at: Option<Timestamp>,
    pub address: String,
    pub purposes: Vec<Slug>,
    pub form: Slug,
    pub form_version: VersionHash,
    pub language: String,
    /// Of the notice of a merger, on what came over from the brand that it names: that alone holds once it has arrived. Earlier
    /// versions judged all sources.
    pub judgement: Judgement,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old_brand: Option<String>,
    pub confirmation_expires_at: Timestamp,
    pub key_id: u8,
    pub asked_by: AskedBy,
    pub mail: MailFate,
}

impl Invited {
    /// What a merger carried over waits for its notice, also where other consent lapsed before the notice was sent (O4). Only what
    /// came over from the brand that the notice names is to hold; the rest waits for its own.
    pub(super) fn apply(&self, standings: &mut Standings, at: Timestamp) {
        let judged = &self.judgement;
        let is_notice = self.campaign_kind == Kind::MergerNotice && !self.reminder;
        if !(is_notice && judged.notice_due) {
            return;
        }
        for purpose in &self.purposes {
            let waits = match standings.get(purpose) {
                Some(known) if known.waits_for_notice() => *known,
                Some(known) if known.state == State::Lapsed => Standing {
                    notice_due: true,
                    ..Standing::new(State::Pending, None, judged.rule, at)
                },
                _ => continue,
            };
            let until = judged.valid_until;
            put(standings, purpose, Standing { until, ..waits });
        }
    }
}

/// The notice of a merger came back, after a server had taken it: what it had let hold waits again. What rests on an act of the
/// person's own since is not touched.
pub fn notice_came_back(standings: &mut Standings, purposes: &[Slug], at: Timestamp) {
    for (purpose, standing) in standings {
        let carried_over = standing.state == State::Implicit && standing.rule == Rule::O4;
        if purposes.contains(purpose) && carried_over {
            standing.state = State::Pending;
            standing.notice_due = true;
            standing.since = at;
        }
    }
}

/// The mail server took the notice of a merger: what was carried over holds from now on.
pub fn notice_arrived(standings: &mut Standings, purposes: &[Slug], at: Timestamp) {
    for (purpose, standing) in standings {
        if purposes.contains(purpose) && standing.waits_for_notice() {
            standing.state = State::Implicit;
            standing.notice_due = false;
            standing.since = at;
        }
    }
}
