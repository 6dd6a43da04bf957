//! `/admin/campaigns`: all campaigns, with their numbers.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Query, ReqData};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::{DONE, kind_words, state_words};
use crate::domain::operator::Operator;
use crate::web::Web;
use crate::web::admin::frame::{Done, Frame};
use crate::web::admin::jobs::{brands, tone};
use crate::web::admin::table::{self, Asked, Cell, Rows, Table};
use crate::web::error;
use crate::web::page::render;

#[derive(Template)]
#[template(path = "admin/campaigns.html")]
struct CampaignsPage {
    frame: Frame,
    table: Table,
}

/// `GET /admin/campaigns`
pub async fn list(
    request: HttpRequest,
    shared: Data<Web>,
    operator: ReqData<Operator>,
    done: Query<Done>,
    asked: Query<Asked>,
) -> HttpResponse {
    let now = shared.app.clock.now();
    let mut rows = Vec::new();
    for brand in brands(&shared, &operator) {
        let all = match shared.app.campaigns_told(&brand).await {
            Ok(all) => all,
            Err(problem) => return error::store_failure(&request, &shared, &problem),
        };
        rows.extend(all.into_iter().map(|told| {
            let path = format!("/admin/campaigns/{}/{}", brand.declared.slug, told.id);
            let cells = vec![
                Cell::link(told.name, path),
                Cell::State(state_words(&told.state).to_owned(), tone(&told.state)),
                Cell::Number(told.enrolled),
                Cell::Number(told.asked),
                Cell::Number(told.accepted),
                Cell::Number(told.confirmed),
                Cell::Number(told.declined + told.left),
                Cell::Number(told.failed),
                Cell::text(&brand.declared.name),
                Cell::text(kind_words(told.plan.kind)),
                Cell::Text(told.plan.purpose.to_string()),
                Cell::Text(told.why.unwrap_or_default()),
                Cell::Time(told.started_at),
                Cell::time(told.ended_at),
            ];
            (told.started_at, cells)
        }));
    }
    rows.sort_by_key(|row| std::cmp::Reverse(row.0));
    let rows = Rows {
        caption: "Campaigns".to_owned(),
        columns: vec![
            ("Name", false),
            ("State", false),
            ("People", true),
            ("Asked", true),
            ("Accepted", true),
            ("Confirmed", true),
            ("Said no", true),
            ("Failed", true),
            ("Brand", false),
            ("Kind", false),
            ("Purpose", false),
            ("Stopped for", false),
            ("Began", false),
            ("Ended", false),
        ],
        rows: rows.into_iter().map(|row| row.1).collect(),
        empty: "Nobody was asked yet. Begin with “New campaign”: it shows whom it would ask, and the mail, before anything is \
                sent; countersign campaign start does the same on the command line."
            .to_owned(),
    };
    let frame = Frame::new(&shared, &operator, "Campaigns")
        .at("/admin/campaigns")
        .noticing(done.done.as_deref(), &DONE);
    let table = match rows.arrange(&asked, "/admin/campaigns", now, frame.may_take()) {
        Ok(table) => table,
        Err(wrong) => return table::refuse(&shared, &operator, &wrong),
    };
    if asked.is_csv() {
        return table.csv("campaigns");
    }
    render(StatusCode::OK, &CampaignsPage { frame, table })
}
