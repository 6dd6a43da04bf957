//! `/admin/evidence/sealed`: what is kept sealed of people who were erased, and opening it with the key from the safe.

use actix_web::http::{StatusCode, header};
use actix_web::web::{Data, Query, ReqData};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use uuid::Uuid;

use super::brands::{Choice, brand_of, brands_of, choices};
use super::contact::busy;
use super::frame::Frame;
use super::table::sift::{cut, sift};
use super::table::{self, Asked, Cell, Order, PAGE, Paging, Rows, Sifted, Table, Wanted, Wrong};
use super::{acting, not_found, see};
use crate::app::App;
use crate::app::prove::select::Span;
use crate::app::seal::{OpenProblem, Opening, SealedContact, Which};
use crate::domain::brand::Brand;
use crate::domain::ids::{BrandId, ContactId};
use crate::domain::operator::Operator;
use crate::domain::seal::OpeningKey;
use crate::store::StoreError;
use crate::web::Web;
use crate::web::error;
use crate::web::extract::fields::Fields;
use crate::web::page::render;

const PATH: &str = "/admin/evidence/sealed";
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

const COLUMNS: [(&str, bool); 7] = [
    ("Contact", false),
    ("Erased", false),
    ("Kept for", false),
    ("Deleted", false),
    ("Opened", true),
    ("Last opened", false),
    ("By, and why", false),
];
/// Contacts lie in the order in which the brand came to know them: so do their ids.
const SORTS: [&str; 1] = ["Contact"];

fn row(one: &SealedContact) -> Vec<Cell> {
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
}

async fn sifted(
    app: &App,
    brand: BrandId,
    (down, wanted): (bool, &Wanted),
    (after, limit): (Option<Uuid>, usize),
) -> Result<Sifted<Uuid>, StoreError> {
    let read = async |after: Option<Uuid>, count: usize| {
        let more = i64::try_from(count + 1).unwrap_or(i64::MAX);
        let behind = (after.map(ContactId), down);
        let found = app.sealed_of(brand, behind, more).await?.into_iter();
        Ok(cut(found.map(|one| (one.contact.0, one)).collect(), count))
    };
    sift(limit, after, wanted, read, |one| wanted.pick(row(&one))).await
}

async fn page(
    request: &HttpRequest,
    shared: &Data<Web>,
    operator: &Operator,
    (asked_brand, asked): (Option<&str>, &Asked),
    filled: Option<(&Fields, StatusCode, String)>,
) -> HttpResponse {
    let (brands, chosen) = choices(&brands_of(shared, operator), asked_brand);
    let read = || {
        let order = asked.order(&SORTS)?.unwrap_or(Order::down("Contact"));
        let after = asked.after.as_deref().map(Uuid::parse_str);
        let after = after.transpose().map_err(|_| Wrong::After)?;
        let wanted = Wanted::of(asked, &COLUMNS, Vec::new(), true)?;
        Ok::<_, Wrong>((order, after, wanted))
    };
    let (order, after, wanted) = match read() {
        Ok(read) => read,
        Err(wrong) => return table::refuse(shared, operator, &wrong),
    };
    let slug = |brand: &Brand| brand.declared.slug.to_string();
    if let (true, Some(brand)) = (asked.is_csv(), &chosen) {
        let name = format!("sealed-of-{}", slug(brand));
        let head = COLUMNS.map(|column| column.0.to_owned()).into();
        let (shared, brand) = (shared.clone(), brand.id);
        return table::stream(&name, head, move |after, limit| {
            let (shared, wanted) = (shared.clone(), wanted.clone());
            async move {
                let order = (order.down, &wanted);
                sifted(&shared.app, brand, order, (after, limit)).await
            }
        });
    }
    let found = match &chosen {
        Some(brand) => {
            let order = (order.down, &wanted);
            sifted(&shared.app, brand.id, order, (after, PAGE)).await
        }
        None => Ok(Sifted::nothing()),
    };
    let found = match found {
        Ok(found) => found.written(|next| next.to_string()),
        Err(problem) => return error::store_failure(request, shared, &problem),
    };
    let brand = chosen.as_deref().map_or_else(String::new, slug);
    let path = format!("{PATH}?brand={brand}");
    let paging = Paging {
        asked,
        path: &path,
        now: shared.app.clock.now(),
        sorts: &SORTS,
        order,
        wanted: &wanted,
        may_take: true,
    };
    let rows = Rows {
        caption: "Erased contacts whose proof is sealed".to_owned(),
        columns: COLUMNS.to_vec(),
        rows: Vec::new(),
        empty: "Nothing of this brand is sealed.".to_owned(),
    };
    let table = rows.paged(&paging, found);
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
    // A brand that is named and not found is none, and never another one.
    let named = fields.one("brand").unwrap_or_default();
    let (Some(brand), Some(acting)) = (
        brand_of(&shared, &operator, named),
        acting(&request, &shared),
    ) else {
        return not_found(&shared, &operator, "This brand");
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
    let Ok(_turn) = shared.bundles.try_acquire() else {
        return busy(&shared, &operator);
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
