//! Looking at a form before or after it is declared: its page and its mail as people would get them, and what the linter says.

use actix_web::body::to_bytes;
use actix_web::web;
use mail_parser::MessageParser;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::body::{Body, Input, Params};
use super::key::{CatalogRead, Key};
use super::problem::ApiProblem;
use super::reply::{Answer, ok};
use crate::domain::brand::Brand;
use crate::domain::form::{Form, FormDeclaration};
use crate::mail::lint::{Finding, Flaw};
use crate::web::Web;
use crate::web::error::FieldProblem;
use crate::web::public::form;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PreviewQuery {
    /// One of the form's languages; without it, its first.
    #[param(example = "en")]
    lang: Option<String>,
}

/// A form that is not declared yet, or would be otherwise.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PreviewRequest {
    /// The brand whose form it would be.
    #[schema(example = "acme")]
    brand: String,
    #[schema(value_type = super::declarations::FormInput)]
    form: FormDeclaration,
    /// One of the form's languages; without it, its first.
    #[schema(example = "en")]
    lang: Option<String>,
}

impl Input for PreviewRequest {}

/// A confirmation mail. Its links belong to no request, and do not work.
#[derive(Debug, Serialize, ToSchema)]
pub struct PreviewedMail {
    subject: String,
    text: String,
    html: String,
}

/// What a confirmation mail must not have, or lacks.
#[derive(Debug, Serialize, ToSchema)]
pub struct FindingItem {
    /// `advertising`, `image`, `foreign_link`, `no_sender`, `no_reason`, `no_expiry` or `no_way_out`.
    #[schema(example = "foreign_link")]
    flaw: &'static str,
    /// Where it was found.
    what: String,
    /// What it is, and how to mend it.
    says: &'static str,
}

/// A form as people would see it.
#[derive(Debug, Serialize, ToSchema)]
pub struct PreviewAnswer {
    form: String,
    /// The SHA-256 of the page that shows what a person reads: the version that it is, or would be.
    version: String,
    language: String,
    /// The page, HTML. What it loads lies on this server.
    page: String,
    mail: PreviewedMail,
    /// Empty: the linter finds nothing.
    findings: Vec<FindingItem>,
}

const fn name_of(flaw: Flaw) -> &'static str {
    match flaw {
        Flaw::Advertising => "advertising",
        Flaw::Image => "image",
        Flaw::ForeignLink => "foreign_link",
        Flaw::NoSender => "no_sender",
        Flaw::NoReason => "no_reason",
        Flaw::NoExpiry => "no_expiry",
        Flaw::NoWayOut => "no_way_out",
    }
}

impl From<Finding> for FindingItem {
    fn from(found: Finding) -> Self {
        Self {
            flaw: name_of(found.flaw),
            what: found.what,
            says: found.flaw.says(),
        }
    }
}

async fn answer(shared: &Web, brand: &Brand, form: &Form, lang: Option<String>) -> Answer {
    let offered = &form.declared.languages;
    let language = match lang {
        Some(lang) if !offered.contains(&lang) => {
            let detail = format!("The form's languages are {}.", offered.join(", "));
            return Err(ApiProblem::invalid("lang", detail));
        }
        Some(lang) => lang,
        None => offered.first().cloned().unwrap_or_default(),
    };
    let made = shared.app.preview_confirmation(brand, form, &language);
    let (mail, findings) = made.map_err(|problem| {
        ApiProblem::conflict(format!("The mail of this form cannot be made: {problem}."))
    })?;
    let mail = MessageParser::default().parse(&mail);
    let mail = mail.ok_or_else(|| ApiProblem::unavailable("The mail cannot be read."))?;
    let owned = |text: Option<std::borrow::Cow<'_, str>>| text.unwrap_or_default().into_owned();
    let page = form::preview(shared, brand, form, &language);
    let page = to_bytes(page.into_body()).await;
    let page = page.map_err(|_| ApiProblem::unavailable("The page could not be rendered."))?;
    ok(&PreviewAnswer {
        form: form.declared.slug.to_string(),
        version: form.current.as_str().to_owned(),
        page: String::from_utf8_lossy(&page).into_owned(),
        mail: PreviewedMail {
            subject: mail.subject().unwrap_or_default().to_owned(),
            text: owned(mail.body_text(0)),
            html: owned(mail.body_html(0)),
        },
        findings: findings.into_iter().map(FindingItem::from).collect(),
        language,
    })
}

/// A form as it is declared: its page, its confirmation mail, and what the linter finds in it.
#[utoipa::path(get, path = "/api/v1/forms/{form}/preview", operation_id = "previewForm", tag = "Catalog",
    params(("form" = String, Path, example = "news"), PreviewQuery), security(("key" = ["catalog:read"])),
    responses((status = 200, description = "Page, mail and findings", body = PreviewAnswer)))]
pub async fn show(
    shared: web::Data<Web>,
    key: Key<CatalogRead>,
    slug: web::Path<String>,
    query: Params<PreviewQuery>,
) -> Answer {
    let found = shared.app.form_named(&slug);
    let found = found.filter(|(brand, _)| key.key.sees(brand.id));
    let (brand, form) = found.ok_or_else(|| ApiProblem::not_found("There is no such form."))?;
    answer(&shared, &brand, &form, query.0.lang).await
}

/// The same of a form as it would be. Nothing is declared.
#[utoipa::path(post, path = "/api/v1/forms/preview", operation_id = "previewDraftForm", tag = "Catalog",
    request_body = PreviewRequest, security(("key" = ["catalog:read"])),
    responses((status = 200, description = "Page, mail and findings", body = PreviewAnswer)))]
pub async fn draft(
    shared: web::Data<Web>,
    key: Key<CatalogRead>,
    body: Body<PreviewRequest>,
) -> Answer {
    let PreviewRequest { brand, form, lang } = body.value;
    let brand = key.brand(&shared, &brand)?;
    let form = shared.app.draft(&brand, form).map_err(|problems| {
        let each = problems.into_iter().map(|detail| FieldProblem {
            field: "form".to_owned(),
            detail,
        });
        ApiProblem::fields(each.collect())
    })?;
    answer(&shared, &brand, &form, lang).await
}
