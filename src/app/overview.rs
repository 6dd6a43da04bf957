//! What an operator sees first: the forms, what waits, what failed.

use super::App;
use super::tidy::Readiness;
use crate::domain::ids::BrandId;
use crate::domain::operator::Operator;
use crate::domain::time::Timestamp;
use crate::store::{StoreError, log, outbox};

/// Failed mails shown at a time.
const SHOWN: usize = 20;
/// Failed mails that are looked through for those of an operator's brands.
const LOOKED_AT: i64 = 500;

/// One form with where it lives.
#[derive(Clone, Debug)]
pub struct FormLine {
    pub brand_id: BrandId,
    pub brand_slug: String,
    pub brand: String,
    pub form: String,
    pub version: String,
    pub languages: String,
}

/// A mail that failed for good, without its address.
#[derive(Debug)]
pub struct FailedMail {
    pub brand_id: BrandId,
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
    /// Brand, purpose and number of contacts that are due to be asked again by time, while no campaign does.
    pub due_again: Vec<(String, String, u64)>,
    /// All brands, a form or none, by what the lists name them.
    pub brands: Vec<(String, BrandId)>,
    /// When the newest checkpoint of the log was signed.
    pub checkpoint_at: Option<Timestamp>,
}

impl Overview {
    /// Leaves what an operator may see: of the brands that they work for.
    pub fn keep_to(&mut self, operator: &Operator) {
        self.forms.retain(|line| operator.works_for(line.brand_id));
        self.failed.retain(|mail| operator.works_for(mail.brand_id));
        self.failed.truncate(SHOWN);
        self.brands.retain(|(_, id)| operator.works_for(*id));
        let brands = &self.brands;
        let own = |slug: &str| brands.iter().any(|brand| brand.0 == slug);
        self.due_again.retain(|one| own(&one.0));
        self.lapsing.retain(|one| own(&one.0));
    }
}

impl App {
    /// How things stand, of all brands.
    pub async fn overview(&self) -> Result<Overview, StoreError> {
        let catalog = self.catalog();
        let mut forms: Vec<FormLine> = catalog
            .brands
            .iter()
            .flat_map(|brand| catalog.forms_of(brand.id).map(move |form| (brand, form)))
            .map(|(brand, form)| FormLine {
                brand_id: brand.id,
                brand_slug: brand.declared.slug.to_string(),
                brand: brand.declared.name.clone(),
                form: form.declared.slug.to_string(),
                version: form.current.as_str().chars().take(12).collect(),
                languages: form.declared.languages.join(", "),
            })
            .collect();
        forms.sort_by(|one, other| (&one.brand, &one.form).cmp(&(&other.brand, &other.form)));
        let ready = self.readiness().await?;
        let mut conn = self.store.read().await?;
        let failed = outbox::list_failed(&mut conn, LOOKED_AT)
            .await?
            .into_iter()
            .map(|row| FailedMail {
                brand_id: row.brand_id,
                domain: row.recipient_domain,
                tries: row.tries,
                reply: row.last_reply.unwrap_or_default(),
            })
            .collect();
        let checkpoint_at = log::head(&mut conn).await?.map(|head| head.signed_at);
        drop(conn);
        let lapsing = self
            .lapsing_soon()
            .await?
            .into_iter()
            .filter_map(|(id, count)| {
                let brand = catalog.brand(id)?;
                Some((brand.declared.slug.to_string(), count))
            })
            .collect();
        let due_again = self
            .due_again()
            .await?
            .into_iter()
            .filter_map(|one| {
                let brand = catalog.brand(one.brand)?;
                let slug = brand.declared.slug.to_string();
                Some((slug, one.purpose.to_string(), one.contacts))
            })
            .collect();
        let brands = catalog.brands.iter();
        Ok(Overview {
            brands: brands
                .map(|brand| (brand.declared.slug.to_string(), brand.id))
                .collect(),
            due_again,
            forms,
            ready,
            failed,
            lapsing,
            checkpoint_at,
        })
    }
}
