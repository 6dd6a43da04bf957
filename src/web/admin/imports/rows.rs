//! `/admin/imports/{brand}/{id}/rows`: the rows of an import that are kept, one by one.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path, Query, ReqData};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::words;
use crate::app::App;
use crate::app::import::tally::Counts;
use crate::app::import::{ImportTold, KeptRow};
use crate::domain::brand::Brand;
use crate::domain::ids::ImportId;
use crate::domain::operator::Operator;
use crate::domain::policy::{Rule, Verdict};
use crate::store::StoreError;
use crate::web::Web;
use crate::web::admin::frame::Frame;
use crate::web::admin::jobs::{brand_and_id, grouped, tone};
use crate::web::admin::table::sift::{cut, sift};
use crate::web::admin::table::{
    self, Asked, Cell, Choice, Order, PAGE, Paging, Rows, Sifted, Table, Wanted, Wrong,
};
use crate::web::admin::{not_found, takes};
use crate::web::error;
use crate::web::page::render;

/// As in the report.
const COLUMNS: [(&str, bool); 6] = [
    ("Line", true),
    ("Address", false),
    ("Verdict", false),
    ("Rule", false),
    ("Outreach", false),
    ("Reason", false),
];
/// Rows lie in the order in which they were taken in, which is that of the list.
const SORTS: [&str; 1] = ["Line"];

#[derive(Template)]
#[template(path = "admin/import_rows.html")]
struct RowsPage {
    frame: Frame,
    /// Rows of which only a number is kept, and why.
    counted: Vec<(String, &'static str)>,
    /// Rows that told nothing new.
    unchanged: Option<String>,
    import: String,
    table: Table,
}

/// Verdicts and rules that the import came to. No text is looked for: it would be an address in an address.
fn choices(counts: &Counts) -> Vec<Choice> {
    let verdicts: Vec<&str> = counts.verdicts.keys().map(|one| one.as_str()).collect();
    let rules = Rule::ALL.iter().filter(|rule| {
        let mut all = counts.verdicts.values();
        all.any(|rules| rules.contains_key(*rule))
    });
    let rules: Vec<&str> = rules.map(|rule| rule.id()).collect();
    vec![Choice::of("Verdict", &verdicts), Choice::of("Rule", &rules)]
}

fn counted(counts: &Counts) -> Vec<(String, &'static str)> {
    let refused = counts.of(Verdict::Refuse).saturating_sub(counts.left);
    let all = [
        (refused, "that the policy refuses"),
        (counts.broken, "that cannot be read or name no address"),
    ];
    let some = all.into_iter().filter(|one| one.0 > 0);
    some.map(|(rows, what)| (grouped(rows), what)).collect()
}

fn row(brand: &Brand, kept: KeptRow) -> Vec<Cell> {
    let (slug, judgement) = (&brand.declared.slug, kept.judgement);
    let verdict = judgement.verdict.as_str();
    let contact = format!("/admin/contacts/{slug}/{}", kept.contact);
    vec![
        Cell::Number(i64::try_from(kept.line).unwrap_or(i64::MAX)),
        Cell::link(kept.address, contact),
        Cell::State(words(verdict).to_owned(), tone(verdict)),
        Cell::Code(judgement.rule.id().to_owned()),
        Cell::Text(judgement.outreach.as_str().replace('_', " ")),
        Cell::Text(judgement.why),
    ]
}

async fn sifted(
    app: &App,
    (brand, id): (&Brand, ImportId),
    (down, wanted): (bool, &Wanted),
    (after, limit): (Option<i64>, usize),
) -> Result<Sifted<i64>, StoreError> {
    let read = async |after: Option<i64>, count: usize| {
        let (found, further) = app
            .rows_of_import((brand.id, id), (after, down), count + 1)
            .await?;
        let (rows, next) = cut(found, count);
        // Little of the import among the events that were looked through: further on there may be more.
        Ok((rows, next.or(further)))
    };
    let row = |kept| wanted.pick(row(brand, kept));
    sift(limit, after, wanted, read, row).await
}

/// `GET /admin/imports/{brand}/{id}/rows`
pub async fn show(
    request: HttpRequest,
    shared: Data<Web>,
    operator: ReqData<Operator>,
    path: Path<(String, String)>,
    asked: Query<Asked>,
) -> HttpResponse {
    let Some((brand, id)) = brand_and_id(&shared, &operator, (&path.0, &path.1)) else {
        return not_found(&shared, &operator, "This import");
    };
    let id = ImportId(id);
    let told = match shared.app.tell_import(brand.id, id).await {
        Ok(Some(told)) => told,
        Ok(None) => return not_found(&shared, &operator, "This import"),
        Err(problem) => return error::store_failure(&request, &shared, &problem),
    };
    let read = || {
        let order = asked.order(&SORTS)?.unwrap_or(Order::up("Line"));
        let after = match asked.after.as_deref() {
            Some(after) => Some(after.parse::<i64>().map_err(|_| Wrong::After)?),
            None => None,
        };
        let wanted = Wanted::of(&asked, &COLUMNS, choices(&told.counts), false)?;
        Ok::<_, Wrong>((order, after, wanted))
    };
    let (order, after, wanted) = match read() {
        Ok(read) => read,
        Err(wrong) => return table::refuse(&shared, &operator, &wrong),
    };
    if asked.is_csv() {
        let on = format!("the rows of the import {}", told.name);
        if let Err(response) = takes(&request, &shared, on).await {
            return response;
        }
        return file(&shared, (brand, &told), (order, wanted));
    }
    let what = (order.down, &wanted);
    let found = sifted(&shared.app, (&brand, id), what, (after, PAGE)).await;
    let found = match found {
        Ok(found) => found.written(|position| position.to_string()),
        Err(problem) => return error::store_failure(&request, &shared, &problem),
    };
    let import = format!("/admin/imports/{}/{id}", brand.declared.slug);
    let frame = Frame::new(&shared, &operator, "Rows")
        .at("/admin/imports")
        .below("Imports", "/admin/imports")
        .below(&told.name, &import);
    let path = format!("{import}/rows");
    let paging = Paging {
        asked: &asked,
        path: &path,
        now: shared.app.clock.now(),
        sorts: &SORTS,
        order,
        wanted: &wanted,
        may_take: frame.may_take(),
    };
    let rows = Rows {
        caption: format!("Rows of {}", told.name),
        columns: COLUMNS.to_vec(),
        rows: Vec::new(),
        empty: "No row is kept. Those of a list that is being taken in appear here part by part."
            .to_owned(),
    };
    let page = RowsPage {
        table: rows.paged(&paging, found),
        counted: counted(&told.counts),
        unchanged: (told.counts.unchanged > 0).then(|| grouped(told.counts.unchanged)),
        import,
        frame,
    };
    render(StatusCode::OK, &page)
}

/// The rows as a file, as they are wanted, read while it is sent.
fn file(
    shared: &Data<Web>,
    (brand, told): (Arc<Brand>, &ImportTold),
    (order, wanted): (Order, Wanted),
) -> HttpResponse {
    let head = COLUMNS.map(|column| column.0.to_owned()).into();
    let (app, id) = (shared.app.clone(), told.id);
    table::stream(&format!("rows-{}", told.name), head, move |after, limit| {
        let (app, brand, wanted) = (app.clone(), brand.clone(), wanted.clone());
        async move { sifted(&app, (&brand, id), (order.down, &wanted), (after, limit)).await }
    })
}
