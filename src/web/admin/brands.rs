//! Brands as an operator sees them: those that they work for, and the choice between them.

use std::sync::Arc;

use crate::app::catalog::Catalog;
use crate::domain::brand::Brand;
use crate::domain::ids::BrandId;
use crate::domain::operator::Operator;
use crate::store::StoreError;
use crate::web::Web;

/// One of several things to choose from.
#[derive(Clone, Debug)]
pub struct Choice {
    pub value: String,
    pub label: String,
    pub chosen: bool,
}

impl Choice {
    pub fn of(value: &str, label: &str, chosen: &str) -> Self {
        Self {
            value: value.to_owned(),
            label: label.to_owned(),
            chosen: value == chosen,
        }
    }
}

/// The brands that an operator works for.
pub fn brands_of(shared: &Web, operator: &Operator) -> Vec<Arc<Brand>> {
    let catalog = shared.app.catalog();
    let all = catalog.brands.iter();
    all.filter(|brand| operator.works_for(brand.id))
        .cloned()
        .collect()
}

/// The brand of this name, if the operator works for it.
pub fn brand_of(shared: &Web, operator: &Operator, slug: &str) -> Option<Arc<Brand>> {
    let catalog = shared.app.catalog();
    catalog
        .brand_by_slug(slug)
        .filter(|brand| operator.works_for(brand.id))
        .cloned()
}

/// The brands as a choice, with the one that is asked for or the first.
pub fn choices(brands: &[Arc<Brand>], asked: Option<&str>) -> (Vec<Choice>, Option<Arc<Brand>>) {
    let chosen = brands
        .iter()
        .find(|brand| Some(brand.declared.slug.as_str()) == asked)
        .or_else(|| brands.first())
        .cloned();
    let slug = chosen
        .as_ref()
        .map_or("", |brand| brand.declared.slug.as_str());
    let choices = brands
        .iter()
        .map(|brand| Choice::of(brand.declared.slug.as_str(), &brand.declared.name, slug))
        .collect();
    (choices, chosen)
}

/// Why something is kept to no brand.
#[derive(Debug, thiserror::Error)]
pub enum Unnamed {
    #[error("there is no brand \"{0}\"; look at the brands again, and choose")]
    Unknown(String),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The brands of these names. A name that no brand has is refused, never left out: none would mean all of them. The catalog is
/// read again first, since another process may have been told of a brand.
pub async fn named(shared: &Web, names: &[String]) -> Result<Vec<Arc<Brand>>, Unnamed> {
    shared.app.refresh_catalog().await?;
    let catalog = shared.app.catalog();
    let given = names.iter().filter(|name| !name.is_empty());
    given
        .map(|name| {
            let known = catalog.brand_by_slug(name).cloned();
            known.ok_or_else(|| Unnamed::Unknown(name.chars().take(64).collect()))
        })
        .collect()
}

/// The same of one name, which may be left out.
pub async fn named_one(shared: &Web, name: Option<&str>) -> Result<Option<Arc<Brand>>, Unnamed> {
    let names: Vec<String> = name.map(ToOwned::to_owned).into_iter().collect();
    Ok(named(shared, &names).await?.into_iter().next())
}

/// What something is kept to, in words; a brand that this process was not told of yet by its id.
pub fn kept_to(catalog: &Catalog, brands: &[BrandId]) -> String {
    if brands.is_empty() {
        return "all".to_owned();
    }
    let names = brands.iter().map(|id| {
        let brand = catalog.brand(*id);
        brand.map_or_else(|| id.to_string(), |brand| brand.declared.name.clone())
    });
    names.collect::<Vec<_>>().join(", ")
}
