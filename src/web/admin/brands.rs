//! Brands as an operator sees them: those that they work for, and the choice between them.

use std::sync::Arc;

use crate::domain::brand::Brand;
use crate::domain::operator::Operator;
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
