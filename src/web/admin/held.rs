//! `/admin/contacts/held`: whom the legal holds of a brand keep, until when, by whom and why, and who of them wished to be erased.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Query, ReqData};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use serde::Deserialize;
use uuid::Uuid;

use super::brands::{Choice as BrandChoice, brands_of, choices};
use super::frame::Frame;
use super::table::sift::{cut, sift};
use super::table::{
    self, Asked, Cell, Choice, Order, PAGE, Paging, Rows, Sifted, Table, Wanted, Wrong,
};
use super::{acting, see};
use crate::app::App;
use crate::app::held::{By, HeldContact};
use crate::domain::brand::Brand;
use crate::domain::ids::ContactId;
use crate::domain::operator::{Deed, Operator};
use crate::domain::time::Timestamp;
use crate::store::StoreError;
use crate::web::Web;
use crate::web::error;
use crate::web::page::render;

const PATH: &str = "/admin/contacts/held";
const COLUMNS: [(&str, bool); 7] = [
    ("Address", false),
    ("Until", false),
    ("Since", false),
    ("By", false),
    ("For which claim", false),
    ("Erasure", false),
    ("Wished", false),
];
/// Each with an index of the database behind it.
const SORTS: [&str; 2] = ["Until", "Since"];
/// The word beside a contact that wished to be erased.
const WISHED: &str = "wished";

#[derive(Debug, Default, Deserialize)]
pub struct AskedBrand {
    brand: Option<String>,
}

#[derive(Template)]
#[template(path = "admin/held.html")]
struct HeldPage {
    frame: Frame,
    brands: Vec<BrandChoice>,
    table: Table,
}

/// Where a contact stands in the list.
type Place = (Timestamp, ContactId);

fn place(text: &str) -> Option<Place> {
    let (at, id) = text.split_once('.')?;
    let at = Timestamp::from_micros(at.parse().ok()?);
    Some((at, ContactId(Uuid::parse_str(id).ok()?)))
}

fn by(order: Order) -> By {
    if order.by == "Since" {
        By::Since
    } else {
        By::Until
    }
}

fn row(brand: &Brand, held: HeldContact) -> Option<Vec<Cell>> {
    let (slug, id) = (&brand.declared.slug, held.hold.contact_id);
    let wish = held.wished_at;
    Some(vec![
        Cell::link(held.address?, format!("/admin/contacts/{slug}/{id}")),
        Cell::Time(held.hold.until),
        Cell::Time(held.hold.since),
        Cell::Text(held.hold.operator),
        Cell::Text(held.hold.reason),
        wish.map_or(Cell::None, |_| Cell::State(WISHED.to_owned(), "wait")),
        Cell::time(wish),
    ])
}

async fn sifted(
    app: &App,
    brand: &Brand,
    (order, wanted): (Order, &Wanted),
    (after, limit): (Option<Place>, usize),
) -> Result<Sifted<Place>, StoreError> {
    let by = by(order);
    let read = async |after: Option<Place>, count: usize| {
        let found = app.held_contacts(brand.id, by, (after, order.down), count + 1);
        let found = found.await?.into_iter();
        Ok(cut(found.map(|one| (one.place(by), one)).collect(), count))
    };
    let row = |one| row(brand, one).and_then(|cells| wanted.pick(cells));
    sift(limit, after, wanted, read, row).await
}

/// `GET /admin/contacts/held`
pub async fn show(
    request: HttpRequest,
    shared: Data<Web>,
    operator: ReqData<Operator>,
    (brand, asked): (Query<AskedBrand>, Query<Asked>),
) -> HttpResponse {
    let brands = brands_of(&shared, &operator);
    let (brands, chosen) = choices(&brands, brand.brand.as_deref());
    let read = || {
        let order = asked.order(&SORTS)?.unwrap_or(Order::up("Until"));
        let after = match asked.after.as_deref() {
            Some(after) => Some(place(after).ok_or(Wrong::After)?),
            None => None,
        };
        // No text is looked for: it would be an address in an address.
        let choices = vec![Choice::of("Erasure", &[WISHED])];
        let wanted = Wanted::of(&asked, &COLUMNS, choices, false)?;
        Ok::<_, Wrong>((order, after, wanted))
    };
    let (order, after, wanted) = match read() {
        Ok(read) => read,
        Err(wrong) => return table::refuse(&shared, &operator, &wrong),
    };
    let slug = chosen.as_ref().map_or("", |one| one.declared.slug.as_str());
    if let (true, Some(brand)) = (asked.is_csv(), &chosen) {
        let Some(acting) = acting(&request, &shared) else {
            return see("/admin/sign-in");
        };
        let on = format!("held contacts of brand {slug}");
        if let Err(problem) = shared.app.acted(&acting, Deed::ListTaken, Some(on)).await {
            return error::store_failure(&request, &shared, &problem);
        }
        let head = COLUMNS.map(|column| column.0.to_owned()).into();
        let (app, brand) = (shared.app.clone(), brand.clone());
        return table::stream(&format!("held-{slug}"), head, move |after, limit| {
            let (app, brand, wanted) = (app.clone(), brand.clone(), wanted.clone());
            async move { sifted(&app, &brand, (order, &wanted), (after, limit)).await }
        });
    }
    let found = match &chosen {
        Some(brand) => sifted(&shared.app, brand, (order, &wanted), (after, PAGE)).await,
        None => Ok(Sifted::nothing()),
    };
    let found = match found {
        Ok(found) => found.written(|(at, id)| format!("{}.{id}", at.micros())),
        Err(problem) => return error::store_failure(&request, &shared, &problem),
    };
    let frame = Frame::new(&shared, &operator, "Held contacts")
        .at("/admin/contacts")
        .below("Contacts", &format!("/admin/contacts?brand={slug}"));
    let path = format!("{PATH}?brand={slug}");
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
        caption: "Held contacts".to_owned(),
        columns: COLUMNS.to_vec(),
        rows: Vec::new(),
        empty: "Nobody is held. An owner places a hold on the page of a contact.".to_owned(),
    };
    let table = rows.paged(&paging, found);
    let page = HeldPage {
        frame,
        brands,
        table,
    };
    render(StatusCode::OK, &page)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_as_it_was_written_and_nothing_else_is_one() {
        let id = Uuid::from_u128(7);
        let here = (Timestamp::from_micros(7), ContactId(id));
        assert_eq!(place(&format!("7.{id}")), Some(here));
        for wrong in ["", "7", "7.ab", "x.00000000-0000-0000-0000-000000000007"] {
            assert_eq!(place(wrong), None, "{wrong}");
        }
    }
}
