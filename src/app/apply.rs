//! Declaring brands, purposes and forms: a plan first, then one transaction. Applied again it changes nothing.

use std::fmt::Write as _;

use serde::Deserialize;
use serde_json::{Value, json};

use super::App;
use super::acted::Acting;
use super::catalog::{Catalog, REVISION};
use crate::domain::brand::{BrandDeclaration, Slug};
use crate::domain::form::{FormContent, problems_of};
use crate::domain::ids::{BrandId, ContactId, FormId};
use crate::domain::operator::Deed;
use crate::store::brands::{self, FormRow, NewVersion};
use crate::store::locks::Locks;
use crate::store::set::Writes;
use crate::store::{StoreError, contacts, events, settings};
use crate::texts::Texts;

/// A file of declarations.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Declarations {
    #[serde(default, rename = "brand")]
    pub brands: Vec<BrandDeclaration>,
}

/// Why a file cannot be applied.
#[derive(Debug, thiserror::Error)]
pub enum ApplyProblem {
    #[error("the file is not right:\n{0}")]
    File(String),
    #[error("the declarations are not right:\n{}", .0.iter().map(|p| format!("  - {p}")).collect::<Vec<_>>().join("\n"))]
    Declarations(Vec<String>),
    /// Brands or forms are not what they were when the change was made up.
    #[error("somebody else changed brands or forms meanwhile; try again")]
    Overtaken,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// How often whoever declares the whole tries again because somebody else was faster.
const ROUNDS: usize = 5;
/// So many contacts that hold consent are counted for a plan, and so many contacts are looked at for that, in parts.
const CONSENTING_AT_MOST: usize = 10_000;
const LOOKED_AT_AT_MOST: usize = 1_000_000;
const LOOKED_AT_ONCE: i64 = 10_000;

/// One step of a plan, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    AddBrand(String),
    ChangeBrand(String),
    AddForm(String),
    /// New wording, boxes, purposes or languages: a new version with this name.
    NewVersion(String, String),
    /// Settings that no person reads: origins, redirects, limits.
    ChangeForm(String),
    /// Declared before and not any more: takes no signups; its links still work.
    RetireForm(String),
    /// Declared before and not any more: what contacts gave for it stands in no answer.
    RemovePurpose {
        brand: String,
        purpose: String,
        /// None in a plan that nobody counted for ([`planned`] does).
        consenting: Option<Consenting>,
    },
}

/// How many contacts hold consent, counted as far as [`CONSENTING_AT_MOST`] and [`LOOKED_AT_AT_MOST`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Consenting {
    pub contacts: usize,
    pub or_more: bool,
}

impl std::fmt::Display for Consenting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.contacts, self.or_more) {
            (0, false) => f.write_str("nobody holds consent for it"),
            (0, true) => f.write_str("contacts may hold consent for it, which stays on record"),
            (1, false) => f.write_str("1 contact holds consent for it, which stays on record"),
            (many, or_more) => {
                let or_more = if or_more { " or more" } else { "" };
                write!(
                    f,
                    "{many}{or_more} contacts hold consent for it, which stays on record"
                )
            }
        }
    }
}

impl std::fmt::Display for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::AddBrand(slug) => write!(f, "+ brand {slug}"),
            Self::ChangeBrand(slug) => write!(f, "~ brand {slug}"),
            Self::AddForm(slug) => write!(f, "+ form {slug}"),
            Self::NewVersion(slug, hash) => {
                write!(
                    f,
                    "~ form {slug}: new version {}",
                    &hash[..12.min(hash.len())]
                )
            }
            Self::ChangeForm(slug) => write!(f, "~ form {slug}: settings"),
            Self::RetireForm(slug) => write!(f, "- form {slug}: takes no signups any more"),
            Self::RemovePurpose {
                brand,
                purpose,
                consenting,
            } => {
                write!(f, "- purpose {purpose} of brand {brand}: ")?;
                if let Some(consenting) = consenting {
                    write!(f, "{consenting}; ")?;
                }
                f.write_str("permission answers for it no more")
            }
        }
    }
}

impl Step {
    /// For programs: what happens, to what, and under which version.
    pub fn as_json(&self) -> Value {
        match self {
            Self::AddBrand(slug) => json!({ "step": "add_brand", "brand": slug }),
            Self::ChangeBrand(slug) => json!({ "step": "change_brand", "brand": slug }),
            Self::AddForm(slug) => json!({ "step": "add_form", "form": slug }),
            Self::NewVersion(slug, hash) => {
                json!({ "step": "new_version", "form": slug, "version": hash })
            }
            Self::ChangeForm(slug) => json!({ "step": "change_form", "form": slug }),
            Self::RetireForm(slug) => json!({ "step": "retire_form", "form": slug }),
            Self::RemovePurpose {
                brand,
                purpose,
                consenting,
            } => json!({
                "step": "remove_purpose", "brand": brand, "purpose": purpose,
                "contacts": consenting.map(|one| one.contacts), "or_more": consenting.map(|one| one.or_more)
            }),
        }
    }
}

/// What changes, in short: for the log of what operators do. As many steps as there is room for.
pub fn in_short(steps: &[Step]) -> String {
    const ROOM: usize = 270;
    let mut text = String::new();
    for (at, step) in steps.iter().enumerate() {
        let step = step.to_string();
        if text.chars().count() + step.chars().count() > ROOM {
            let _ = write!(text, "; and {} more", steps.len() - at);
            break;
        }
        let between = if at == 0 { "" } else { "; " };
        let _ = write!(text, "{between}{step}");
    }
    text
}

/// Reads and checks a file's text.
pub fn parse(text: &str) -> Result<Declarations, ApplyProblem> {
    let declarations: Declarations =
        toml::from_str(text).map_err(|error| ApplyProblem::File(error.to_string()))?;
    check(&declarations)?;
    Ok(declarations)
}

/// What is wrong with declarations by themselves, whatever is declared already.
pub fn check(declarations: &Declarations) -> Result<(), ApplyProblem> {
    let mut problems: Vec<String> = declarations.brands.iter().flat_map(problems_of).collect();
    let mut slugs: Vec<&str> = declarations
        .brands
        .iter()
        .flat_map(|brand| brand.forms.iter().map(|form| form.slug.as_str()))
        .collect();
    slugs.sort_unstable();
    for pair in slugs.windows(2).filter(|pair| pair[0] == pair[1]) {
        problems.push(format!(
            "form \"{}\" stands there twice; forms have one name each in the installation",
            pair[0]
        ));
    }
    let mut brands: Vec<&str> = declarations
        .brands
        .iter()
        .map(|brand| brand.slug.as_str())
        .collect();
    brands.sort_unstable();
    for pair in brands.windows(2).filter(|pair| pair[0] == pair[1]) {
        problems.push(format!("brand \"{}\" stands there twice", pair[0]));
    }
    if declarations.brands.is_empty() {
        problems.push("there is no [[brand]] in it".to_owned());
    }
    if problems.is_empty() {
        Ok(())
    } else {
        Err(ApplyProblem::Declarations(problems))
    }
}

pub(super) fn content_of(
    brand: &BrandDeclaration,
    form: &crate::domain::form::FormDeclaration,
) -> FormContent {
    FormContent::compose(brand, form, &|key, language, brand_name| {
        Texts::of(language).arg(key, "brand", brand_name)
    })
}

/// What applying would change.
pub fn plan(catalog: &Catalog, declarations: &Declarations) -> Result<Vec<Step>, ApplyProblem> {
    let mut steps = Vec::new();
    let mut problems = Vec::new();
    for declared in &declarations.brands {
        let known = catalog.brand_by_slug(declared.slug.as_str());
        match known {
            None => steps.push(Step::AddBrand(declared.slug.to_string())),
            Some(brand) if without_forms(&brand.declared) != without_forms(declared) => {
                steps.push(Step::ChangeBrand(declared.slug.to_string()));
            }
            Some(_) => {}
        }
        for form in &declared.forms {
            let slug = form.slug.to_string();
            let Some(existing) = catalog.form(&slug) else {
                // Its versions stay with the brand whose people saw them.
                if let Some(had) = catalog.retired_from(&slug)
                    && known.is_none_or(|brand| brand.id != had)
                {
                    problems.push(format!(
                        "form \"{slug}\" belonged to another brand, which retired it; choose another name"
                    ));
                    continue;
                }
                steps.push(Step::AddForm(slug));
                continue;
            };
            if known.is_none_or(|brand| brand.id != existing.brand) {
                problems.push(format!(
                    "form \"{slug}\" belongs to another brand; choose another name"
                ));
                continue;
            }
            let version = content_of(declared, form).hash();
            if version != existing.current {
                steps.push(Step::NewVersion(slug, version.as_str().to_owned()));
            } else if existing.declared != *form {
                steps.push(Step::ChangeForm(slug));
            }
        }
        if let Some(brand) = known {
            let stays = |slug: &Slug| declared.purposes.iter().any(|own| own.slug == *slug);
            let before = brand.declared.purposes.iter().map(|one| &one.slug);
            steps.extend(
                before
                    .filter(|slug| !stays(slug))
                    .map(|slug| Step::RemovePurpose {
                        brand: declared.slug.to_string(),
                        purpose: slug.to_string(),
                        consenting: None,
                    }),
            );
            for form in catalog.forms_of(brand.id) {
                if !declared
                    .forms
                    .iter()
                    .any(|own| own.slug == form.declared.slug)
                {
                    steps.push(Step::RetireForm(form.declared.slug.to_string()));
                }
            }
        }
    }
    if problems.is_empty() {
        Ok(steps)
    } else {
        Err(ApplyProblem::Declarations(problems))
    }
}

/// What applying would change, with how many people it concerns.
pub async fn planned(app: &App, declarations: &Declarations) -> Result<Vec<Step>, ApplyProblem> {
    let catalog = app.catalog();
    let steps = plan(&catalog, declarations)?;
    counted(app, &catalog, steps).await
}

async fn counted(
    app: &App,
    catalog: &Catalog,
    mut steps: Vec<Step>,
) -> Result<Vec<Step>, ApplyProblem> {
    for step in &mut steps {
        if let Step::RemovePurpose {
            brand,
            purpose,
            consenting,
        } = step
            && let Some(brand) = catalog.brand_by_slug(brand)
        {
            *consenting = Some(count_consenting(app, brand.id, purpose).await?);
        }
    }
    Ok(steps)
}

async fn count_consenting(
    app: &App,
    brand: BrandId,
    purpose: &str,
) -> Result<Consenting, StoreError> {
    let mut conn = app.store.read().await?;
    let (mut contacts, mut looked_at) = (0, 0);
    let mut after = ContactId(uuid::Uuid::nil());
    loop {
        let part =
            contacts::list_consenting(&mut conn, brand, purpose, after, LOOKED_AT_ONCE).await?;
        contacts += part.iter().filter(|one| one.1).count();
        looked_at += part.len();
        let is_last = (part.len() as i64) < LOOKED_AT_ONCE;
        match part.last() {
            Some(last) if !is_last => after = last.0,
            _ => break,
        }
        if contacts >= CONSENTING_AT_MOST || looked_at >= LOOKED_AT_AT_MOST {
            return Ok(Consenting {
                contacts: contacts.min(CONSENTING_AT_MOST),
                or_more: true,
            });
        }
    }
    Ok(Consenting {
        contacts: contacts.min(CONSENTING_AT_MOST),
        or_more: contacts > CONSENTING_AT_MOST,
    })
}

/// The known brands whose terms, by which the consent policy judges, would change. What was given before stays as it was judged.
pub fn newly_judged(catalog: &Catalog, declarations: &Declarations) -> Vec<String> {
    let terms = |brand: &BrandDeclaration| {
        (
            brand.time_zone.clone(),
            brand.overlays.clone(),
            (brand.role_addresses, brand.responsible.clone()),
            (brand.active_within_months, brand.hold_until_confirmed),
        )
    };
    let changes = |declared: &&BrandDeclaration| {
        let known = catalog.brand_by_slug(declared.slug.as_str());
        known.is_some_and(|brand| terms(&brand.declared) != terms(declared))
    };
    let changed = declarations.brands.iter().filter(changes);
    changed.map(|declared| declared.slug.to_string()).collect()
}

fn without_forms(brand: &BrandDeclaration) -> BrandDeclaration {
    BrandDeclaration {
        forms: Vec::new(),
        ..brand.clone()
    }
}

/// Applies the declarations in one transaction: all of it or nothing.
pub async fn apply(app: &App, declarations: &Declarations) -> Result<Vec<Step>, ApplyProblem> {
    whole(app, declarations, None).await
}

/// The same on the command line: that it was done is kept with it, in these words.
pub async fn apply_on_command_line(
    app: &App,
    declarations: &Declarations,
    on: String,
) -> Result<Vec<Step>, ApplyProblem> {
    whole(app, declarations, Some((None, Deed::Declared, on))).await
}

async fn whole(
    app: &App,
    declarations: &Declarations,
    deed: Option<Told<'_>>,
) -> Result<Vec<Step>, ApplyProblem> {
    for _ in 0..ROUNDS {
        match apply_to(app, declarations, &app.revision(), deed.clone()).await {
            Err(ApplyProblem::Overtaken) => app.refresh_catalog().await?,
            done => return done,
        }
    }
    Err(ApplyProblem::Overtaken)
}

/// What is kept of a change in the log of what operators do: of whom, nobody being the command line; and in which words.
pub type Told<'a> = (Option<&'a Acting>, Deed, String);

/// The same to what stood at a revision, and to nothing else: whether that still stands is asked in the transaction, so that of
/// two who change it at once the later one is told. `deed` is kept with it.
pub async fn apply_to(
    app: &App,
    declarations: &Declarations,
    revision: &str,
    deed: Option<Told<'_>>,
) -> Result<Vec<Step>, ApplyProblem> {
    let catalog = app.catalog();
    if catalog.revision.as_deref().unwrap_or_default() != revision {
        return Err(ApplyProblem::Overtaken);
    }
    let steps = plan(&catalog, declarations)?;
    if steps.is_empty() {
        return Ok(steps);
    }
    let steps = counted(app, &catalog, steps).await?;
    let now = app.clock.now();
    let mut held = app.store.hold_to_write(Locks::declarations()).await?;
    let tx = held.conn();
    let stands = settings::find(tx, REVISION).await?;
    if stands.as_deref().unwrap_or_default() != revision {
        return Err(ApplyProblem::Overtaken);
    }
    for declared in &declarations.brands {
        let brand = catalog
            .brand_by_slug(declared.slug.as_str())
            .map_or_else(|| BrandId(app.random.uuid_v7(now)), |brand| brand.id);
        let text = serde_json::to_string(&without_forms(declared))
            .map_err(|_| StoreError::Corrupt("brand"))?;
        brands::put_brand(tx, brand.0, declared.slug.as_str(), &text, now).await?;
        for form in &declared.forms {
            let content = content_of(declared, form);
            let version = content.hash();
            let id = catalog
                .form(form.slug.as_str())
                .map_or_else(|| FormId(app.random.uuid_v7(now)), |form| form.id);
            let row = FormRow {
                id: id.0,
                brand_id: brand.0,
                slug: form.slug.to_string(),
                declared: serde_json::to_string(form).map_err(|_| StoreError::Corrupt("form"))?,
                current_version: version.as_str().to_owned(),
                retired_at: None,
            };
            brands::put_form(tx, &row).await?;
            let kept = NewVersion {
                form_slug: form.slug.as_str(),
                hash: version.as_str(),
                content: &content.canonical(),
                shown: &content.shown(),
            };
            brands::put_version(tx, &kept, now).await?;
        }
    }
    for step in &steps {
        if let Step::RetireForm(slug) = step {
            brands::retire_form(tx, slug, now).await?;
        }
    }
    let revision = app.random.uuid_v7(now).to_string();
    settings::put(tx, REVISION, &revision).await?;
    let mut writes = Writes::default();
    if let Some((by, deed, on)) = deed {
        events::append(&mut writes, &[app.deed_by(by, deed, on)?]);
    }
    held.finish_with(writes).await?;
    app.refresh_catalog().await?;
    Ok(steps)
}
