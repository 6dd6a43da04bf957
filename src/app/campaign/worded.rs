//! A campaign as a program or the command line words it, made into a plan.

use super::due_of;
use crate::app::App;
use crate::domain::brand::{Brand, Slug};
use crate::domain::campaign::{Kind, Plan};
use crate::domain::policy::Zone;
use crate::store::StoreError;

/// What somebody says of a campaign; `Plan` tells what each means and which bounds it has.
#[derive(Clone, Debug)]
pub struct Worded {
    pub kind: Kind,
    pub purpose: String,
    pub form: String,
    /// The name of an import of the brand.
    pub import: Option<String>,
    /// Only whom the brand's term lets be asked again.
    pub due: bool,
    pub old_brand: Option<String>,
    pub note: Option<String>,
    pub an_hour: u32,
    pub warm_up: Vec<u32>,
    pub hours: Option<(u8, u8)>,
    pub answer_within_days: u16,
    pub remind_after_days: Option<u16>,
    /// The day in the brand's time zone, as YYYY-MM-DD.
    pub lapse_unanswered_on: Option<String>,
    pub stop_at_failed_percent: u8,
    pub stop_at_complaints_permille: u16,
}

/// Why it is no plan.
#[derive(Debug, thiserror::Error)]
pub enum WordedProblem {
    #[error("{0}")]
    Purpose(String),
    #[error("{0}")]
    Form(String),
    #[error("the brand has no import \"{0}\"")]
    Import(String),
    #[error("{0}")]
    Due(String),
    #[error("\"{0}\" is no day; write it as YYYY-MM-DD")]
    Day(String),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl App {
    pub async fn plan_of(&self, brand: &Brand, worded: Worded) -> Result<Plan, WordedProblem> {
        let import = match worded.import {
            None => None,
            Some(name) => {
                let known = self.import_named(brand, &name).await?;
                Some(known.ok_or(WordedProblem::Import(name))?.id)
            }
        };
        let due = worded.due.then(|| due_of(brand)).transpose();
        let due = due.map_err(WordedProblem::Due)?;
        let lapse_unanswered_at = match worded.lapse_unanswered_on {
            None => None,
            Some(day) => {
                let start = Zone::of(&brand.declared.time_zone).start_of_written(&day);
                Some(start.ok_or(WordedProblem::Day(day))?)
            }
        };
        Ok(Plan {
            kind: worded.kind,
            purpose: Slug::try_from(worded.purpose).map_err(WordedProblem::Purpose)?,
            form: Slug::try_from(worded.form).map_err(WordedProblem::Form)?,
            import,
            due,
            old_brand: worded.old_brand,
            note: worded.note,
            an_hour: worded.an_hour,
            warm_up: worded.warm_up,
            hours: worded.hours,
            answer_within_days: worded.answer_within_days,
            remind_after_days: worded.remind_after_days,
            lapse_unanswered_at,
            stop_at_failed_percent: worded.stop_at_failed_percent,
            stop_at_complaints_permille: worded.stop_at_complaints_permille,
        })
    }
}
