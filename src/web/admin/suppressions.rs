//! `/admin/settings/suppressions`: why nothing is sent to a mailbox. They are kept as keyed hashes, so there is no list of them:
//! an address is asked for, by a post.

use actix_web::http::StatusCode;
use actix_web::web::{Data, ReqData};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::brands::{Choice, brands_of, choices};
use super::frame::Frame;
use super::{acting, see};
use crate::app::permit::Unanswerable;
use crate::domain::operator::{Deed, Operator};
use crate::web::Web;
use crate::web::error;
use crate::web::extract::fields::Fields;
use crate::web::page::render;

#[derive(Template)]
#[template(path = "admin/suppressions.html")]
struct SuppressionsPage {
    frame: Frame,
    brands: Vec<Choice>,
    brand: String,
    address: String,
    /// Since when and why; none where the mailbox is open.
    found: Option<Option<(String, String)>>,
}

fn page(
    shared: &Web,
    operator: &Operator,
    (brand, address): (Option<&str>, &str),
    found: Option<Option<(String, String)>>,
    (notice, problem): (Option<&str>, Option<String>),
) -> HttpResponse {
    let (brands, chosen) = choices(&brands_of(shared, operator), brand);
    let mut frame = Frame::new(shared, operator, "Suppressions")
        .at("/admin/settings")
        .below("Settings", "/admin/settings");
    frame.notice = notice.map(ToOwned::to_owned);
    let status = if problem.is_some() {
        StatusCode::UNPROCESSABLE_ENTITY
    } else {
        StatusCode::OK
    };
    render(
        status,
        &SuppressionsPage {
            frame: frame.failing(problem),
            brands,
            brand: chosen.map_or_else(String::new, |brand| brand.declared.slug.to_string()),
            address: address.chars().take(320).collect(),
            found,
        },
    )
}

/// `GET /admin/settings/suppressions`
pub async fn show(shared: Data<Web>, operator: ReqData<Operator>) -> HttpResponse {
    page(&shared, &operator, (None, ""), None, (None, None))
}

/// `POST /admin/settings/suppressions`: looks one up; changes nothing.
pub async fn find(
    request: HttpRequest,
    shared: Data<Web>,
    operator: ReqData<Operator>,
    fields: Fields,
) -> HttpResponse {
    let (_, chosen) = choices(&brands_of(&shared, &operator), fields.one("brand"));
    let Some(brand) = chosen else {
        return see("/admin/settings");
    };
    let address = fields.raw("address").trim();
    let what = (fields.one("brand"), address);
    match shared.app.suppressed(&brand, address).await {
        Ok(found) => {
            let found = found.map(|found| (found.since.to_the_minute(), found.reason));
            page(&shared, &operator, what, Some(found), (None, None))
        }
        Err(Unanswerable::Store(problem)) => error::store_failure(&request, &shared, &problem),
        Err(problem) => page(
            &shared,
            &operator,
            what,
            None,
            (None, Some(format!("{problem}."))),
        ),
    }
}

/// `POST /admin/settings/suppressions/lift`
pub async fn lift(
    request: HttpRequest,
    shared: Data<Web>,
    operator: ReqData<Operator>,
    fields: Fields,
) -> HttpResponse {
    let (_, chosen) = choices(&brands_of(&shared, &operator), fields.one("brand"));
    let (Some(brand), Some(acting)) = (chosen, acting(&request, &shared)) else {
        return see("/admin/settings");
    };
    let address = fields.raw("address").trim();
    let what = (fields.one("brand"), address);
    let Some(reason) = fields.one("reason") else {
        let problem = Some("Say why: it stays in the log.".to_owned());
        return page(&shared, &operator, what, None, (None, problem));
    };
    let on = match shared.app.mailbox_named(&brand, address) {
        Ok(on) => on,
        Err(problem) => {
            let problem = Some(format!("{problem}."));
            return page(&shared, &operator, what, None, (None, problem));
        }
    };
    let deed = shared.app.acted(&acting, Deed::SuppressionLifted, Some(on));
    if let Err(problem) = deed.await {
        return error::store_failure(&request, &shared, &problem);
    }
    match shared.app.lift_suppression(&brand, address, reason).await {
        Ok(_) => {
            let notice =
                Some("Mail may go to this mailbox again. What a person withdrew stays withdrawn.");
            page(&shared, &operator, what, Some(None), (notice, None))
        }
        Err(Unanswerable::Store(problem)) => error::store_failure(&request, &shared, &problem),
        Err(problem) => page(
            &shared,
            &operator,
            what,
            None,
            (None, Some(format!("{problem}."))),
        ),
    }
}
