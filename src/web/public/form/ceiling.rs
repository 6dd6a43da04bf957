//! `POST /ceiling/{form}`: what `bench` measures signups against.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};

use super::submit::submission;
use super::{OPEN_FOR, find};
use crate::domain::email_address::{AddressRules, EmailAddress};
use crate::domain::ids::RequestId;
use crate::web::extract::fields::Fields;
use crate::web::{Web, error};

/// `POST /ceiling/{form}`, for `bench` only: everything that a signup does but the store.
pub async fn ceiling(
    request: HttpRequest,
    shared: web::Data<Web>,
    slug: web::Path<String>,
    fields: Fields,
) -> HttpResponse {
    let Some((brand, form)) = find(&shared, &slug) else {
        return error::no_such_page(request, shared).await;
    };
    let given = submission(&request, &shared, &form, &fields);
    let rules = AddressRules { any_domain: true };
    let now = shared.app.clock.now();
    let id = RequestId(shared.app.random.uuid_v7(now));
    match EmailAddress::parse(&given.email, &rules) {
        Ok(_) => {
            let token = shared.app.inbox_token(brand.number, id, now.plus(OPEN_FOR));
            HttpResponse::SeeOther()
                .insert_header((header::LOCATION, format!("/i/{token}")))
                .finish()
        }
        Err(_) => HttpResponse::UnprocessableEntity().finish(),
    }
}
