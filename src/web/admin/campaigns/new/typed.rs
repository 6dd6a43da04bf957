//! What was typed into the form of a new campaign, and the plan that it says.

use crate::app::campaign::due_of;
use crate::domain::brand::{Brand, Slug};
use crate::domain::campaign::{Kind, Plan, complaints_by_default};
use crate::domain::ids::ImportId;
use crate::domain::policy::Zone;
use crate::web::extract::fields::Fields;

/// The form's fields as text, as they were typed.
#[derive(Clone, Debug, Default)]
pub struct Typed {
    pub name: String,
    pub kind: String,
    pub wanted: String,
    pub form: String,
    pub import: String,
    pub due: bool,
    pub old_brand: String,
    pub note: String,
    pub rate: String,
    pub warm_up: String,
    pub from: String,
    pub to: String,
    pub answer_within: String,
    pub remind_after: String,
    pub lapse: String,
    pub stop: String,
    pub complaints: String,
}

impl Typed {
    /// As the command line has it.
    pub fn by_default() -> Self {
        Self {
            kind: Kind::Invitation.as_str().to_owned(),
            rate: "500".to_owned(),
            answer_within: "30".to_owned(),
            stop: "10".to_owned(),
            complaints: complaints_by_default().to_string(),
            ..Self::default()
        }
    }

    pub fn of(fields: &Fields) -> Self {
        let text = |name: &str| fields.one(name).unwrap_or_default().to_owned();
        Self {
            name: text("name"),
            kind: text("kind"),
            wanted: text("for"),
            form: text("form"),
            import: text("import"),
            due: fields.one("due").is_some(),
            old_brand: text("old_brand"),
            note: text("note").replace("\r\n", "\n"),
            rate: text("rate"),
            warm_up: text("warm_up"),
            from: text("from"),
            to: text("to"),
            answer_within: text("answer_within"),
            remind_after: text("remind_after"),
            lapse: text("lapse"),
            stop: text("stop"),
            complaints: text("complaints"),
        }
    }

    /// The plan, or all that cannot be read of it. What it says is checked where a campaign begins.
    pub fn plan(&self, brand: &Brand) -> Result<Plan, Vec<String>> {
        let mut problems = Vec::new();
        let mut say = |text: &str| problems.push(text.to_owned());
        let kind = Kind::parse(&self.kind).unwrap_or(Kind::Invitation);
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let an_hour = self.rate.parse().unwrap_or_else(|_| {
            say("the rate is a number of mails an hour; 0 is no limit");
            0
        });
        let days = self.warm_up.split([',', ' ']).filter(|day| !day.is_empty());
        let warm_up: Vec<u32> = days
            .map_while(|day| match day.parse() {
                Ok(day) => Some(day),
                Err(_) => {
                    say("the first days are numbers of mails with commas between them, such as 50, 200, 1000");
                    None
                }
            })
            .collect();
        if warm_up.len() > 90 {
            say("a campaign warms up for at most 90 days");
        }
        let hours = match (self.from.is_empty(), self.to.is_empty()) {
            (true, true) => None,
            _ => match (self.from.parse(), self.to.parse()) {
                (Ok(from), Ok(to)) => Some((from, to)),
                _ => {
                    say(
                        "the hours of the day are two numbers, such as 9 and 17; leave both empty for the whole day",
                    );
                    None
                }
            },
        };
        let answer_within_days = self.answer_within.parse().unwrap_or_else(|_| {
            say("the time to answer is a number of days");
            30
        });
        let remind_after_days = match self.remind_after.as_str() {
            "" => None,
            days => Some(days.parse().unwrap_or_else(|_| {
                say("the reminder comes after a number of days; leave it empty for none");
                1
            })),
        };
        let lapse_unanswered_at = match self.lapse.as_str() {
            "" => None,
            day => {
                let at = Zone::of(&brand.declared.time_zone).start_of_written(day);
                if at.is_none() {
                    say("the day on which unanswered consent ends is written as YYYY-MM-DD");
                }
                at
            }
        };
        let due = self.due.then(|| due_of(brand));
        let due = due.and_then(|due| due.map_err(|problem| say(&problem)).ok());
        let stop_at_failed_percent = self.stop.parse().unwrap_or(0);
        let stop_at_complaints_permille = self.complaints.parse().unwrap_or(0);
        let form = self
            .form
            .split_once('/')
            .map_or(self.form.as_str(), |parts| parts.1);
        let purpose = self.wanted.split_once('/').map_or("", |parts| parts.1);
        let import = self.import.split_once('/').map_or("", |parts| parts.1);
        let import = match import {
            "" => None,
            id => uuid::Uuid::parse_str(id).ok().map(ImportId),
        };
        let slug = |text: &str| Slug::try_from(text.to_owned());
        match (slug(purpose), slug(form)) {
            (Ok(purpose), Ok(form)) if problems.is_empty() => Ok(Plan {
                kind,
                purpose,
                form,
                import,
                due,
                old_brand: some(&self.old_brand),
                note: some(&self.note),
                an_hour,
                warm_up,
                hours,
                answer_within_days,
                remind_after_days,
                lapse_unanswered_at,
                stop_at_failed_percent,
                stop_at_complaints_permille,
            }),
            (_, Err(_)) => {
                problems.push("choose the form whose wording people agree to".to_owned());
                Err(problems)
            }
            _ => {
                if problems.is_empty() {
                    problems.push("choose a purpose".to_owned());
                }
                Err(problems)
            }
        }
    }
}
