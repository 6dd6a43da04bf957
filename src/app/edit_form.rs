//! Forms and brands as operators change them: looked at before, written as `apply` writes them.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::App;
use super::acted::Acting;
use super::apply::{ApplyProblem, Declarations, Step, apply_to, content_of};
use crate::domain::brand::{Brand, BrandDeclaration, Slug, in_language};
use crate::domain::form::{Form, FormDeclaration, problems_of};
use crate::domain::ids::{FormId, RequestId};
use crate::domain::operator::Deed;
use crate::domain::time::Timestamp;
use crate::domain::token::Purpose;
use crate::mail::compose::{ComposeProblem, ConfirmationMail};
use crate::mail::lint::{Expected, Finding, lint};
use crate::store::{StoreError, brands};

#[derive(Debug, thiserror::Error)]
pub enum EditProblem {
    /// Each says what to do.
    #[error("{}", .0.join(" "))]
    Wrong(Vec<String>),
    #[error(
        "somebody else changed brands or forms meanwhile; look at what they did, and change it again"
    )]
    Overtaken,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<ApplyProblem> for EditProblem {
    fn from(problem: ApplyProblem) -> Self {
        match problem {
            ApplyProblem::Store(problem) => Self::Store(problem),
            ApplyProblem::Declarations(problems) => Self::Wrong(problems),
            ApplyProblem::File(problem) => Self::Wrong(vec![problem]),
            ApplyProblem::Overtaken => Self::Overtaken,
        }
    }
}

impl App {
    /// A brand with all its forms, as its file would declare them.
    pub fn declaration_of(&self, brand: &Brand) -> BrandDeclaration {
        let catalog = self.catalog();
        let mut forms: Vec<FormDeclaration> = catalog
            .forms_of(brand.id)
            .map(|form| form.declared.clone())
            .collect();
        forms.sort_by(|one, other| one.slug.cmp(&other.slug));
        BrandDeclaration {
            forms,
            ..brand.declared.clone()
        }
    }

    /// What changes with every change of brands and forms.
    pub fn revision(&self) -> String {
        self.catalog().revision.clone().unwrap_or_default()
    }

    /// Writes a brand as it was changed; `revision` is the one that whoever changed it had before them. What the change left as
    /// it was comes from the catalog, which the caller has read anew.
    pub async fn change_brand(
        &self,
        acting: &Acting,
        declared: BrandDeclaration,
        revision: &str,
        (deed, on): (Deed, String),
    ) -> Result<Vec<Step>, EditProblem> {
        let problems = problems_of(&declared);
        if !problems.is_empty() {
            return Err(EditProblem::Wrong(problems));
        }
        let declarations = Declarations {
            brands: vec![declared],
        };
        Ok(apply_to(
            self,
            &declarations,
            revision,
            Some((Some(acting), deed, on)),
        )
        .await?)
    }

    /// Writes one form, new or changed.
    pub async fn change_form(
        &self,
        acting: &Acting,
        brand: &Brand,
        draft: FormDeclaration,
        revision: &str,
    ) -> Result<Vec<Step>, EditProblem> {
        let on = format!("form {} of brand {}", draft.slug, brand.declared.slug);
        let declared = self.with_form(brand, draft);
        self.change_brand(acting, declared, revision, (Deed::FormChanged, on))
            .await
    }

    /// Takes a form out of use: it takes no signups any more, and the links of its mails still work. Declared anew, it is in use
    /// again.
    pub async fn retire_form(
        &self,
        acting: &Acting,
        brand: &Brand,
        slug: &Slug,
        revision: &str,
    ) -> Result<Vec<Step>, EditProblem> {
        let mut declared = self.declaration_of(brand);
        declared.forms.retain(|form| form.slug != *slug);
        let on = format!("form {slug} of brand {}", brand.declared.slug);
        self.change_brand(acting, declared, revision, (Deed::FormRetired, on))
            .await
    }

    fn with_form(&self, brand: &Brand, draft: FormDeclaration) -> BrandDeclaration {
        let mut declared = self.declaration_of(brand);
        match declared
            .forms
            .iter_mut()
            .find(|form| form.slug == draft.slug)
        {
            Some(form) => *form = draft,
            None => declared.forms.push(draft),
        }
        declared
    }

    /// A form as it would be, or what is wrong with it.
    pub fn draft(&self, brand: &Brand, draft: FormDeclaration) -> Result<Form, Vec<String>> {
        let declared = self.with_form(brand, draft.clone());
        let problems = problems_of(&declared);
        if !problems.is_empty() {
            return Err(problems);
        }
        let content = content_of(&declared, &draft);
        let current = content.hash();
        let catalog = self.catalog();
        let id = catalog
            .form(draft.slug.as_str())
            .map_or(FormId(uuid::Uuid::nil()), |form| form.id);
        Ok(Form {
            id,
            brand: brand.id,
            declared: draft,
            versions: BTreeMap::from([(current.clone(), content)]),
            current,
        })
    }

    /// The confirmation mail that a form causes, to the brand's own address. Its links belong to no request, and do not
    /// work.
    pub fn preview_confirmation(
        &self,
        brand: &Brand,
        form: &Form,
        language: &str,
    ) -> Result<(Vec<u8>, Vec<Finding>), ComposeProblem> {
        let content = &form.versions[&form.current];
        let now = self.clock.now();
        let request = RequestId(self.random.uuid_v7(now));
        let expires_at = now.plus(brand.confirm_within());
        let token = |purpose| self.keys.sign(purpose, brand.number, request.0, expires_at);
        let confirm = format!("/c/{}", token(Purpose::Confirm));
        let code = self.keys.code(self.keys.current_id(), request.0);
        let domain = brand.declared.from_address.rsplit('@').next();
        let mail = ConfirmationMail {
            brand,
            content,
            language,
            purposes: &form.declared.purposes,
            name: None,
            to: &brand.declared.from_address,
            decline_url: self.url(&format!("{confirm}/decline")),
            confirm_url: self.url(&confirm),
            about_url: self.url(&format!("/a/{}", token(Purpose::About))),
            code: code.unwrap_or_default(),
            asked_at: now,
            asked_from: None,
            expires_at,
            message_id: format!("{}@{}", request.0, domain.unwrap_or("localhost")),
            now,
            ask: None,
            by_tablet: false,
            no_page_left: form.leaves_no_page(),
            reminder: false,
            unsubscribe_url: None,
        };
        let mail = mail.compose()?;
        let shown = content.purposes.iter();
        let names = shown.filter(|purpose| !purpose.choice);
        let expected = Expected {
            base_url: &self.config.base_url,
            home_url: brand.declared.home_url.as_deref(),
            privacy_url: brand.declared.privacy_url.as_deref(),
            contact: &brand.declared.contact,
            legal_name: &brand.declared.legal_name,
            postal_address: &brand.declared.postal_address,
            purposes: names
                .map(|purpose| in_language(&purpose.name, language))
                .collect(),
            expires: expires_at.for_people(language),
        };
        let findings = lint(&mail, &expected);
        Ok((mail, findings))
    }

    /// The versions of a form with when each was made, the newest first.
    pub async fn versions_of(&self, form: &Form) -> Result<Vec<(String, Timestamp)>, StoreError> {
        let mut conn = self.store.read().await?;
        brands::list_version_times(&mut conn, form.id.0).await
    }

    /// A form of this name with its brand.
    pub fn form_named(&self, slug: &str) -> Option<(Arc<Brand>, Arc<Form>)> {
        let catalog = self.catalog();
        let form = catalog.form(slug)?.clone();
        let brand = catalog.brand(form.brand)?.clone();
        Some((brand, form))
    }
}
