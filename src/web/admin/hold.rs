//! Legal hold of one contact, from its page: an owner keeps what is known of it for a claim, and lifts that again.

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path, ReqData};
use actix_web::{HttpRequest, HttpResponse};
use uuid::Uuid;

use super::brands::brand_of;
use super::{acting, contact, not_found, see};
use crate::app::hold::HoldProblem;
use crate::domain::ids::ContactId;
use crate::domain::operator::Operator;
use crate::domain::time::Timestamp;
use crate::web::Web;
use crate::web::error;
use crate::web::extract::fields::Fields;

const DAY: Duration = Duration::from_secs(86_400);

/// `POST /admin/contacts/{brand}/{contact}/hold`: until the end of a day (UTC), for a reason.
pub async fn place(
    request: HttpRequest,
    shared: Data<Web>,
    operator: ReqData<Operator>,
    at: Path<(String, Uuid)>,
    fields: Fields,
) -> HttpResponse {
    let brand = brand_of(&shared, &operator, &at.0);
    let (Some(brand), Some(acting)) = (brand, acting(&request, &shared)) else {
        return not_found(&shared, &operator, "This contact");
    };
    let day = fields.raw("until").trim();
    let until = Timestamp::parse(day).filter(|_| day.len() == "YYYY-MM-DD".len());
    let placed = match until {
        Some(until) => {
            let what = (fields.raw("reason"), until.plus(DAY));
            let id = ContactId(at.1);
            let seen = fields
                .one("seen")
                .and_then(|text| text.parse().ok())
                .map(Timestamp::from_micros);
            let placed = shared.app.place_hold(&acting, &brand, id, what, seen);
            placed.await
        }
        None => Err(HoldProblem::Until),
    };
    let told = placed.map(|_| "held");
    answer(&request, &shared, &operator, &at, ("Not held", told)).await
}

/// `POST /admin/contacts/{brand}/{contact}/hold/lift`
pub async fn lift(
    request: HttpRequest,
    shared: Data<Web>,
    operator: ReqData<Operator>,
    at: Path<(String, Uuid)>,
    fields: Fields,
) -> HttpResponse {
    let brand = brand_of(&shared, &operator, &at.0);
    let (Some(brand), Some(acting)) = (brand, acting(&request, &shared)) else {
        return not_found(&shared, &operator, "This contact");
    };
    let (id, reason) = (ContactId(at.1), fields.raw("reason"));
    let lifted = shared.app.lift_hold(&acting, &brand, id, reason).await;
    let told = lifted.map(|()| "hold-lifted");
    answer(&request, &shared, &operator, &at, ("Not lifted", told)).await
}

async fn answer(
    request: &HttpRequest,
    shared: &Data<Web>,
    operator: &Operator,
    at: &Path<(String, Uuid)>,
    (what, told): (&str, Result<&str, HoldProblem>),
) -> HttpResponse {
    let (status, problem) = match told {
        Ok(done) => return see(&format!("/admin/contacts/{}/{}?done={done}", at.0, at.1)),
        Err(HoldProblem::Store(problem)) => return error::store_failure(request, shared, &problem),
        Err(HoldProblem::Unknown) => return not_found(shared, operator, "This contact"),
        Err(problem @ (HoldProblem::NotHeld | HoldProblem::Changed)) => {
            (StatusCode::CONFLICT, problem)
        }
        Err(problem) => (StatusCode::UNPROCESSABLE_ENTITY, problem),
    };
    let text = format!("{what}: {problem}.");
    contact::refused(request, shared, operator, (&at.0, at.1), (status, text)).await
}
