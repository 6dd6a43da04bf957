//! What an operator sees first: the forms, what waits, what failed.

use super::App;
use super::lapse::NOTICE;
use super::tidy::Readiness;
use crate::store::{StoreError, contacts, outbox};

/// Failed mails shown at a time.
const SHOWN: i64 = 20;

/// One form with where it lives.
#[derive(Debug)]
pub struct FormLine {
    pub brand: String,
    pub form: String,
    pub version: String,
    pub languages: String,
}

/// A mail that failed for good, without its address.
#[derive(Debug)]
pub struct FailedMail {
    pub domain: String,
    pub tries: i64,
    pub reply: String,
}

#[derive(Debug)]
pub struct Overview {
    pub forms: Vec<FormLine>,
    pub ready: Readiness,
    pub failed: Vec<FailedMail>,
    /// Brands with the number of contacts whose implicit consent is about to lapse.
    pub lapsing: Vec<(String, i64)>,
}

impl App {
    pub async fn overview(&self) -> Result<Overview, StoreError> {
        let catalog = self.catalog();
        let mut forms: Vec<FormLine> = catalog
            .brands
            .iter()
            .flat_map(|brand| catalog.forms_of(brand.id).map(move |form| (brand, form)))
            .map(|(brand, form)| FormLine {
                brand: brand.declared.name.clone(),
                form: form.declared.slug.to_string(),
                version: form.current.as_str().chars().take(12).collect(),
                languages: form.declared.languages.join(", "),
            })
            .collect();
        forms.sort_by(|one, other| (&one.brand, &one.form).cmp(&(&other.brand, &other.form)));
        let ready = self.readiness().await?;
        let mut conn = self.store.read().await?;
        let failed = outbox::list_failed(&mut conn, SHOWN)
            .await?
            .into_iter()
            .map(|row| FailedMail {
                domain: row.recipient_domain,
                tries: row.tries,
                reply: row.last_reply.unwrap_or_default(),
            })
            .collect();
        let soon = self.clock.now().plus(NOTICE);
        let lapsing = contacts::count_lapsing(&mut conn, soon)
            .await?
            .into_iter()
            .filter_map(|(id, count)| {
                let brand = catalog.brand(id)?;
                Some((brand.declared.slug.to_string(), count))
            })
            .collect();
        Ok(Overview {
            forms,
            ready,
            failed,
            lapsing,
        })
    }
}
