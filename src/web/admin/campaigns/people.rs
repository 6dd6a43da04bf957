//! The people of a campaign: as a table, and as a file.

use std::sync::Arc;

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};

use super::why_words;
use crate::app::App;
use crate::app::campaign::Person;
use crate::domain::brand::Brand;
use crate::domain::ids::{BrandId, CampaignId};
use crate::domain::operator::{Deed, Operator};
use crate::domain::policy::Rule;
use crate::store::StoreError;
use crate::web::Web;
use crate::web::admin::jobs::tone;
use crate::web::admin::table::sift::{cut, sift};
use crate::web::admin::table::{self, Cell, Choice, Order, Sifted, Wanted};
use crate::web::admin::{acting, not_found, see};
use crate::web::error;

pub const COLUMNS: [(&str, bool); 9] = [
    ("Address", false),
    ("Known since", false),
    ("State", false),
    ("Why", false),
    ("Mail", false),
    ("Answer", false),
    ("Due", false),
    ("Asked", false),
    ("Reminded", false),
];

/// Everybody comes in the order in which the brand came to know them; people of one state, as they are due.
pub const fn order_of(state: Option<&str>) -> Order {
    match state {
        None => Order::up("Known since"),
        Some(_) => Order::up("Due"),
    }
}

/// What can be chosen of people beside their state, for which there are tabs. Whoever is held got no mail, and is held by a rule.
pub fn choices(state: Option<&str>) -> Vec<Choice> {
    if state == Some("held") {
        let rules: Vec<&str> = Rule::ALL.iter().map(|rule| rule.id()).collect();
        return vec![Choice::of("Why", &rules)];
    }
    vec![
        Choice::of("Mail", &["accepted", "failed"]),
        Choice::of(
            "Answer",
            &[
                "open",
                "confirmed",
                "declined",
                "replaced",
                "abandoned",
                "left",
                "expired",
                "bounced",
            ],
        ),
    ]
}

pub fn person(one: Person) -> Vec<Cell> {
    let state = |text: Option<String>| {
        text.map_or(Cell::None, |text| {
            let tone = tone(&text);
            Cell::State(text, tone)
        })
    };
    let is_due = matches!(one.state.as_str(), "waiting" | "asked");
    vec![
        Cell::Text(one.address),
        Cell::Time(one.known_since),
        Cell::Text(one.state.replace('_', " ")),
        Cell::Text(one.why.as_deref().map_or("", why_words).to_owned()),
        state(one.mail),
        state(one.answer),
        Cell::time(is_due.then_some(one.due_at)),
        Cell::time(one.asked_at),
        Cell::time(one.reminded_at),
    ]
}

/// People of a campaign, of one state where it is named, as they are wanted, behind one of them.
pub async fn sifted(
    app: &App,
    (brand, id, state): (BrandId, CampaignId, Option<&str>),
    (down, wanted): (bool, &Wanted),
    (after, limit): (Option<String>, usize),
    row: impl Fn(Person) -> Vec<Cell>,
) -> Result<Sifted<String>, StoreError> {
    let read = async |after: Option<String>, count: usize| {
        let behind = (after.as_deref(), down);
        let found = app.people_in_order(brand, id, state, behind, count + 1);
        Ok(cut(found.await?, count))
    };
    let shown = |one: Person| wanted.keeps(&person(one.clone())).then(|| row(one));
    sift(limit, after, wanted, read, shown).await
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
/// The people of a campaign as a file, as they are wanted, read while it is sent. The guard has asked whether it may be taken
/// along.
pub async fn csv(
    request: &HttpRequest,
    shared: &Data<Web>,
    operator: &Operator,
    (brand, id, state): (&Brand, CampaignId, Option<&str>),
    (down, wanted): (bool, Wanted),
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
    let head = HEADER.map(str::to_owned).into();
    let name = format!("campaign-{}", told.name);
    let (shared, brand) = (shared.clone(), brand.id);
    let of = Arc::new((wanted, state.map(str::to_owned)));
    table::stream(&name, head, move |after, limit| {
        let (shared, of) = (shared.clone(), of.clone());
        async move {
            let what = (brand, id, of.1.as_deref());
            let order = (down, &of.0);
            sifted(&shared.app, what, order, (after, limit), line).await
        }
    })
}

fn line(one: Person) -> Vec<Cell> {
    let text = |text: Option<String>| Cell::Text(text.unwrap_or_default());
    vec![
        Cell::Text(one.address),
        Cell::Text(one.state),
        text(one.why),
        text(one.mail),
        text(one.answer),
        Cell::time(one.asked_at),
        Cell::time(one.reminded_at),
    ]
}
