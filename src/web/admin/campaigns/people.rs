//! The people of a campaign: as a table, and as a file.

use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse};
use futures_util::{StreamExt, stream};

use super::why_words;
use crate::app::campaign::Person;
use crate::domain::brand::Brand;
use crate::domain::ids::CampaignId;
use crate::domain::operator::{Deed, Operator};
use crate::domain::time::Timestamp;
use crate::intake::export;
use crate::web::Web;
use crate::web::admin::jobs::{attachment, tone};
use crate::web::admin::table::Cell;
use crate::web::admin::{acting, not_found, see};
use crate::web::error;

pub const COLUMNS: [(&str, bool); 7] = [
    ("Address", false),
    ("State", false),
    ("Why", false),
    ("Mail", false),
    ("Answer", false),
    ("Asked", false),
    ("Reminded", false),
];

pub fn person(one: Person) -> Vec<Cell> {
    let state = |text: Option<String>| {
        text.map_or(Cell::None, |text| {
            let tone = tone(&text);
            Cell::State(text, tone)
        })
    };
    vec![
        Cell::Text(one.address),
        Cell::Text(one.state.replace('_', " ")),
        Cell::Text(one.why.as_deref().map_or("", why_words).to_owned()),
        state(one.mail),
        state(one.answer),
        Cell::time(one.asked_at),
        Cell::time(one.reminded_at),
    ]
}

const HEADER: [&str; 7] = [
    "address",
    "state",
    "reason",
    "mail",
    "answer",
    "asked_at",
    "reminded_at",
];
/// People that are read for a file at once.
const PEOPLE: usize = 500;

/// All people of a campaign as a file, read while it is sent. The guard has asked whether it may be taken along.
pub async fn csv(
    request: &HttpRequest,
    shared: &Data<Web>,
    operator: &Operator,
    brand: &Brand,
    id: CampaignId,
) -> HttpResponse {
    let Some(acting) = acting(request, shared) else {
        return see("/admin/sign-in");
    };
    let found = async {
        let told = shared.app.tell_campaign_of(brand.id, id).await?;
        if let Some(told) = &told {
            let on = Some(format!("the people of the campaign {}", told.name));
            shared.app.acted(&acting, Deed::ListTaken, on).await?;
        }
        Ok(told)
    };
    let told = match found.await {
        Ok(Some(told)) => told,
        Ok(None) => return not_found(shared, operator, "This campaign"),
        Err(problem) => return error::store_failure(request, shared, &problem),
    };
    let (app, brand) = (shared.app.clone(), brand.id);
    // Where the next piece begins; none behind the last one.
    let begin = Some(None::<String>);
    let head = stream::once(async { Ok(Bytes::from(export::line(HEADER))) });
    let pieces = stream::unfold(begin, move |after| {
        let app = app.clone();
        async move {
            let after = after?;
            let page = app
                .campaign_people(brand, id, None, after.as_deref(), PEOPLE)
                .await;
            Some(match page {
                Ok(page) => {
                    let text: String = page.people.iter().map(line).collect();
                    (Ok(Bytes::from(text)), page.next.map(Some))
                }
                Err(problem) => (Err(std::io::Error::other(problem.to_string())), None),
            })
        }
    });
    attachment(&format!("campaign-{}", told.name)).streaming(head.chain(pieces))
}

fn line(one: &Person) -> String {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let instant = |at: Option<Timestamp>| at.map_or_else(String::new, |at| at.to_string());
    export::line([
        &one.address,
        &one.state,
        &text(&one.why),
        &text(&one.mail),
        &text(&one.answer),
        &instant(one.asked_at),
        &instant(one.reminded_at),
    ])
}
