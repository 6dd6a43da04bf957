//! `/admin/settings/operators`: who may do what.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path, Query, ReqData};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::account;
use super::brands::{Unnamed, kept_to, named};
use super::deeds::{Whose, deeds};
use super::frame::{Done, Frame};
use super::table::{self, Asked, Cell, Rows, Table};
use super::{SESSION, acting, cookie_of, not_found, see};
use crate::app::acted::Acting;
use crate::app::operators::{self, Account, OperatorProblem, PASSWORD_AT_LEAST};
use crate::app::sign_in::{SignInProblem, session_hash};
use crate::domain::ids::BrandId;
use crate::domain::operator::{Operator, Role};
use crate::store::StoreError;
use crate::web::Web;
use crate::web::error;
use crate::web::extract::fields::Fields;
use crate::web::page::render;

const DONE: [(&str, &str); 5] = [
    (
        "added",
        "The operator is added. Hand the password over by a way that nobody else reads; they can change it under their name.",
    ),
    (
        "changed",
        "Changed; their sessions have ended, and it holds when they sign in again.",
    ),
    (
        "password",
        "The password is changed; their sessions have ended.",
    ),
    (
        "disabled",
        "The operator is disabled; their sessions have ended. What they did stays in the log.",
    ),
    (
        "factors",
        "Their second factors are gone, and their sessions have ended. They should set new ones up.",
    ),
];

#[derive(Template)]
#[template(path = "admin/operators.html")]
struct OperatorsPage {
    frame: Frame,
    table: Table,
    brands: Vec<(String, String, bool)>,
    name: String,
    role: Role,
    password_at_least: usize,
}

#[derive(Template)]
#[template(path = "admin/operator.html")]
struct OperatorPage {
    frame: Frame,
    account: Account,
    brands: Vec<(String, String, bool)>,
    deeds: Table,
    own: bool,
    password_at_least: usize,
}

/// Each brand with whether it is among some.
fn brands(shared: &Web, among: &[BrandId]) -> Vec<(String, String, bool)> {
    let catalog = shared.app.catalog();
    let all = catalog.brands.iter();
    all.map(|brand| {
        (
            brand.declared.slug.to_string(),
            brand.declared.name.clone(),
            among.contains(&brand.id),
        )
    })
    .collect()
}

/// Why an operator is not added or changed, as the page says it.
enum Not {
    Said(String),
    Store(StoreError),
}

impl From<OperatorProblem> for Not {
    fn from(problem: OperatorProblem) -> Self {
        match problem {
            OperatorProblem::Store(problem) => Self::Store(problem),
            problem => Self::Said(problem.to_string()),
        }
    }
}

impl From<Unnamed> for Not {
    fn from(problem: Unnamed) -> Self {
        match problem {
            Unnamed::Store(problem) => Self::Store(problem),
            problem => Self::Said(problem.to_string()),
        }
    }
}

/// What an operator is to be, and for which brands.
async fn chosen(shared: &Web, fields: &Fields) -> Result<(Role, Vec<BrandId>), Not> {
    let role = Role::parse(fields.raw("role")).ok_or(OperatorProblem::Role)?;
    let brands = named(shared, &fields.all("brands")).await?;
    Ok((role, brands.iter().map(|brand| brand.id).collect()))
}

/// Asks whoever is signed in for their password: a stolen session says not who may do what.
async fn knows_password(shared: &Web, operator: &Operator, fields: &Fields) -> Result<(), Not> {
    match account::knows_password(shared, operator, fields.raw("current")).await {
        Ok(()) => Ok(()),
        Err(SignInProblem::Store(problem)) => Err(Not::Store(problem)),
        Err(SignInProblem::Wrong) => Err(Not::Said(
            "your own password, which this takes, is not the one that you typed".to_owned(),
        )),
        Err(problem) => Err(Not::Said(problem.to_string())),
    }
}

async fn page(
    request: &HttpRequest,
    shared: &Data<Web>,
    operator: &Operator,
    (asked, done): (&Asked, Option<&str>),
    filled: Option<(&Fields, String)>,
) -> HttpResponse {
    let found = async {
        shared.app.refresh_catalog().await?;
        operators::list(&shared.app.store).await
    };
    let accounts = match found.await {
        Ok(accounts) => accounts,
        Err(problem) => return error::store_failure(request, shared, &problem),
    };
    let catalog = shared.app.catalog();
    let rows = Rows {
        caption: "Operators".to_owned(),
        columns: vec![
            ("Name", false),
            ("Role", false),
            ("Brands", false),
            ("Second factor", false),
            ("Stands", false),
            ("Since", false),
        ],
        rows: accounts
            .iter()
            .map(|account| {
                let name = account.operator.name.clone();
                vec![
                    Cell::link(name.clone(), format!("/admin/settings/operators/{name}")),
                    Cell::text(account.operator.role.as_str()),
                    Cell::text(kept_to(&catalog, &account.operator.brands)),
                    if account.has_factor {
                        Cell::State("set up".to_owned(), "good")
                    } else {
                        Cell::State("none".to_owned(), "wait")
                    },
                    match account.disabled_at {
                        Some(_) => Cell::State("disabled".to_owned(), "plain"),
                        None => Cell::State("enabled".to_owned(), "good"),
                    },
                    Cell::Time(account.created_at),
                ]
            })
            .collect(),
        empty: "Nobody.".to_owned(),
    };
    let now = shared.app.clock.now();
    let table = match rows.arrange(asked, "/admin/settings/operators", now, true) {
        Ok(table) => table,
        Err(wrong) => return table::refuse(shared, operator, &wrong),
    };
    if asked.is_csv() {
        return table.csv("operators");
    }
    let (status, name, role, among, problem) = match filled {
        Some((fields, problem)) => {
            let ticked = fields.all("brands");
            let ticked = ticked.iter().filter_map(|slug| catalog.brand_by_slug(slug));
            (
                StatusCode::UNPROCESSABLE_ENTITY,
                fields.raw("name").trim().to_owned(),
                Role::parse(fields.raw("role")).unwrap_or(Role::Viewer),
                ticked.map(|brand| brand.id).collect(),
                Some(problem),
            )
        }
        None => (
            StatusCode::OK,
            String::new(),
            Role::Editor,
            Vec::new(),
            None,
        ),
    };
    let frame = Frame::new(shared, operator, "Operators")
        .at("/admin/settings")
        .below("Settings", "/admin/settings")
        .noticing(done, &DONE)
        .failing(problem);
    render(
        status,
        &OperatorsPage {
            frame,
            table,
            brands: brands(shared, &among),
            name,
            role,
            password_at_least: PASSWORD_AT_LEAST,
        },
    )
}

/// `GET /admin/settings/operators`
pub async fn list(
    request: HttpRequest,
    shared: Data<Web>,
    operator: ReqData<Operator>,
    asked: Query<Asked>,
    done: Query<Done>,
) -> HttpResponse {
    let what = (&*asked, done.done.as_deref());
    page(&request, &shared, &operator, what, None).await
}

/// `POST /admin/settings/operators`: adds one.
pub async fn add(
    request: HttpRequest,
    shared: Data<Web>,
    operator: ReqData<Operator>,
    fields: Fields,
) -> HttpResponse {
    let Some(acting) = acting(&request, &shared) else {
        return see("/admin/sign-in");
    };
    let added = async {
        let (role, among) = chosen(&shared, &fields).await?;
        knows_password(&shared, &operator, &fields).await?;
        let (name, password) = (fields.raw("name").trim(), fields.raw("password"));
        let what = (role, among.as_slice());
        Ok(operators::add(&shared.app, Some(&acting), name, password, what).await?)
    };
    match added.await {
        Ok(()) => see("/admin/settings/operators?done=added"),
        Err(Not::Store(problem)) => error::store_failure(&request, &shared, &problem),
        Err(Not::Said(why)) => {
            let asked = Asked::default();
            let filled = Some((&fields, format!("Not added: {why}.")));
            page(&request, &shared, &operator, (&asked, None), filled).await
        }
    }
}

async fn one(
    request: &HttpRequest,
    shared: &Data<Web>,
    operator: &Operator,
    name: &str,
    (asked, problem): (&Asked, Option<String>),
) -> HttpResponse {
    let found = async {
        shared.app.refresh_catalog().await?;
        let accounts = operators::list(&shared.app.store).await?;
        Ok::<_, StoreError>(accounts.into_iter().find(|one| one.operator.name == name))
    };
    let account = match found.await {
        Ok(Some(found)) => found,
        Ok(None) => return not_found(shared, operator, "This operator"),
        Err(problem) => return error::store_failure(request, shared, &problem),
    };
    let path = format!("/admin/settings/operators/{name}");
    let whose = Whose {
        id: account.operator.id,
        path: &path,
        caption: format!("What {name} did"),
        file: format!("deeds-of-{name}"),
    };
    let deeds = match deeds(request, shared, operator, whose, asked).await {
        Ok(deeds) => deeds,
        Err(response) => return response,
    };
    let status = if problem.is_some() {
        StatusCode::UNPROCESSABLE_ENTITY
    } else {
        StatusCode::OK
    };
    let frame = Frame::new(shared, operator, name)
        .at("/admin/settings")
        .below("Settings", "/admin/settings")
        .below("Operators", "/admin/settings/operators")
        .failing(problem);
    render(
        status,
        &OperatorPage {
            frame,
            brands: brands(shared, &account.operator.brands),
            own: account.operator.id == operator.id,
            account,
            deeds,
            password_at_least: PASSWORD_AT_LEAST,
        },
    )
}

/// `GET /admin/settings/operators/{name}`
pub async fn show(
    request: HttpRequest,
    shared: Data<Web>,
    operator: ReqData<Operator>,
    name: Path<String>,
    asked: Query<Asked>,
) -> HttpResponse {
    one(&request, &shared, &operator, &name, (&asked, None)).await
}

/// Does what stands in the field `do`; answers with what the page says then.
async fn do_it(
    (request, shared): (&HttpRequest, &Web),
    acting: &Acting,
    name: &str,
    fields: &Fields,
) -> Result<&'static str, Not> {
    let app = &shared.app;
    let deed = fields.raw("do");
    // One's own are changed under one's account, by whoever knows the password, and not taken away.
    if name == acting.operator.name && deed != "change" {
        let text = "this is you; your password and second factors are under your account, and another owner disables you";
        return Err(Not::Said(text.to_owned()));
    }
    let chosen = match deed {
        "change" => Some(chosen(shared, fields).await?),
        _ => None,
    };
    knows_password(shared, &acting.operator, fields).await?;
    if let Some((role, among)) = chosen {
        // Of one's own sessions, the one that does it stays.
        let own_session = session_hash(&cookie_of(request, shared, SESSION).unwrap_or_default());
        operators::change(app, acting, name, (role, &among), &own_session).await?;
        return Ok("changed");
    }
    match deed {
        "password" => {
            let password = fields.raw("password");
            operators::set_password(app, Some(acting), name, password, &[]).await?;
            Ok("password")
        }
        "disable" => {
            operators::disable(app, Some(acting), name).await?;
            Ok("disabled")
        }
        _ => match app.reset_factors(Some(acting), name).await {
            Ok(true) => Ok("factors"),
            Ok(false) => Err(OperatorProblem::Unknown.into()),
            Err(problem) => Err(Not::Store(problem)),
        },
    }
}

/// `POST /admin/settings/operators/{name}`: what it does stands in the field `do`. It takes the password of whoever does it.
pub async fn change(
    request: HttpRequest,
    shared: Data<Web>,
    operator: ReqData<Operator>,
    name: Path<String>,
    fields: Fields,
) -> HttpResponse {
    let Some(acting) = acting(&request, &shared) else {
        return see("/admin/sign-in");
    };
    if !["change", "password", "disable", "factors"].contains(&fields.raw("do")) {
        return see("/admin/settings/operators");
    }
    match do_it((&request, &shared), &acting, &name, &fields).await {
        Ok(done) => see(&format!("/admin/settings/operators?done={done}")),
        Err(Not::Store(problem)) => error::store_failure(&request, &shared, &problem),
        Err(Not::Said(why)) => {
            let asked = Asked::default();
            let problem = Some(format!("Not done: {why}."));
            one(&request, &shared, &operator, &name, (&asked, problem)).await
        }
    }
}
