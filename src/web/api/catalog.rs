//! What is declared: brands, purposes, forms.

use std::collections::BTreeMap;
use std::sync::Arc;

use actix_web::web;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::body::Params;
use super::declarations::BrandInput;
use super::key::{CatalogRead, Key};
use super::problem::ApiProblem;
use super::reply::{Answer, Page, ok};
use crate::domain::brand::{Brand, BrandDeclaration};
use crate::web::Web;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct OfBrand {
    /// Only of this brand.
    #[param(example = "acme")]
    brand: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

/// Who asks.
#[derive(Debug, Serialize, ToSchema)]
pub struct BrandItem {
    slug: String,
    name: String,
    legal_name: String,
    contact: String,
    purposes: Vec<String>,
}

/// What a person can agree to.
#[derive(Debug, Serialize, ToSchema)]
pub struct PurposeItem {
    brand: String,
    slug: String,
    /// By language.
    name: BTreeMap<String, String>,
    wording: BTreeMap<String, String>,
}

/// Where a person signs up.
#[derive(Debug, Serialize, ToSchema)]
pub struct FormItem {
    brand: String,
    slug: String,
    /// The SHA-256 of the page that shows what a person reads.
    version: String,
    languages: Vec<String>,
    /// What it is for.
    purposes: Vec<String>,
    /// What it offers to tick besides.
    choices: Vec<String>,
    #[schema(format = "uri")]
    url: String,
}

/// A brand with all that is declared of it.
#[derive(Debug, Serialize, ToSchema)]
pub struct BrandDetail {
    /// As it would stand in the file of `countersign apply`, written as JSON: change it, and declare it again.
    #[schema(value_type = BrandInput)]
    declared: BrandDeclaration,
    /// Changes with every change of brands and forms; give it with a declaration to be told if somebody was faster.
    revision: String,
}

/// One wording of a form. It never changes.
#[derive(Debug, Serialize, ToSchema)]
pub struct VersionItem {
    /// The SHA-256 of the page that shows what a person reads.
    version: String,
    #[schema(format = DateTime)]
    created_at: String,
    /// Whether signups get it now.
    current: bool,
}

fn asked<S>(
    key: &Key<S>,
    shared: &Web,
    brand: Option<&str>,
) -> Result<Vec<Arc<Brand>>, ApiProblem> {
    Ok(match brand {
        Some(slug) => vec![key.brand(shared, slug)?],
        None => key.brands(shared),
    })
}

const fn all<T>(items: Vec<T>) -> Page<T> {
    Page { items, next: None }
}

/// The brands that the key sees.
#[utoipa::path(get, path = "/api/v1/brands", operation_id = "listBrands", tag = "Catalog",
    security(("key" = ["catalog:read"])),
    responses((status = 200, description = "All of them", body = Page<BrandItem>)))]
pub async fn brands(shared: web::Data<Web>, key: Key<CatalogRead>, _: Params<Nothing>) -> Answer {
    let brands = key.brands(&shared);
    let items = brands.iter().map(|brand| BrandItem {
        slug: brand.declared.slug.to_string(),
        name: brand.declared.name.clone(),
        legal_name: brand.declared.legal_name.clone(),
        contact: brand.declared.contact.clone(),
        purposes: slugs(brand.declared.purposes.iter().map(|purpose| &purpose.slug)),
    });
    ok(&all(items.collect()))
}

/// One brand, as it is declared.
#[utoipa::path(get, path = "/api/v1/brands/{brand}", operation_id = "getBrand", tag = "Catalog",
    params(("brand" = String, Path, example = "acme")), security(("key" = ["catalog:read"])),
    responses((status = 200, description = "The brand", body = BrandDetail)))]
pub async fn brand(
    shared: web::Data<Web>,
    key: Key<CatalogRead>,
    slug: web::Path<String>,
    _: Params<Nothing>,
) -> Answer {
    let none = |_| ApiProblem::not_found("There is no such brand.");
    let brand = key.brand(&shared, &slug).map_err(none)?;
    ok(&BrandDetail {
        declared: shared.app.declaration_of(&brand),
        revision: shared.app.revision(),
    })
}

/// The versions of a form, newest first; at most 500.
#[utoipa::path(get, path = "/api/v1/forms/{form}/versions", operation_id = "listFormVersions", tag = "Catalog",
    params(("form" = String, Path, example = "news")), security(("key" = ["catalog:read"])),
    responses((status = 200, description = "Its versions", body = Page<VersionItem>)))]
pub async fn versions(
    shared: web::Data<Web>,
    key: Key<CatalogRead>,
    slug: web::Path<String>,
    _: Params<Nothing>,
) -> Answer {
    let found = shared.app.form_named(&slug);
    let found = found.filter(|(brand, _)| key.key.sees(brand.id));
    let (_, form) = found.ok_or_else(|| ApiProblem::not_found("There is no such form."))?;
    let versions = shared.app.versions_of(&form).await?.into_iter();
    let items = versions.map(|(version, created_at)| VersionItem {
        current: version == form.current.as_str(),
        version,
        created_at: created_at.to_string(),
    });
    ok(&all(items.collect()))
}

/// What people can agree to.
#[utoipa::path(get, path = "/api/v1/purposes", operation_id = "listPurposes", tag = "Catalog", params(OfBrand),
    security(("key" = ["catalog:read"])),
    responses((status = 200, description = "All of them", body = Page<PurposeItem>)))]
pub async fn purposes(
    shared: web::Data<Web>,
    key: Key<CatalogRead>,
    query: Params<OfBrand>,
) -> Answer {
    let mut items = Vec::new();
    for brand in asked(&key, &shared, query.0.brand.as_deref())? {
        items.extend(brand.declared.purposes.iter().map(|purpose| PurposeItem {
            brand: brand.declared.slug.to_string(),
            slug: purpose.slug.to_string(),
            name: purpose.name.clone(),
            wording: purpose.wording.clone(),
        }));
    }
    ok(&all(items))
}

/// Where people sign up.
#[utoipa::path(get, path = "/api/v1/forms", operation_id = "listForms", tag = "Catalog", params(OfBrand),
    security(("key" = ["catalog:read"])),
    responses((status = 200, description = "All of them", body = Page<FormItem>)))]
pub async fn forms(
    shared: web::Data<Web>,
    key: Key<CatalogRead>,
    query: Params<OfBrand>,
) -> Answer {
    let catalog = shared.app.catalog();
    let mut items = Vec::new();
    for brand in asked(&key, &shared, query.0.brand.as_deref())? {
        items.extend(catalog.forms_of(brand.id).map(|form| FormItem {
            brand: brand.declared.slug.to_string(),
            slug: form.declared.slug.to_string(),
            version: form.current.as_str().to_owned(),
            languages: form.declared.languages.clone(),
            purposes: slugs(form.declared.purposes.iter()),
            choices: slugs(form.declared.choices.iter()),
            url: shared.app.url(&format!("/f/{}", form.declared.slug)),
        }));
    }
    items.sort_by(|one, other| (&one.brand, &one.slug).cmp(&(&other.brand, &other.slug)));
    ok(&all(items))
}

fn slugs<'a>(all: impl Iterator<Item = &'a crate::domain::brand::Slug>) -> Vec<String> {
    all.map(ToString::to_string).collect()
}
