//! `/admin/new-campaign`: what is asked of whom; counted, with the mail, before it starts.

pub mod draft;
mod typed;

use actix_web::http::StatusCode;
use actix_web::web::{Data, ReqData};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::kind_words;
use crate::app::campaign::{CampaignProblem, NewCampaign};
use crate::domain::campaign::Kind;
use crate::domain::operator::Operator;
use crate::web::Web;
use crate::web::admin::brands::{Choice, brand_of};
use crate::web::admin::frame::Frame;
use crate::web::admin::jobs::{Group, brands, purposes};
use crate::web::admin::{not_found, see};
use crate::web::error;
use crate::web::extract::fields::Fields;
use crate::web::page::render;
use typed::Typed;

/// Imports of a brand that can be chosen from here.
const IMPORTS_AT_MOST: usize = 500;

#[derive(Template)]
#[template(path = "admin/campaign_new.html")]
struct NewPage {
    frame: Frame,
    typed: Typed,
    kinds: Vec<(Choice, &'static str)>,
    purposes: Vec<Group>,
    forms: Vec<Group>,
    imports: Vec<Group>,
    /// Whether a brand has more than can be chosen from.
    more_imports: bool,
    problems: Vec<String>,
}

const fn about(kind: Kind) -> &'static str {
    match kind {
        Kind::Invitation => "People who never confirmed are asked to subscribe.",
        Kind::Reconfirmation => {
            "People whose consent is implicit are asked whether they still want it, before it lapses; or, by time, people who confirmed long ago."
        }
        Kind::MergerNotice => {
            "People of a brand that you took over are told, and asked to stay or to leave."
        }
    }
}

async fn page(
    request: &HttpRequest,
    shared: &Data<Web>,
    operator: &Operator,
    typed: Typed,
    problems: Vec<String>,
) -> HttpResponse {
    let catalog = shared.app.catalog();
    let (mut forms, mut imports, mut more_imports) = (Vec::new(), Vec::new(), false);
    for brand in brands(shared, operator) {
        let slug = &brand.declared.slug;
        let mut choices: Vec<Choice> = catalog
            .forms_of(brand.id)
            .map(|form| {
                let value = format!("{slug}/{}", form.declared.slug);
                Choice::of(&value, form.declared.slug.as_str(), &typed.form)
            })
            .collect();
        choices.sort_by(|one, other| one.label.cmp(&other.label));
        forms.push(Group {
            label: brand.declared.name.clone(),
            choices,
        });
        let newest = (None, true);
        let told = shared
            .app
            .tell_imports_in_order(&brand, newest, IMPORTS_AT_MOST + 1);
        let mut told = match told.await {
            Ok(told) => told,
            Err(problem) => return error::store_failure(request, shared, &problem),
        };
        let mut label = format!("{}, only the import", brand.declared.name);
        if told.len() > IMPORTS_AT_MOST {
            told.truncate(IMPORTS_AT_MOST);
            label = format!(
                "{}, only the import (its newest {IMPORTS_AT_MOST})",
                brand.declared.name
            );
            more_imports = true;
        }
        let there = told
            .into_iter()
            .filter(|told| !told.state.starts_with("withdraw"));
        let choices =
            there.map(|told| Choice::of(&format!("{slug}/{}", told.id), &told.name, &typed.import));
        imports.push(Group {
            label,
            choices: choices.collect(),
        });
    }
    let full = |groups: Vec<Group>| {
        groups
            .into_iter()
            .filter(|group| !group.choices.is_empty())
            .collect()
    };
    let kinds = Kind::ALL.map(|kind| {
        (
            Choice::of(kind.as_str(), kind_words(kind), &typed.kind),
            about(kind),
        )
    });
    let status = if problems.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    };
    let frame = Frame::new(shared, operator, "New campaign")
        .at("/admin/campaigns")
        .below("Campaigns", "/admin/campaigns");
    render(
        status,
        &NewPage {
            frame,
            kinds: kinds.to_vec(),
            purposes: purposes(shared, operator, &typed.wanted),
            forms: full(forms),
            imports: full(imports),
            more_imports,
            typed,
            problems,
        },
    )
}

/// `GET /admin/new-campaign`
pub async fn show(
    request: HttpRequest,
    shared: Data<Web>,
    operator: ReqData<Operator>,
) -> HttpResponse {
    page(
        &request,
        &shared,
        &operator,
        Typed::by_default(),
        Vec::new(),
    )
    .await
}

/// `POST /admin/new-campaign`
pub async fn submit(
    request: HttpRequest,
    shared: Data<Web>,
    operator: ReqData<Operator>,
    fields: Fields,
) -> HttpResponse {
    let typed = Typed::of(&fields);
    let slug = typed
        .wanted
        .split_once('/')
        .map_or("", |parts| parts.0)
        .to_owned();
    let Some(brand) = brand_of(&shared, &operator, &slug) else {
        return not_found(&shared, &operator, "This brand");
    };
    // Form and import are chosen with their brands; those of another brand are not this one's.
    let others = [&typed.form, &typed.import];
    let foreign = others
        .iter()
        .any(|text| text.split_once('/').is_some_and(|parts| parts.0 != slug));
    if foreign {
        let text = "choose a form and an import of the same brand as the purpose".to_owned();
        return page(&request, &shared, &operator, typed, vec![text]).await;
    }
    let plan = match typed.plan(&brand) {
        Ok(plan) => plan,
        Err(problems) => return page(&request, &shared, &operator, typed, problems).await,
    };
    let new = NewCampaign {
        name: typed.name.clone(),
        plan,
    };
    match shared.app.draft_campaign(&brand, &operator.name, new).await {
        Ok(id) => see(&draft::path(&brand, id)),
        Err(CampaignProblem::Store(problem)) => error::store_failure(&request, &shared, &problem),
        Err(CampaignProblem::Plan(problems)) => {
            page(&request, &shared, &operator, typed, problems).await
        }
        Err(problem) => {
            page(
                &request,
                &shared,
                &operator,
                typed,
                vec![problem.to_string()],
            )
            .await
        }
    }
}
