//! The very mail of a campaign: its HTML in a frame that runs nothing, its text beside it.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path, ReqData};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use mail_parser::MessageParser;

use crate::app::campaign::NoPreview;
use crate::domain::brand::Brand;
use crate::domain::campaign::Plan;
use crate::domain::ids::{CampaignId, ContactId};
use crate::domain::operator::Operator;
use crate::web::Web;
use crate::web::admin::frame::Frame;
use crate::web::admin::jobs::brand_and_id;
use crate::web::admin::not_found;
use crate::web::admin::shown::{HTML, shown};
use crate::web::error;
use crate::web::page::render;

/// A mail as it would leave now.
pub struct Preview {
    pub from: String,
    pub to: String,
    pub subject: String,
    pub text: String,
    pub html: String,
}

/// The mail to somebody of the campaign, or to the brand's own address.
pub async fn preview(
    shared: &Web,
    brand: &Brand,
    plan: &Plan,
    example: Option<ContactId>,
) -> Result<Preview, NoPreview> {
    let raw = shared.app.preview_campaign(brand, plan, example).await?;
    let mail = MessageParser::default().parse(&raw);
    let mail = mail.as_ref();
    let part = |body: Option<std::borrow::Cow<'_, str>>| {
        body.map(|text| text.into_owned()).unwrap_or_default()
    };
    let of = |address: Option<&mail_parser::Address<'_>>| {
        let first = address.and_then(|address| address.first());
        let name = first.and_then(|one| one.name()).unwrap_or_default();
        let mailbox = first.and_then(|one| one.address()).unwrap_or_default();
        match name {
            "" => mailbox.to_owned(),
            name => format!("{name} <{mailbox}>"),
        }
    };
    Ok(Preview {
        from: of(mail.and_then(|mail| mail.from())),
        to: of(mail.and_then(|mail| mail.to())),
        subject: mail
            .and_then(|mail| mail.subject())
            .unwrap_or_default()
            .to_owned(),
        text: part(mail.and_then(|mail| mail.body_text(0))),
        html: part(mail.and_then(|mail| mail.body_html(0))),
    })
}

/// The HTML alone.
pub fn framed(preview: Preview) -> HttpResponse {
    shown(HTML, preview.html)
}

pub fn none(
    request: &HttpRequest,
    shared: &Data<Web>,
    operator: &Operator,
    problem: &NoPreview,
) -> HttpResponse {
    match problem {
        NoPreview::Store(problem) => error::store_failure(request, shared, problem),
        NoPreview::Form | NoPreview::Compose(_) => {
            not_found(shared, operator, "The form of this campaign")
        }
    }
}

#[derive(Template)]
#[template(path = "admin/campaign_mail.html")]
struct MailPage {
    frame: Frame,
    mail: Preview,
    html: String,
}

/// The campaign and somebody of it, as an example.
async fn found(
    request: &HttpRequest,
    shared: &Data<Web>,
    operator: &Operator,
    path: &(String, String),
) -> Result<(String, Preview), HttpResponse> {
    let nowhere = || not_found(shared, operator, "This campaign");
    let (brand, id) = brand_and_id(shared, operator, (&path.0, &path.1)).ok_or_else(nowhere)?;
    let found = async {
        let told = shared
            .app
            .tell_campaign_of(brand.id, CampaignId(id))
            .await?;
        let mut example = None;
        for state in ["waiting", "asked", "held", "answered"] {
            if example.is_none() {
                let some = shared
                    .app
                    .campaign_people(brand.id, CampaignId(id), Some(state), None, 1)
                    .await?;
                example = some.people.first().map(|one| one.contact);
            }
        }
        Ok(told.map(|told| (told, example)))
    };
    let (told, example) = match found.await {
        Ok(Some(found)) => found,
        Ok(None) => return Err(nowhere()),
        Err(problem) => return Err(error::store_failure(request, shared, &problem)),
    };
    match preview(shared, &brand, &told.plan, example).await {
        Ok(preview) => Ok((told.name, preview)),
        Err(problem) => Err(none(request, shared, operator, &problem)),
    }
}

/// `GET /admin/campaigns/{brand}/{id}/mail`
pub async fn show(
    request: HttpRequest,
    shared: Data<Web>,
    operator: ReqData<Operator>,
    path: Path<(String, String)>,
) -> HttpResponse {
    let (name, mail) = match found(&request, &shared, &operator, &path).await {
        Ok(found) => found,
        Err(response) => return response,
    };
    let here = format!("/admin/campaigns/{}/{}", path.0, path.1);
    let frame = Frame::new(&shared, &operator, "The mail")
        .at("/admin/campaigns")
        .below("Campaigns", "/admin/campaigns")
        .below(&name, &here);
    let html = format!("{here}/mail.html");
    render(StatusCode::OK, &MailPage { frame, mail, html })
}

/// `GET /admin/campaigns/{brand}/{id}/mail.html`
pub async fn html(
    request: HttpRequest,
    shared: Data<Web>,
    operator: ReqData<Operator>,
    path: Path<(String, String)>,
) -> HttpResponse {
    match found(&request, &shared, &operator, &path).await {
        Ok((_, mail)) => framed(mail),
        Err(response) => response,
    }
}
