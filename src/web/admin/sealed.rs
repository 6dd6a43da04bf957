//! `/admin/evidence/sealed`: what is kept sealed of people who were erased, and opening it with the key from the safe.

use actix_web::http::{StatusCode, header};
use actix_web::web::{Data, Query, ReqData};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use uuid::Uuid;

use super::brands::{Choice, brands_of, choices};
use super::frame::Frame;
use super::table::{Asked, Cell, Rows, Table};
use super::{acting, see};
use crate::app::prove::select::Span;
use crate::app::seal::{OpenProblem, Opening, SealedContact, Which};
use crate::domain::ids::ContactId;
use crate::domain::operator::Operator;
use crate::domain::seal::OpeningKey;
use crate::web::Web;
use crate::web::error;
use crate::web::extract::fields::Fields;
use crate::web::page::render;

const PATH: &str = "/admin/evidence/sealed";
/// Erased contacts on a page, and in a file.
const SHOWN: i64 = 50;
const IN_A_FILE: i64 = 1_000;
/// Characters of a reason: it stays in the log for good.
const REASON_AT_MOST: usize = 300;

#[derive(Template)]
#[template(path = "admin/sealed.html")]
struct SealedPage {
    frame: Frame,
    brands: Vec<Choice>,
    brand: String,
    /// What was typed, to be mended.
    address: String,
    reason: String,
    reason_at_most: usize,
    table: Table,
}

fn rows(found: &[SealedContact]) -> Rows {
    Rows {
        caption: "Erased contacts whose proof is sealed, the newest contact first".to_owned(),
        columns: vec![
            ("Contact", false),
            ("Erased", false),
            ("Kept for", false),
            ("Deleted", false),
            ("Opened", true),
            ("Last opened", false),
            ("By, and why", false),
        ],
        rows: found
            .iter()
            .map(|one| {
                let last = one.openings.last();
                vec![
                    Cell::Code(one.contact.to_string()),
                    Cell::Time(one.sealed_at),
                    Cell::text(one.reason.clone()),
                    Cell::text(one.delete_at.to_the_minute()),
                    Cell::Number(i64::try_from(one.openings.len()).unwrap_or(i64::MAX)),
                    Cell::time(last.map(|last| last.at)),
                    last.map_or(Cell::None, |last| {
                        Cell::Text(format!("{}: {}", last.by, last.reason))
                    }),
                ]
            })
            .collect(),
        empty: "Nothing of this brand is sealed.".to_owned(),
    }
}

async fn page(
    request: &HttpRequest,
    shared: &Data<Web>,
    operator: &Operator,
    (asked_brand, asked): (Option<&str>, &Asked),
    filled: Option<(&Fields, StatusCode, String)>,
) -> HttpResponse {
    let (brands, chosen) = choices(&brands_of(shared, operator), asked_brand);
    let limit = if asked.is_csv() { IN_A_FILE } else { SHOWN };
    let before = asked.after.as_deref();
    let before = before
        .and_then(|text| Uuid::parse_str(text).ok())
        .map(ContactId);
    let found = match &chosen {
        Some(brand) => shared.app.sealed_of(brand.id, before, limit).await,
        None => Ok(Vec::new()),
    };
    let found = match found {
        Ok(found) => found,
        Err(problem) => return error::store_failure(request, shared, &problem),
    };
    let brand = chosen.map_or_else(String::new, |brand| brand.declared.slug.to_string());
    let next = found
        .last()
        .filter(|_| i64::try_from(found.len()).is_ok_and(|count| count == limit))
        .map(|last| last.contact.to_string());
    let now = shared.app.clock.now();
    let path = format!("{PATH}?brand={brand}");
    let table = rows(&found).paged(asked, &path, now, next.as_deref(), true);
    if asked.is_csv() {
        return table.csv(&format!("sealed-of-{brand}"));
    }
    let (status, problem) = match &filled {
        Some((_, status, problem)) => (*status, Some(problem.clone())),
        None => (StatusCode::OK, None),
    };
    let typed = |name: &str| {
        let fields = filled.as_ref().map(|filled| filled.0);
        let text = fields.map_or("", |fields| fields.raw(name));
        text.chars().take(400).collect::<String>()
    };
    let frame = Frame::new(shared, operator, "Sealed evidence")
        .at("/admin/evidence")
        .below("Evidence", "/admin/evidence")
        .failing(problem);
    render(
        status,
        &SealedPage {
            frame,
            brands,
            brand,
            address: typed("address"),
            reason: typed("reason"),
            reason_at_most: REASON_AT_MOST,
            table,
        },
    )
}

#[derive(Debug, Default, serde::Deserialize)]
pub struct AskedBrand {
    brand: Option<String>,
}

/// `GET /admin/evidence/sealed`
pub async fn show(
    request: HttpRequest,
    shared: Data<Web>,
    operator: ReqData<Operator>,
    brand: Query<AskedBrand>,
    asked: Query<Asked>,
) -> HttpResponse {
    let what = (brand.brand.as_deref(), &*asked);
    page(&request, &shared, &operator, what, None).await
}

/// What was asked, or why it is not even tried.
fn read(fields: &Fields) -> Result<(OpeningKey, &str, Option<usize>), String> {
    let reason = fields.raw("reason").trim();
    if reason.is_empty()
        || reason.chars().count() > REASON_AT_MOST
        || reason.chars().any(char::is_control)
    {
        return Err(format!(
            "Not opened: say why in 1 to {REASON_AT_MOST} characters, on one line. It stays in the log."
        ));
    }
    let which = match fields.one("which").map(str::parse::<usize>) {
        None => None,
        Some(Ok(number)) if number > 0 => Some(number),
        Some(_) => return Err("Not opened: which erasure is a number, from 1 on.".to_owned()),
    };
    let key = OpeningKey::find(fields.raw("key"))
        .map_err(|problem| format!("Not opened. Of the key file: {problem}."))?;
    Ok((key, reason, which))
}

/// `POST /admin/evidence/sealed`: opens what is sealed of an address with the key from the safe, which is read and forgotten;
/// the answer is an evidence bundle. Who opened it and why stands in the log before anything is sent.
pub async fn open(
    request: HttpRequest,
    shared: Data<Web>,
    operator: ReqData<Operator>,
    fields: Fields,
) -> HttpResponse {
    let (_, chosen) = choices(&brands_of(&shared, &operator), fields.one("brand"));
    let (Some(brand), Some(acting)) = (chosen, acting(&request, &shared)) else {
        return see("/admin/evidence");
    };
    let refuse = async |status, text: String| {
        let asked = Asked::default();
        let what = (fields.one("brand"), &asked);
        let filled = Some((&fields, status, text));
        page(&request, &shared, &operator, what, filled).await
    };
    let (key, reason, which) = match read(&fields) {
        Ok(read) => read,
        Err(text) => return refuse(StatusCode::UNPROCESSABLE_ENTITY, text).await,
    };
    let opening = Opening {
        by: &operator.name,
        reason,
        acting: Some(&acting),
        which: Which::One(which),
    };
    let address = fields.raw("address").trim();
    let opened = shared.app.open_sealed(&brand, address, &key, opening);
    let one = match opened.await.map(|mut all| all.pop()) {
        Ok(Some(one)) => one,
        Ok(None) => return see(PATH),
        Err(OpenProblem::Store(problem)) => {
            return error::store_failure(&request, &shared, &problem);
        }
        Err(problem @ (OpenProblem::Address(_) | OpenProblem::Seal(_))) => {
            let text = format!("Not opened: {problem}.");
            return refuse(StatusCode::UNPROCESSABLE_ENTITY, text).await;
        }
        Err(problem) => {
            return refuse(StatusCode::CONFLICT, format!("Not opened: {problem}.")).await;
        }
    };
    match shared
        .app
        .bundle_of_sealed(&brand, &one, Span::default())
        .await
    {
        Ok(made) => HttpResponse::Ok()
            .insert_header((header::CONTENT_TYPE, "application/zip"))
            .insert_header((
                header::CONTENT_DISPOSITION,
                format!("attachment; filename=\"evidence-{}.zip\"", one.contact),
            ))
            .body(made.bytes),
        Err(problem) => {
            let text = format!("It was opened, and the log says so; but no bundle: {problem}.");
            refuse(StatusCode::CONFLICT, text).await
        }
    }
}
