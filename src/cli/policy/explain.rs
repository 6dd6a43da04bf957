//! `countersign policy explain`: one verdict with its rule. A refusal is an answer, so it ends with 0 as well.

use std::path::Path;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};

use super::given::Given;
use super::table::folded;
use crate::app::permit::{Unanswerable, parse_address};
use crate::cli::{Done, Ended, brand_named, opened};
use crate::clock::Clock;
use crate::domain::brand::Slug;
use crate::domain::policy::{
    AddressFacts, Judgement, OVERLAYS, OrganizerLists, Overlay, Terms, Zone, judge,
};
use crate::domain::time::Timestamp;

#[derive(Args)]
pub struct Explain {
    #[command(flatten)]
    given: Given,
    /// Judge by this brand's overlays, time zone and settings, and by what it knows of the address; needs an installation
    #[arg(long, value_name = "SLUG")]
    brand: Option<String>,
    /// Whether the person left this purpose; without it, any
    #[arg(long, value_name = "SLUG", requires = "brand", requires = "address")]
    purpose: Option<String>,
    #[arg(long)]
    address: Option<String>,
    /// As of this instant: RFC 3339, or a date in the brand's time zone; by default now
    #[arg(long, value_name = "TIME")]
    as_of: Option<String>,
    /// Switch an overlay on, besides the brand's own: ca-casl, de, nl, uk. May be given several times
    #[arg(long, value_delimiter = ',', hide_possible_values = true, value_parser = overlays())]
    overlay: Vec<Overlay>,
    /// As for an import for which the operator chose to have an organiser's list confirmed (rule O2b)
    #[arg(long)]
    confirm_organizer_list: bool,
}

fn overlays() -> impl TypedValueParser<Value = Overlay> {
    PossibleValuesParser::new(OVERLAYS.map(|row| row.overlay.as_str()))
        .try_map(|name| Overlay::parse(&name).ok_or("no overlay"))
}

impl Explain {
    pub async fn run(self, settings: &Path, json: bool) -> Done {
        let claims = self.given.claims().map_err(Ended::Wrong)?;
        let (terms, address) = match &self.brand {
            Some(slug) => self.as_brand(slug, settings).await?,
            None => (Terms::default(), self.address_alone()?),
        };
        let mut terms = terms.with_overlays(self.overlay);
        if self.confirm_organizer_list {
            terms.organizer_lists = OrganizerLists::ConfirmFirst;
        }
        let as_of = match &self.as_of {
            None => Clock::System.now(),
            Some(text) => instant(text, &terms.zone)?,
        };
        let judgement = judge(&claims, address, &terms, as_of);
        if json {
            println!("{}", serde_json::to_string(&judgement.explanation())?);
        } else {
            print!("{}", told(&judgement, &terms.zone));
        }
        Ok(())
    }

    fn address_alone(&self) -> Result<AddressFacts, Ended> {
        let Some(address) = &self.address else {
            return Ok(AddressFacts::default());
        };
        let address = parse_address(address).map_err(unanswerable)?;
        Ok(AddressFacts {
            role: address.is_role(),
            closed: None,
        })
    }

    async fn as_brand(&self, slug: &str, settings: &Path) -> Result<(Terms, AddressFacts), Ended> {
        let app = opened(settings).await?;
        let brand = brand_named(&app, slug)?;
        let purpose = self
            .purpose
            .clone()
            .map(Slug::try_from)
            .transpose()
            .map_err(Ended::Wrong)?;
        if let Some(purpose) = &purpose
            && brand.purpose(purpose).is_none()
        {
            let problem = format!("brand \"{slug}\" has no purpose \"{purpose}\"");
            return Err(Ended::Wrong(problem));
        }
        let known = match &self.address {
            None => AddressFacts::default(),
            Some(address) => app
                .known_of(&brand, purpose.as_ref(), address)
                .await
                .map_err(unanswerable)?,
        };
        Ok((app.terms(&brand), known))
    }
}

fn unanswerable(problem: Unanswerable) -> Ended {
    match problem {
        Unanswerable::Address(_) => Ended::Wrong(problem.to_string()),
        Unanswerable::Store(_) => Ended::Refused(problem.to_string()),
    }
}

fn instant(text: &str, zone: &Zone) -> Result<Timestamp, Ended> {
    zone.instant(text).ok_or_else(|| {
        Ended::Wrong(format!(
            "--as-of \"{}\" is no time; write it like 2026-11-23T17:00:00Z or 2026-11-23",
            text.escape_debug()
        ))
    })
}

fn told(judgement: &Judgement, zone: &Zone) -> String {
    judgement
        .lines(zone)
        .iter()
        .map(|(name, text)| folded(text, &format!("{:10}", format!("{name}:")), 10))
        .collect()
}
