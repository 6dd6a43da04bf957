//! What people were sent and shown, to look at; and who may have it as it is.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path, ReqData};
use actix_web::{HttpRequest, HttpResponse};
use uuid::Uuid;

use super::brands::{brand_of, brands_of};
use super::shown::{HTML, TEXT, part_of, shown};
use super::{not_found, say};
use crate::domain::brand::Brand;
use crate::domain::form::VersionHash;
use crate::domain::ids::ContactId;
use crate::domain::operator::{Need, Operator};
use crate::store::StoreError;
use crate::web::Web;
use crate::web::error;

/// Whether an operator may have this contact's mails as they were sent. What stands in them acts for the person: links, and a
/// code. Whoever may change contacts may have it; whoever takes evidence along and changes nothing, once nothing is asked any
/// more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whole {
    Open,
    /// Not while the person is being asked.
    Later,
    Never,
}

impl Whole {
    pub async fn of(
        shared: &Web,
        operator: &Operator,
        brand: &Brand,
        contact: ContactId,
    ) -> Result<Self, StoreError> {
        if operator.may(Need::Change) {
            return Ok(Self::Open);
        }
        if !operator.may(Need::Take) {
            return Ok(Self::Never);
        }
        Ok(match shared.app.is_being_asked(brand, contact).await? {
            true => Self::Later,
            false => Self::Open,
        })
    }

    /// Why not, in words.
    pub const fn why_not(self) -> Option<&'static str> {
        match self {
            Self::Open => None,
            Self::Later => Some(
                "This person is being asked at this moment, and the mail's links and its code would answer in their place. \
                 You change nothing here, so you can have it once they have answered, or the request is over.",
            ),
            Self::Never => Some(
                "The mail's links act in this person's place. Your role looks on, so they are hidden from it. An owner can \
                 change that under Settings.",
            ),
        }
    }
}

/// The answer to whoever may not have the mails as they are.
pub async fn may_have_whole(
    request: &HttpRequest,
    shared: &Data<Web>,
    operator: &Operator,
    brand: &Brand,
    contact: Uuid,
) -> Result<(), HttpResponse> {
    let whole = Whole::of(shared, operator, brand, ContactId(contact)).await;
    let whole = whole.map_err(|problem| error::store_failure(request, shared, &problem))?;
    match whole.why_not() {
        None => Ok(()),
        Some(text) => Err(say(
            shared,
            operator,
            StatusCode::FORBIDDEN,
            "Not for your role now",
            text,
        )),
    }
}

/// `GET …/mail/{position}/{part}`: a mail as the server took it; `part` is `source`, `text` or `html`. For those who may not
/// change anything, what acts for the person is hidden in it.
pub async fn mail(
    request: HttpRequest,
    shared: Data<Web>,
    operator: ReqData<Operator>,
    at: Path<(String, Uuid, i64, String)>,
) -> HttpResponse {
    let Some(brand) = brand_of(&shared, &operator, &at.0) else {
        return not_found(&shared, &operator, "This mail");
    };
    match shared.app.mail_as_sent(&brand, ContactId(at.1), at.2).await {
        Ok(Some(mail)) if at.3 == "source" => {
            match may_have_whole(&request, &shared, &operator, &brand, at.1).await {
                Ok(()) => shown(TEXT, mail),
                Err(response) => response,
            }
        }
        Ok(Some(mail)) if at.3 == "html" || at.3 == "text" => {
            let (kind, text) = part_of(&mail, &at.3);
            let acts = operator.may(Need::Change);
            shown(kind, if acts { text } else { shared.app.veiled(&text) })
        }
        Ok(_) => not_found(&shared, &operator, "This mail"),
        Err(problem) => error::store_failure(&request, &shared, &problem),
    }
}

/// `GET /admin/shown/{version}`: a form version as it was shown.
pub async fn form_shown(
    request: HttpRequest,
    shared: Data<Web>,
    operator: ReqData<Operator>,
    version: Path<String>,
) -> HttpResponse {
    let version = VersionHash::stored(version.into_inner());
    let catalog = shared.app.catalog();
    let own = brands_of(&shared, &operator)
        .iter()
        .any(|brand| catalog.has_version(brand.id, &version));
    if !own {
        return not_found(&shared, &operator, "This form version");
    }
    match shared.app.form_as_shown(&version).await {
        Ok(Some(page)) => shown(HTML, page),
        Ok(None) => not_found(&shared, &operator, "This form version"),
        Err(problem) => error::store_failure(&request, &shared, &problem),
    }
}
