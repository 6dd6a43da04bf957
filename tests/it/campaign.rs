//! Campaigns: who is asked, at what pace, and what comes of it. The three jobs that people hire us for, from file to consent.

mod by_time;
mod late;
mod mending;
pub mod numbers;
mod pace;
mod returned;
mod steady;
mod stopping;
mod stories;
mod used;

use countersign::app::campaign::{CampaignProblem, NewCampaign, Told};
use countersign::domain::brand::Slug;
use countersign::domain::campaign::{Kind, Plan};

use crate::harness::World;

pub fn slug(text: &str) -> Slug {
    Slug::try_from(text.to_owned()).unwrap()
}

/// A plan without any limit.
pub fn plan(kind: Kind) -> Plan {
    Plan {
        kind,
        purpose: slug("newsletter"),
        form: slug("news"),
        import: None,
        due: None,
        old_brand: (kind == Kind::MergerNotice).then(|| "Mill Letters".to_owned()),
        note: (kind == Kind::MergerNotice)
            .then(|| "Mill Letters has been bought by Acme.".to_owned()),
        an_hour: 0,
        warm_up: Vec::new(),
        hours: None,
        answer_within_days: 30,
        remind_after_days: None,
        lapse_unanswered_at: None,
        stop_at_failed_percent: 10,
        stop_at_complaints_permille: 3,
    }
}

pub async fn begin(world: &World, name: &str, plan: Plan) -> Result<(), CampaignProblem> {
    let catalog = world.app.catalog();
    let brand = catalog.brand_by_slug("acme").unwrap();
    let new = NewCampaign {
        name: name.to_owned(),
        plan,
    };
    world.app.begin_campaign(brand, new).await.map(drop)
}

/// What the worker does every few seconds, until nothing is left to do now; and the mails that are due.
pub async fn work(world: &World) -> usize {
    let mut asked = 0;
    // The first round enrols.
    for _ in 0..3 {
        asked += world.app.campaigns_due().await.unwrap();
    }
    world.deliver().await;
    asked
}

/// How a campaign is. Its numbers, which were counted as things were written, are held against its people each time.
pub async fn told(world: &World, name: &str) -> Told {
    let catalog = world.app.catalog();
    let brand = catalog.brand_by_slug("acme").unwrap();
    let row = world.app.campaign(brand, name).await.unwrap();
    let told = world.app.tell_campaign(row.clone()).await.unwrap();
    numbers::hold(&world.app, &row, &told).await;
    told
}

pub async fn release(
    world: &World,
    name: &str,
    addresses: &[&str],
) -> Result<usize, CampaignProblem> {
    let catalog = world.app.catalog();
    let brand = catalog.brand_by_slug("acme").unwrap();
    let addresses: Vec<String> = addresses.iter().map(|one| (*one).to_owned()).collect();
    world.app.release_recipients(brand, name, &addresses).await
}

/// Opens the mail's link and presses its button, as a person does.
pub async fn say_yes(world: &World, email: &str) {
    let mail = world.mail_to(email).await;
    let mut client = world.client("198.51.100.77");
    let page = client.get(&mail.confirm()).await;
    assert_eq!(page.status, 200, "{}", page.text());
    world.advance(30);
    let reply = client.post(&mail.confirm(), &[]).await;
    assert!(reply.status < 400, "{}", reply.text());
}

pub async fn say_no(world: &World, email: &str) {
    let mail = world.mail_to(email).await;
    let mut client = world.client("198.51.100.78");
    let page = client.get(&mail.decline()).await.text();
    assert!(!page.contains("somebody entered your address"), "{page}");
    world.advance(3);
    let reply = client.post(&mail.decline(), &[]).await;
    assert!(reply.status < 400, "{}", reply.text());
}
