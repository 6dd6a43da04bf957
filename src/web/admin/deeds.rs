//! What an operator did, as a table: on their own page, and for owners.

use actix_web::HttpRequest;
use actix_web::HttpResponse;
use actix_web::web::Data;

use super::table::sift::{cut, sift};
use super::table::{self, Asked, Cell, Order, PAGE, Paging, Rows, Sifted, Table, Wanted, Wrong};
use crate::app::acted::deeds_behind;
use crate::domain::ids::OperatorId;
use crate::domain::operator::Operator;
use crate::domain::sentence::sentence;
use crate::store::{Store, StoreError};
use crate::web::Web;
use crate::web::error;

const COLUMNS: [(&str, bool); 2] = [("When", false), ("What", false)];
const SORTS: [&str; 1] = ["When"];

/// Whose deeds are shown, on which page, under which heading, and as which file.
pub struct Whose<'a> {
    pub id: OperatorId,
    pub path: &'a str,
    pub caption: String,
    pub file: String,
}

/// The table of what somebody did; or the answer in the place of the page, such as the file.
pub async fn deeds(
    request: &HttpRequest,
    shared: &Data<Web>,
    operator: &Operator,
    whose: Whose<'_>,
    asked: &Asked,
) -> Result<Table, HttpResponse> {
    let read = || {
        let order = asked.order(&SORTS)?.unwrap_or(Order::down("When"));
        let after = asked.after.as_deref().map(str::parse::<i64>);
        let after = after.transpose().map_err(|_| Wrong::After)?;
        Ok((order, after, Wanted::of(asked, &COLUMNS, Vec::new(), true)?))
    };
    let (order, after, wanted) =
        read().map_err(|wrong: Wrong| table::refuse(shared, operator, &wrong))?;
    if asked.is_csv() {
        let (shared, id) = (shared.clone(), whose.id);
        let head = COLUMNS.map(|column| column.0.to_owned()).into();
        return Err(table::stream(&whose.file, head, move |after, limit| {
            let (shared, wanted) = (shared.clone(), wanted.clone());
            async move {
                let what = (id, order.down);
                sifted(&shared.app.store, what, &wanted, (after, limit)).await
            }
        }));
    }
    let found = sifted(
        &shared.app.store,
        (whose.id, order.down),
        &wanted,
        (after, PAGE),
    );
    let found = found
        .await
        .map_err(|problem| error::store_failure(request, shared, &problem))?;
    let rows = Rows {
        caption: whose.caption,
        columns: COLUMNS.to_vec(),
        rows: Vec::new(),
        empty: "Nothing yet.".to_owned(),
    };
    let paging = Paging {
        asked,
        path: whose.path,
        now: shared.app.clock.now(),
        sorts: &SORTS,
        order,
        wanted: &wanted,
        may_take: true,
    };
    Ok(rows.paged(&paging, found.written(|next| next.to_string())))
}

async fn sifted(
    store: &Store,
    (id, down): (OperatorId, bool),
    wanted: &Wanted,
    (after, limit): (Option<i64>, usize),
) -> Result<Sifted<i64>, StoreError> {
    let read = async |after: Option<i64>, count: usize| {
        let found = deeds_behind(store, id, (after, down), count + 1).await?;
        Ok(cut(found, count))
    };
    let row = |event: crate::domain::event::Event| {
        wanted.pick(vec![Cell::Time(event.at), Cell::text(sentence(&event))])
    };
    sift(limit, after, wanted, read, row).await
}
