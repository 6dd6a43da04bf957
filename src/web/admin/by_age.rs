//! The tables of imports and of campaigns, of several brands together. As long as all rows are at hand they sort by any column;
//! beyond that the database pages through them by their ids, which tell when each began.

use std::sync::Arc;

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use uuid::Uuid;

use super::table::sift::{cut, sift};
use super::table::{self, Asked, Cell, Choice, Order, PAGE, Paging, Rows, Table, Wanted, Wrong};
use crate::domain::brand::Brand;
use crate::domain::operator::Operator;
use crate::store::StoreError;
use crate::web::Web;
use crate::web::error;

/// So many rows are read whole.
pub const AT_HAND: usize = 500;

/// A table of things that began at some time.
pub struct ByAge {
    pub path: &'static str,
    /// The name of its file.
    pub file: &'static str,
    /// The heading of the column that says when.
    pub began: &'static str,
    /// What stands in its column "State".
    pub states: &'static [&'static str],
    pub brands: Vec<Arc<Brand>>,
    /// The table without rows.
    pub rows: Rows,
}

/// The table, or the answer in the page's place: a file, or what went wrong. `read` is given a brand, behind which row, whether
/// the newest come first, and how many at most; it answers with the brand's rows in that order, each with its id.
pub async fn table<F>(
    (request, shared, operator): (&HttpRequest, &Data<Web>, &Operator),
    of: ByAge,
    (asked, may_take): (&Asked, bool),
    read: impl Fn(Arc<Brand>, Option<Uuid>, bool, usize) -> F + Clone + 'static,
) -> Result<Table, HttpResponse>
where
    F: Future<Output = Result<Vec<(Uuid, Vec<Cell>)>, StoreError>> + 'static,
{
    let failed = |problem| error::store_failure(request, shared, &problem);
    let refused = |wrong: Wrong| table::refuse(shared, operator, &wrong);
    let now = shared.app.clock.now();
    let brands = of.brands;
    let read = move |after: Option<Uuid>, down: bool, limit: usize| {
        let of_brands = brands.iter().cloned();
        let each: Vec<F> = of_brands
            .map(|brand| read(brand, after, down, limit))
            .collect();
        merged(each, down, limit)
    };
    let newest = read(None, true, AT_HAND + 1).await.map_err(failed)?;
    if newest.len() <= AT_HAND {
        let rows = Rows {
            rows: newest.into_iter().map(|row| row.1).collect(),
            ..of.rows
        };
        let arranged = rows.arrange(asked, of.path, now, may_take);
        let arranged = arranged.map_err(refused)?;
        return if asked.is_csv() {
            Err(arranged.csv(of.file))
        } else {
            Ok(arranged)
        };
    }
    let sorts = [of.began];
    let order = asked.order(&sorts).map_err(refused)?;
    let order = order.unwrap_or(Order::down(of.began));
    let after = asked.after.as_deref().map(Uuid::parse_str).transpose();
    let after = after.map_err(|_| refused(Wrong::After))?;
    let states = vec![Choice::of("State", of.states)];
    let wanted = Wanted::of(asked, &of.rows.columns, states, true).map_err(refused)?;
    let sieve = wanted.clone();
    let page = move |after: Option<Uuid>, limit: usize| {
        let (read, wanted) = (read.clone(), sieve.clone());
        async move {
            let some = async |after: Option<Uuid>, count: usize| {
                Ok(cut(read(after, order.down, count + 1).await?, count))
            };
            sift(limit, after, &wanted, some, |row| wanted.pick(row)).await
        }
    };
    if asked.is_csv() {
        let head = of.rows.columns.iter().map(|column| column.0.to_owned());
        return Err(table::stream(of.file, head.collect(), page));
    }
    let found = page(after, PAGE).await.map_err(failed)?;
    let paging = Paging {
        asked,
        path: of.path,
        now,
        sorts: &sorts,
        order,
        wanted: &wanted,
        may_take,
    };
    Ok(of
        .rows
        .paged(&paging, found.written(|next| next.to_string())))
}

/// Puts the rows of several brands together, those that come first.
async fn merged<F>(
    each: Vec<F>,
    down: bool,
    limit: usize,
) -> Result<Vec<(Uuid, Vec<Cell>)>, StoreError>
where
    F: Future<Output = Result<Vec<(Uuid, Vec<Cell>)>, StoreError>>,
{
    let mut all = Vec::new();
    for one in each {
        all.extend(one.await?);
    }
    all.sort_by_key(|one| one.0);
    if down {
        all.reverse();
    }
    all.truncate(limit);
    Ok(all)
}
