//! What is done about a person at their request: their mail once more, leaving, and erasing.

use actix_web::http::StatusCode;
use actix_web::web::{Data, ReqData};
use actix_web::{HttpRequest, HttpResponse};

use super::{Problem, Where, again, subject};
use crate::app::erase::{EraseProblem, Wish};
use crate::app::resend::Asking;
use crate::app::withdraw::{Leave, LeaveProblem, Leaver, Scope};
use crate::domain::brand::Slug;
use crate::domain::circumstances::Circumstances;
use crate::domain::event::{ErasedBy, LeftBy, Through};
use crate::domain::ids::ContactId;
use crate::domain::leaving::LeaveMethod;
use crate::domain::operator::{Deed, Operator};
use crate::web::Web;
use crate::web::admin::{not_found, see};
use crate::web::error;
use crate::web::extract::fields::Fields;

/// `POST …/ask-again`: the open request's mail once more, within the budgets.
pub async fn ask_again(
    request: HttpRequest,
    shared: Data<Web>,
    operator: ReqData<Operator>,
    at: Where,
) -> HttpResponse {
    let subject = match subject(&request, &shared, &operator, &at).await {
        Ok(subject) => subject,
        Err(response) => return response,
    };
    let Some(open) = subject.story.open_request else {
        return see(request.path().trim_end_matches("/ask-again"));
    };
    if let Err(response) = subject
        .note(&request, &shared, Deed::ContactAskedAgain)
        .await
    {
        return response;
    }
    // Not the operator's circumstances: the event is about the person.
    let asked = shared.app.resend(
        (subject.brand.id, open),
        Asking::Operator,
        Circumstances::default(),
    );
    match asked.await {
        Ok(()) => see(&format!(
            "/admin/contacts/{}/{}?done=asked",
            subject.brand.declared.slug, at.1
        )),
        Err(problem) => error::store_failure(&request, &shared, &problem),
    }
}

/// `POST …/withdraw`: on the person's request. `purpose` names one purpose; without it everything is left.
pub async fn withdraw(
    request: HttpRequest,
    shared: Data<Web>,
    operator: ReqData<Operator>,
    at: Where,
    fields: Fields,
) -> HttpResponse {
    let subject = match subject(&request, &shared, &operator, &at).await {
        Ok(subject) => subject,
        Err(response) => return response,
    };
    let scope = match fields
        .one("purpose")
        .map(|slug| Slug::try_from(slug.to_owned()))
    {
        None => Scope::All,
        Some(Ok(slug)) => Scope::Purposes(vec![slug]),
        Some(Err(_)) => return not_found(&shared, &operator, "This purpose"),
    };
    let leave = Leave {
        who: Leaver::Contact(ContactId(at.1)),
        scope,
        method: LeaveMethod::AdminPages,
        by: LeftBy::Operator,
        reason: fields.one("reason").map(ToOwned::to_owned),
        // Not the operator's circumstances: the event is about the person.
        circumstances: Circumstances::default(),
    };
    let left = shared
        .app
        .withdraw_by(Some(&subject.acting), &subject.brand, leave);
    match left.await {
        Ok(_) => see(&format!(
            "/admin/contacts/{}/{}?done=withdrawn",
            subject.brand.declared.slug, at.1
        )),
        Err(LeaveProblem::Store(problem)) => error::store_failure(&request, &shared, &problem),
        Err(_) => not_found(&shared, &operator, "This contact"),
    }
}

/// `POST …/erase`: on the person's request; the address typed again says that it is meant.
pub async fn erase(
    request: HttpRequest,
    shared: Data<Web>,
    operator: ReqData<Operator>,
    at: Where,
    fields: Fields,
) -> HttpResponse {
    let subject = match subject(&request, &shared, &operator, &at).await {
        Ok(subject) => subject,
        Err(response) => return response,
    };
    let refuse = async |status, text: String| {
        let outcome = (status, None, Some(Problem::of("erase", text)));
        again(&request, &shared, &operator, (&at.0, at.1), outcome).await
    };
    let failed = async |problem: EraseProblem| match problem {
        EraseProblem::Store(problem) => error::store_failure(&request, &shared, &problem),
        problem => {
            let text = format!("Nothing was erased: {problem}");
            refuse(StatusCode::CONFLICT, text).await
        }
    };
    let address = &subject.story.address;
    if !fields.raw("address").trim().eq_ignore_ascii_case(address) {
        let text = "Nothing was erased: what you typed is not the address of this contact.";
        return refuse(StatusCode::UNPROCESSABLE_ENTITY, text.to_owned()).await;
    }
    if let Err(problem) = shared.app.not_held(subject.brand.id, ContactId(at.1)).await {
        return failed(problem).await;
    }
    if let Err(response) = subject.note(&request, &shared, Deed::ContactErased).await {
        return response;
    }
    let wish = Wish {
        by: ErasedBy::Operator,
        through: Through::AdminPages,
    };
    match shared.app.erase(&subject.brand, address, wish).await {
        Ok(erased) => {
            shared.app.scrub_now().await;
            let done = if erased.lists_waiting > 0 {
                "erased-lists"
            } else {
                "erased"
            };
            let slug = &subject.brand.declared.slug;
            see(&format!("/admin/contacts?brand={slug}&done={done}"))
        }
        Err(problem) => failed(problem).await,
    }
}
