//! What the operator declares of a campaign.

use clap::builder::PossibleValuesParser;
use clap::{Args, builder::TypedValueParser};

use crate::app::App;
use crate::app::campaign::{Worded, WordedProblem};
use crate::cli::Ended;
use crate::domain::brand::Brand;
use crate::domain::campaign::{Kind, Plan, complaints_by_default};

#[derive(Args)]
pub struct Asked {
    /// What people are asked
    #[arg(long, value_parser = kinds())]
    kind: Kind,
    #[arg(long, value_name = "SLUG")]
    purpose: String,
    /// Whose wording they agree to, and where they come out
    #[arg(long, value_name = "SLUG")]
    form: String,
    /// Only the contacts of this import
    #[arg(long, value_name = "NAME")]
    import: Option<String>,
    /// Only people who confirmed, and whose confirmation or use is older than the brand's `reconfirm` terms by now; of a
    /// re-confirmation
    #[arg(long)]
    due: bool,
    /// Of a merger: the brand that people know
    #[arg(long, value_name = "NAME")]
    old_brand: Option<String>,
    /// Your own words, a paragraph of the mail; of a merger, what changes
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
    /// Mails an hour; 0 is no limit
    #[arg(long, value_name = "MAILS", default_value_t = 500)]
    rate: u32,
    /// Mails on each of the first days, such as 50,200,1000
    #[arg(long, value_name = "MAILS,…", value_delimiter = ',')]
    warm_up: Vec<u32>,
    /// Hours of the day in the brand's time zone, such as 9-17
    #[arg(long, value_name = "FROM-TO", value_parser = hours)]
    hours: Option<(u8, u8)>,
    /// Days that people have to answer
    #[arg(long, value_name = "DAYS", default_value_t = 30)]
    answer_within: u16,
    /// One reminder after so many days
    #[arg(long, value_name = "DAYS")]
    remind_after: Option<u16>,
    /// From this day on consent that was not confirmed ends: YYYY-MM-DD. With --due that is explicit consent: the mail says so,
    /// and so does the evidence. Without it nobody who confirmed loses anything by not answering
    #[arg(long, value_name = "DATE")]
    lapse_unanswered_on: Option<String>,
    /// Stop by itself when so many of a hundred mails fail or come back
    #[arg(long, value_name = "PERCENT", default_value_t = 10)]
    stop_at_failed: u8,
    /// Stop by itself when so many of a thousand people complain, and three at least
    #[arg(long, value_name = "PEOPLE", default_value_t = complaints_by_default())]
    stop_at_complaints: u16,
}

fn kinds() -> impl TypedValueParser<Value = Kind> {
    PossibleValuesParser::new(Kind::ALL.map(Kind::as_str))
        .try_map(|name| Kind::parse(&name).ok_or("no kind"))
}

fn hours(text: &str) -> Result<(u8, u8), String> {
    let both = text
        .split_once('-')
        .and_then(|(from, to)| Some((from.trim().parse().ok()?, to.trim().parse().ok()?)));
    both.ok_or_else(|| "write it as FROM-TO, such as 9-17".to_owned())
}

impl Asked {
    pub async fn plan(&self, app: &App, brand: &Brand) -> Result<Plan, Ended> {
        let worded = Worded {
            kind: self.kind,
            purpose: self.purpose.clone(),
            form: self.form.clone(),
            import: self.import.clone(),
            due: self.due,
            old_brand: self.old_brand.clone(),
            note: self.note.clone(),
            an_hour: self.rate,
            warm_up: self.warm_up.clone(),
            hours: self.hours,
            answer_within_days: self.answer_within,
            remind_after_days: self.remind_after,
            lapse_unanswered_on: self.lapse_unanswered_on.clone(),
            stop_at_failed_percent: self.stop_at_failed,
            stop_at_complaints_permille: self.stop_at_complaints,
        };
        let wrong = |problem: WordedProblem| match problem {
            WordedProblem::Store(error) => error.into(),
            WordedProblem::Day(_) => Ended::Wrong(format!("--lapse-unanswered-on {problem}")),
            other => Ended::Wrong(other.to_string()),
        };
        app.plan_of(brand, worded).await.map_err(wrong)
    }
}
