//! `GET /api/v1/events`: what webhooks tell, for who prefers to ask.

use actix_web::{HttpRequest, web};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::body::Params;
use super::cursor;
use super::key::{EventsRead, Key};
use super::problem::ApiProblem;
use super::reply::{Answer, ok};
use crate::app::announce::Wanted;
use crate::domain::announcement::{Announcement, Kind};
use crate::domain::api_key::Scope;
use crate::web::Web;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct EventsQuery {
    /// The cursor of an earlier answer; without it, from the beginning.
    after: Option<String>,
    /// 1 to 500; by default 100.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
    /// Only events of this type.
    #[serde(rename = "type")]
    #[param(example = "contact.confirmed")]
    kind: Option<String>,
    /// Only events of this brand.
    brand: Option<String>,
}

/// A part of the feed.
#[derive(Debug, Serialize, ToSchema)]
pub struct Feed {
    items: Vec<EventItem>,
    /// Give it as `after`, now or later: what comes by then is behind it. There is always one.
    next: String,
    /// Whether there may be more already.
    more: bool,
}

/// What happened to a contact: what a webhook is sent.
#[derive(Debug, Serialize, ToSchema)]
pub struct EventItem {
    /// The event's own id: what a webhook has as `webhook-id`.
    #[schema(format = "uuid")]
    id: String,
    #[serde(rename = "type")]
    #[schema(example = "contact.confirmed")]
    kind: &'static str,
    #[schema(format = DateTime)]
    timestamp: String,
    #[schema(value_type = EventData)]
    data: crate::domain::announcement::Data,
}

/// The contact, and what is particular to the type.
#[derive(Debug, Serialize, ToSchema)]
#[allow(dead_code)] // For the description; `Data` of the domain is what is sent.
pub struct EventData {
    brand: String,
    #[schema(format = "uuid")]
    contact: String,
    /// Missing once the contact was erased.
    #[schema(required = false)]
    address: String,
    #[schema(required = false)]
    purposes: Vec<String>,
    /// Of `contact.confirmed`: `link_button`, `same_browser` or `code`.
    #[schema(required = false)]
    grade: String,
    /// Of `contact.pending`.
    #[schema(required = false)]
    form: String,
    /// Of `contact.pending`.
    #[schema(required = false)]
    language: String,
    /// Of `contact.withdrawn`: `all` or `purposes`; a complaint leaves all.
    #[schema(required = false)]
    scope: String,
    /// Of `contact.withdrawn`: `one_click`, `link_button`, `preferences`, `api`, `command_line`, `admin_pages`, `provider`, `import` or `complaint`.
    #[schema(required = false)]
    method: String,
    /// Of `contact.paused`; missing where mail is wanted again.
    #[schema(required = false, format = DateTime)]
    until: String,
    /// Of `contact.bounced`: the enhanced status code (RFC 3463).
    #[schema(required = false)]
    status: String,
    /// Of `contact.lapsed`: the rule of the policy by which consent ended, `D2` or `D7`.
    #[schema(required = false)]
    rule: String,
    /// Missing once the contact was erased. In the feed only for keys with the scope `links:read`; webhooks have them always.
    #[schema(required = false)]
    links: EventLinks,
}

/// What a mail to the contact carries; for one purpose alone, ask for the contact's links.
#[derive(Debug, Serialize, ToSchema)]
#[allow(dead_code)] // For the description.
pub struct EventLinks {
    unsubscribe_url: String,
    preferences_url: String,
    list_unsubscribe: String,
    list_unsubscribe_post: String,
}

impl From<Announcement> for EventItem {
    fn from(told: Announcement) -> Self {
        Self {
            id: told.id.to_string(),
            kind: told.kind,
            timestamp: told.timestamp.to_string(),
            data: told.data,
        }
    }
}

/// The feed of events, oldest first.
///
/// An event appears once it has its place in the log of evidence, within about a second, and its place never changes: whoever
/// comes back with `next` misses nothing and gets nothing twice.
#[utoipa::path(get, path = "/api/v1/events", operation_id = "listEvents", tag = "Events", params(EventsQuery),
    security(("key" = ["events:read"])),
    responses((status = 200, description = "Events behind the cursor", body = Feed)))]
pub async fn list(
    _: HttpRequest,
    shared: web::Data<Web>,
    key: Key<EventsRead>,
    query: Params<EventsQuery>,
) -> Answer {
    let query = query.0;
    let after = cursor::position(query.after.as_deref())?;
    let limit = usize::try_from(cursor::limit(query.limit)?).unwrap_or(1);
    let brand = match &query.brand {
        Some(slug) => Some(key.brand(&shared, slug)?.id),
        None => key.key.brand,
    };
    let kinds = match &query.kind {
        Some(name) => vec![Kind::parse(name).ok_or_else(|| {
            let all: Vec<&str> = Kind::ALL.iter().map(|kind| kind.as_str()).collect();
            ApiProblem::malformed(format!("type is one of {}.", all.join(", ")))
        })?],
        None => Vec::new(),
    };
    let wanted = Wanted { brand, kinds };
    let told = shared.app.announcements(after, limit, &wanted).await;
    let told = told.map_err(|problem| {
        tracing::error!(%problem, "the feed of events could not be read");
        ApiProblem::unavailable("The log of evidence does not go on.")
    })?;
    // They act for the person; reading the feed alone does not.
    let may_have_links = key.key.may(Scope::LinksRead);
    let items = told.announcements.into_iter().map(|placed| {
        let mut announcement = placed.announcement;
        if !may_have_links {
            announcement.data.links = None;
        }
        announcement.into()
    });
    ok(&Feed {
        items: items.collect(),
        next: cursor::of_position(told.up_to),
        more: told.goes_on,
    })
}
