//! Brands and forms in memory: every request reads them, few change them.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::domain::brand::{Brand, BrandDeclaration};
use crate::domain::form::{Form, FormContent, FormDeclaration, VersionHash};
use crate::domain::ids::{BrandId, FormId};
use crate::store::{Store, StoreError, brands, settings};

/// The setting that changes whenever brands or forms do.
pub const REVISION: &str = "catalog_revision";

/// Everything declared. Replaced as a whole, never changed in place.
#[derive(Debug, Default)]
pub struct Catalog {
    pub revision: Option<String>,
    pub brands: Vec<Arc<Brand>>,
    forms: HashMap<String, Arc<Form>>,
    forms_by_id: HashMap<FormId, Arc<Form>>,
}

impl Catalog {
    pub fn form(&self, slug: &str) -> Option<&Arc<Form>> {
        self.forms.get(slug)
    }

    /// The brand that had a form of this name and retired it.
    pub fn retired_from(&self, slug: &str) -> Option<BrandId> {
        let mut all = self.forms_by_id.values();
        let form = all.find(|form| form.declared.slug.as_str() == slug)?;
        (!self.forms.contains_key(slug)).then_some(form.brand)
    }

    pub fn form_by_id(&self, id: FormId) -> Option<&Arc<Form>> {
        self.forms_by_id.get(&id)
    }

    pub fn forms_of(&self, brand: BrandId) -> impl Iterator<Item = &Arc<Form>> {
        self.forms.values().filter(move |form| form.brand == brand)
    }

    /// Whether some form of the brand, retired ones too, was ever shown in this version.
    pub fn has_version(&self, brand: BrandId, version: &VersionHash) -> bool {
        self.forms_by_id
            .values()
            .any(|form| form.brand == brand && form.versions.contains_key(version))
    }

    pub fn brand(&self, id: BrandId) -> Option<&Arc<Brand>> {
        self.brands.iter().find(|brand| brand.id == id)
    }

    pub fn brand_by_number(&self, number: u16) -> Option<&Arc<Brand>> {
        self.brands.iter().find(|brand| brand.number == number)
    }

    pub fn brand_by_slug(&self, slug: &str) -> Option<&Arc<Brand>> {
        self.brands
            .iter()
            .find(|brand| brand.declared.slug.as_str() == slug)
    }
}

pub async fn load(store: &Store) -> Result<Catalog, StoreError> {
    let mut conn = store.read().await?;
    // The revision first: a change in between is seen as new again, never missed.
    let revision = settings::find(&mut conn, REVISION).await?;
    let corrupt = |what| move |_| StoreError::Corrupt(what);
    let mut catalog = Catalog {
        revision,
        ..Default::default()
    };
    for row in brands::list_brands(&mut conn).await? {
        let declared: BrandDeclaration =
            serde_json::from_str(&row.declared).map_err(corrupt("brand"))?;
        catalog.brands.push(Arc::new(Brand {
            id: BrandId(row.id),
            number: u16::try_from(row.number).map_err(|_| StoreError::Corrupt("brand number"))?,
            declared,
        }));
    }
    let mut versions: HashMap<FormId, BTreeMap<VersionHash, FormContent>> = HashMap::new();
    for row in brands::list_versions(&mut conn).await? {
        let content: FormContent =
            serde_json::from_str(&row.content).map_err(corrupt("form version"))?;
        versions
            .entry(FormId(row.form_id))
            .or_default()
            .insert(VersionHash::stored(row.hash), content);
    }
    for row in brands::list_forms(&mut conn).await? {
        let declared: FormDeclaration =
            serde_json::from_str(&row.declared).map_err(corrupt("form"))?;
        let versions = versions.remove(&FormId(row.id)).unwrap_or_default();
        let current = versions
            .keys()
            .find(|hash| hash.as_str() == row.current_version)
            .cloned()
            .ok_or(StoreError::Corrupt("form without its version"))?;
        let form = Arc::new(Form {
            id: FormId(row.id),
            brand: BrandId(row.brand_id),
            declared,
            current,
            versions,
        });
        // A form that is no longer declared takes no signups, but the links that it caused still work.
        if row.retired_at.is_none() {
            catalog.forms.insert(row.slug, form.clone());
        }
        catalog.forms_by_id.insert(form.id, form);
    }
    Ok(catalog)
}
