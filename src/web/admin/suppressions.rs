//! `/admin/settings/suppressions`: mailboxes that a brand does not write to. They are kept as keyed hashes, so the list names
//! nobody; whether an address is among them is asked for, by a post.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::web::{Data, Query, ReqData};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use serde::Deserialize;

use super::brands::{Choice as BrandChoice, brand_of, brands_of, choices};
use super::frame::Frame;
use super::table::sift::{cut, sift};
use super::table::{
    self, Asked, Cell, Choice, Order, PAGE, Paging, Rows, Sifted, Table, Wanted, Wrong,
};
use super::{acting, see};
use crate::app::App;
use crate::app::permit::Unanswerable;
use crate::app::suppress::{MailboxHash, Suppressed, is_reason};
use crate::domain::brand::Brand;
use crate::domain::hex::hex;
use crate::domain::ids::BrandId;
use crate::domain::operator::{Deed, Operator};
use crate::domain::time::Timestamp;
use crate::store::StoreError;
use crate::web::Web;
use crate::web::error;
use crate::web::extract::fields::Fields;
use crate::web::page::render;

const PATH: &str = "/admin/settings/suppressions";
const COLUMNS: [(&str, bool); 3] = [("Mailbox", false), ("Since", false), ("Why", false)];
const SORTS: [&str; 1] = ["Since"];
/// Why mailboxes are suppressed, in the words that are kept with them.
const REASONS: [&str; 4] = ["declined", "complained", "bounced", "operator"];
const SAY_WHY: &str =
    "Say why in 3 to 400 characters, all of which can be seen: it stays in the log.";

#[derive(Debug, Default, Deserialize)]
pub struct AskedBrand {
    brand: Option<String>,
}

#[derive(Template)]
#[template(path = "admin/suppressions.html")]
struct SuppressionsPage {
    frame: Frame,
    brands: Vec<BrandChoice>,
    brand: String,
    address: String,
    reason: String,
    /// Since when and why; none where the mailbox is open.
    found: Option<Option<(String, String)>>,
    table: Table,
}

/// Where a mailbox stands in the list.
type Place = (Timestamp, MailboxHash);

fn place(text: &str) -> Option<Place> {
    let (at, hash) = text.split_once('.')?;
    if hash.len() != 32 || !hash.is_ascii() {
        return None;
    }
    let mut bytes = MailboxHash::default();
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(hash.get(at * 2..at * 2 + 2)?, 16).ok()?;
    }
    Some((Timestamp::from_micros(at.parse().ok()?), bytes))
}

fn row(hash: &MailboxHash, one: Suppressed) -> Vec<Cell> {
    vec![
        Cell::Code(hex(hash)),
        Cell::Time(one.since),
        Cell::State(one.reason, "plain"),
    ]
}

async fn sifted(
    app: &App,
    brand: BrandId,
    (down, wanted): (bool, &Wanted),
    (after, limit): (Option<Place>, usize),
) -> Result<Sifted<Place>, StoreError> {
    let read = async |after: Option<Place>, count: usize| {
        let found = app.suppressions(brand, (after, down), count + 1).await?;
        let keyed = found
            .into_iter()
            .map(|(hash, one)| ((one.since, hash), (hash, one)));
        Ok(cut(keyed.collect(), count))
    };
    let row = |(hash, one): (MailboxHash, Suppressed)| wanted.pick(row(&hash, one));
    sift(limit, after, wanted, read, row).await
}

/// What a page of suppressions was asked, and came to.
#[derive(Default)]
struct Told<'a> {
    address: &'a str,
    reason: &'a str,
    found: Option<Option<(String, String)>>,
    notice: Option<&'a str>,
    problem: Option<String>,
}

async fn page(
    request: &HttpRequest,
    shared: &Data<Web>,
    operator: &Operator,
    (asked_brand, asked): (Option<&str>, &Asked),
    told: Told<'_>,
) -> HttpResponse {
    let (brands, chosen) = choices(&brands_of(shared, operator), asked_brand);
    let read = || {
        let order = asked.order(&SORTS)?.unwrap_or(Order::down("Since"));
        let after = match asked.after.as_deref() {
            Some(after) => Some(place(after).ok_or(Wrong::After)?),
            None => None,
        };
        let choices = vec![Choice::of("Why", &REASONS)];
        let wanted = Wanted::of(asked, &COLUMNS, choices, false)?;
        Ok::<_, Wrong>((order, after, wanted))
    };
    let (order, after, wanted) = match read() {
        Ok(read) => read,
        Err(wrong) => return table::refuse(shared, operator, &wrong),
    };
    let slug = |brand: &Arc<Brand>| brand.declared.slug.to_string();
    if let (true, Some(brand)) = (asked.is_csv(), &chosen) {
        let name = format!("suppressions-of-{}", slug(brand));
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
        Ok(found) => found.written(|(at, hash)| format!("{}.{}", at.micros(), hex(&hash))),
        Err(problem) => return error::store_failure(request, shared, &problem),
    };
    let mut frame = Frame::new(shared, operator, "Suppressions")
        .at("/admin/settings")
        .below("Settings", "/admin/settings");
    frame.notice = told.notice.map(ToOwned::to_owned);
    let status = if told.problem.is_some() {
        StatusCode::UNPROCESSABLE_ENTITY
    } else {
        StatusCode::OK
    };
    let brand = chosen.as_ref().map_or_else(String::new, slug);
    let path = format!("{PATH}?brand={brand}");
    let paging = Paging {
        asked,
        path: &path,
        now: shared.app.clock.now(),
        sorts: &SORTS,
        order,
        wanted: &wanted,
        may_take: frame.may_take(),
    };
    let rows = Rows {
        caption: "Suppressed mailboxes".to_owned(),
        columns: COLUMNS.to_vec(),
        rows: Vec::new(),
        empty: "No mailbox is suppressed. One comes here by itself after “this was not me”, a complaint or a mail that cannot be delivered; or you add one above.".to_owned(),
    };
    render(
        status,
        &SuppressionsPage {
            frame: frame.failing(told.problem),
            brands,
            brand,
            address: told.address.chars().take(320).collect(),
            reason: told.reason.chars().take(400).collect(),
            found: told.found,
            table: rows.paged(&paging, found),
        },
    )
}

/// `GET /admin/settings/suppressions`
pub async fn show(
    request: HttpRequest,
    shared: Data<Web>,
    operator: ReqData<Operator>,
    (brand, asked): (Query<AskedBrand>, Query<Asked>),
) -> HttpResponse {
    let what = (brand.brand.as_deref(), &*asked);
    page(&request, &shared, &operator, what, Told::default()).await
}

/// A post of this page: of which brand, about which address, and why.
struct Posted<'a> {
    brand: Arc<Brand>,
    address: &'a str,
    reason: &'a str,
}

impl<'a> Posted<'a> {
    fn of(shared: &Web, operator: &Operator, fields: &'a Fields) -> Option<Self> {
        // A brand that is named is that one or none: nothing is done to another.
        let brand = match fields.one("brand") {
            Some(slug) => brand_of(shared, operator, slug),
            None => choices(&brands_of(shared, operator), None).1,
        };
        Some(Self {
            brand: brand?,
            address: fields.raw("address").trim(),
            reason: fields.raw("reason").trim(),
        })
    }

    async fn answer(
        &self,
        request: &HttpRequest,
        shared: &Data<Web>,
        operator: &Operator,
        told: Result<(Option<Suppressed>, Option<&str>), Unanswerable>,
    ) -> HttpResponse {
        let mut what = Told {
            address: self.address,
            reason: self.reason,
            ..Told::default()
        };
        match told {
            Ok((found, notice)) => {
                what.found = Some(found.map(|one| (one.since.to_the_minute(), one.reason)));
                what.notice = notice;
                what.reason = "";
            }
            Err(Unanswerable::Store(problem)) => {
                return error::store_failure(request, shared, &problem);
            }
            Err(problem) => what.problem = Some(format!("{problem}.")),
        }
        let (slug, asked) = (self.brand.declared.slug.as_str(), Asked::default());
        page(request, shared, operator, (Some(slug), &asked), what).await
    }

    /// What a deed about the mailbox is kept under; what is no address is answered.
    async fn named(
        &self,
        request: &HttpRequest,
        shared: &Data<Web>,
        operator: &Operator,
    ) -> Result<String, HttpResponse> {
        match shared.app.mailbox_named(&self.brand, self.address) {
            Ok(on) => Ok(on),
            Err(problem) => Err(self.answer(request, shared, operator, Err(problem)).await),
        }
    }

    async fn refuse(
        &self,
        request: &HttpRequest,
        shared: &Data<Web>,
        operator: &Operator,
        problem: &str,
    ) -> HttpResponse {
        let told = Told {
            address: self.address,
            reason: self.reason,
            problem: Some(problem.to_owned()),
            ..Told::default()
        };
        let (slug, asked) = (self.brand.declared.slug.as_str(), Asked::default());
        page(request, shared, operator, (Some(slug), &asked), told).await
    }
}

/// `POST /admin/settings/suppressions`: looks one up; changes nothing.
pub async fn find(
    request: HttpRequest,
    shared: Data<Web>,
    operator: ReqData<Operator>,
    fields: Fields,
) -> HttpResponse {
    let Some(posted) = Posted::of(&shared, &operator, &fields) else {
        return see("/admin/settings");
    };
    let found = shared.app.suppressed(&posted.brand, posted.address).await;
    let told = found.map(|found| (found, None));
    posted.answer(&request, &shared, &operator, told).await
}

/// `POST /admin/settings/suppressions/add`: keeps the brand from writing to a mailbox, at somebody's wish.
pub async fn add(
    request: HttpRequest,
    shared: Data<Web>,
    operator: ReqData<Operator>,
    fields: Fields,
) -> HttpResponse {
    let posted = Posted::of(&shared, &operator, &fields);
    let (Some(posted), Some(acting)) = (posted, acting(&request, &shared)) else {
        return see("/admin/settings");
    };
    if !is_reason(posted.reason) {
        let problem = format!("Not suppressed. {SAY_WHY}");
        return posted.refuse(&request, &shared, &operator, &problem).await;
    }
    // What is no address is told before anything is kept.
    let (brand, address) = (&posted.brand, posted.address);
    let on = match posted.named(&request, &shared, &operator).await {
        Ok(on) => on,
        Err(response) => return response,
    };
    let deed = shared.app.acted(&acting, Deed::SuppressionAdded, Some(on));
    if let Err(problem) = deed.await {
        return error::store_failure(&request, &shared, &problem);
    }
    let added = shared.app.suppress(brand, address, posted.reason).await;
    let told = added.map(|(now, before)| {
        let notice = if before {
            "It was suppressed already; nothing changed."
        } else {
            "Nothing is sent to this mailbox any more. What the person gave stays in the evidence, and is of no use until this is lifted."
        };
        (Some(now), Some(notice))
    });
    posted.answer(&request, &shared, &operator, told).await
}

/// `POST /admin/settings/suppressions/lift`
pub async fn lift(
    request: HttpRequest,
    shared: Data<Web>,
    operator: ReqData<Operator>,
    fields: Fields,
) -> HttpResponse {
    let posted = Posted::of(&shared, &operator, &fields);
    let (Some(posted), Some(acting)) = (posted, acting(&request, &shared)) else {
        return see("/admin/settings");
    };
    if !is_reason(posted.reason) {
        let problem = format!("Not lifted. {SAY_WHY}");
        return posted.refuse(&request, &shared, &operator, &problem).await;
    }
    let brand = &posted.brand;
    let on = match posted.named(&request, &shared, &operator).await {
        Ok(on) => on,
        Err(response) => return response,
    };
    let deed = shared.app.acted(&acting, Deed::SuppressionLifted, Some(on));
    if let Err(problem) = deed.await {
        return error::store_failure(&request, &shared, &problem);
    }
    let lifted = shared
        .app
        .lift_suppression(brand, posted.address, posted.reason);
    let notice = "Mail may go to this mailbox again. What a person withdrew stays withdrawn.";
    let told = lifted.await.map(|_| (None, Some(notice)));
    posted.answer(&request, &shared, &operator, told).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_as_it_was_written_and_nothing_else_is_one() {
        let here = (Timestamp::from_micros(7), [0xab; 16]);
        let written = format!("{}.{}", here.0.micros(), hex(&here.1));
        assert_eq!(place(&written), Some(here));
        for wrong in ["", "7", "7.ab", "x.abababababababababababababababab"] {
            assert_eq!(place(wrong), None, "{wrong}");
        }
    }
}
