//! What operators do about a campaign that has begun.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path, ReqData};
use actix_web::{HttpRequest, HttpResponse};
use uuid::Uuid;

use super::one::{Wanted, page};
use crate::app::campaign::{CampaignProblem, Told};
use crate::domain::brand::Brand;
use crate::domain::ids::{CampaignId, ContactId};
use crate::domain::operator::{Deed, Operator};
use crate::web::Web;
use crate::web::admin::jobs::brand_and_id;
use crate::web::admin::table::Asked;
use crate::web::admin::{acting, not_found, see};
use crate::web::error;
use crate::web::extract::fields::Fields;

/// A campaign of theirs to which something is done.
struct On<'a> {
    request: &'a HttpRequest,
    shared: &'a Data<Web>,
    operator: &'a Operator,
    brand: Arc<Brand>,
    id: CampaignId,
    told: Told,
}

impl<'a> On<'a> {
    async fn find(
        request: &'a HttpRequest,
        shared: &'a Data<Web>,
        operator: &'a Operator,
        path: &(String, String),
    ) -> Result<Self, HttpResponse> {
        let nowhere = || not_found(shared, operator, "This campaign");
        let (brand, id) = brand_and_id(shared, operator, (&path.0, &path.1)).ok_or_else(nowhere)?;
        let id = CampaignId(id);
        match shared.app.tell_campaign_of(brand.id, id).await {
            Ok(Some(told)) => Ok(Self {
                request,
                shared,
                operator,
                brand,
                id,
                told,
            }),
            Ok(None) => Err(nowhere()),
            Err(problem) => Err(error::store_failure(request, shared, &problem)),
        }
    }

    fn path(&self) -> String {
        format!("/admin/campaigns/{}/{}", self.brand.declared.slug, self.id)
    }

    async fn refuse(&self, wanted: &Wanted, text: String) -> HttpResponse {
        let what = (StatusCode::UNPROCESSABLE_ENTITY, None, Some(text));
        let of = (&*self.brand, self.id);
        page(
            self.request,
            self.shared,
            self.operator,
            of,
            (&Asked::default(), wanted),
            what,
        )
        .await
    }

    /// Keeps that it is done; none where it was kept.
    async fn keep(&self, deed: Deed, on: String) -> Option<HttpResponse> {
        let Some(acting) = acting(self.request, self.shared) else {
            return Some(see("/admin/sign-in"));
        };
        match self.shared.app.acted(&acting, deed, Some(on)).await {
            Ok(()) => None,
            Err(problem) => Some(error::store_failure(self.request, self.shared, &problem)),
        }
    }

    async fn answer<T>(&self, done: Result<T, CampaignProblem>, word: &str) -> HttpResponse {
        match done {
            Ok(_) => see(&format!("{}?done={word}", self.path())),
            Err(CampaignProblem::Store(problem)) => {
                error::store_failure(self.request, self.shared, &problem)
            }
            Err(problem) => {
                self.refuse(&Wanted::default(), format!("Not done: {problem}."))
                    .await
            }
        }
    }
}

macro_rules! on {
    ($request:expr, $shared:expr, $operator:expr, $path:expr) => {
        match On::find(&$request, &$shared, &$operator, &$path).await {
            Ok(on) => on,
            Err(response) => return response,
        }
    };
}

/// `POST /admin/campaigns/{brand}/{id}/pause`
pub async fn pause(
    request: HttpRequest,
    shared: Data<Web>,
    operator: ReqData<Operator>,
    path: Path<(String, String)>,
) -> HttpResponse {
    let on = on!(request, shared, operator, path);
    if let Some(response) = on.keep(Deed::CampaignPaused, on.told.name.clone()).await {
        return response;
    }
    let done = shared.app.pause_campaign(&on.brand, &on.told.name).await;
    on.answer(done, "paused").await
}

/// `POST /admin/campaigns/{brand}/{id}/resume`
pub async fn resume(
    request: HttpRequest,
    shared: Data<Web>,
    operator: ReqData<Operator>,
    path: Path<(String, String)>,
) -> HttpResponse {
    let on = on!(request, shared, operator, path);
    if let Some(response) = on.keep(Deed::CampaignResumed, on.told.name.clone()).await {
        return response;
    }
    let done = shared.app.resume_campaign(&on.brand, &on.told.name).await;
    on.answer(done, "resumed").await
}

/// `POST /admin/campaigns/{brand}/{id}/cancel`
pub async fn cancel(
    request: HttpRequest,
    shared: Data<Web>,
    operator: ReqData<Operator>,
    path: Path<(String, String)>,
    fields: Fields,
) -> HttpResponse {
    let on = on!(request, shared, operator, path);
    if fields.raw("name").trim() != on.told.name {
        let text = format!(
            "Not cancelled: type the name of the campaign, {}, to say that you mean it.",
            on.told.name
        );
        return on.refuse(&Wanted::default(), text).await;
    }
    if let Some(response) = on.keep(Deed::CampaignCancelled, on.told.name.clone()).await {
        return response;
    }
    let done = shared.app.cancel_campaign(&on.brand, &on.told.name).await;
    on.answer(done, "cancelled").await
}

/// `POST /admin/campaigns/{brand}/{id}/release`
pub async fn release(
    request: HttpRequest,
    shared: Data<Web>,
    operator: ReqData<Operator>,
    path: Path<(String, String)>,
    fields: Fields,
) -> HttpResponse {
    let on = on!(request, shared, operator, path);
    let held = Wanted {
        state: Some("held".to_owned()),
    };
    let ticked = fields.all("person").into_iter();
    let ticked: Vec<ContactId> = ticked
        .filter_map(|id| Uuid::parse_str(&id).ok().map(ContactId))
        .collect();
    let typed = fields.one("address").map(str::to_owned);
    let count = ticked.len() + usize::from(typed.is_some());
    if count == 0 {
        let text = "Nobody is released: tick people, or type an address.".to_owned();
        return on.refuse(&held, text).await;
    }
    let people = if count == 1 { "person" } else { "people" };
    let what = format!("{}: {count} {people}", on.told.name);
    if let Some(response) = on.keep(Deed::RequestReleased, what).await {
        return response;
    }
    let (brand, name) = (&on.brand, &on.told.name);
    let done = async {
        if !ticked.is_empty() {
            shared.app.release_people(brand, name, &ticked).await?;
        }
        match typed {
            Some(address) => shared.app.release_recipients(brand, name, &[address]).await,
            None => Ok(0),
        }
    };
    match done.await {
        Ok(_) => see(&format!("{}?state=held&done=released", on.path())),
        Err(CampaignProblem::Store(problem)) => error::store_failure(&request, &shared, &problem),
        Err(CampaignProblem::NotHeld { .. }) => {
            let text = "Not all of them are held here any more. Somebody may have released them, or the address is another one. \
                        Look again at who is held.";
            on.refuse(&held, text.to_owned()).await
        }
        Err(problem) => on.refuse(&held, format!("Not released: {problem}.")).await,
    }
}
