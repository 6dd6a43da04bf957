//! How campaigns are, in words, as JSON, and for each contact as CSV.

use std::io::{BufWriter, Write};
use std::path::Path;

use crate::app::App;
use crate::app::campaign::Told;
use crate::cli::{Done, Ended};
use crate::domain::brand::Brand;
use crate::domain::operator::Deed;
use crate::domain::time::Timestamp;
use crate::intake::export::{create, line};

pub async fn all(app: &App, brand: &Brand, json: bool) -> Done {
    for told in app.campaigns_told(brand).await? {
        if json {
            println!("{}", serde_json::to_string(&told)?);
        } else {
            println!(
                "{}  {:9}  {:14}  {} asked, {} confirmed  {}",
                told.started_at.to_the_minute(),
                told.state,
                told.plan.kind.as_str(),
                told.asked,
                told.confirmed,
                told.name.escape_debug()
            );
        }
    }
    Ok(())
}

pub async fn one(
    app: &App,
    brand: &Brand,
    name: &str,
    contacts: Option<&Path>,
    json: bool,
) -> Done {
    let row = app.campaign(brand, name).await.map_err(super::ended)?;
    if let Some(path) = contacts {
        let on = format!("the people of the campaign {}", row.name);
        app.acted_on_command_line(Deed::ListTaken, on).await?;
        write(app, &row, path).await?;
    }
    let told = app.tell_campaign(row).await?;
    if json {
        println!("{}", serde_json::to_string(&told)?);
    } else {
        print(&told);
    }
    Ok(())
}

fn print(told: &Told) {
    let kind = told.plan.kind.as_str();
    println!("{}: {kind}, {}", told.name.escape_debug(), told.state);
    if let Some(why) = &told.why {
        println!("  stopped once: {why}");
    }
    for (what, count) in [
        ("people", told.enrolled),
        ("waiting", told.waiting),
        ("held for release", told.held),
        ("asked", told.asked),
        ("  mail accepted", told.accepted),
        ("  mail failed", told.failed),
        ("  confirmed", told.confirmed),
        ("  declined", told.declined),
        ("  left instead", told.left),
        ("  did not answer", told.unanswered),
        ("cancelled", told.cancelled),
    ] {
        println!("  {what:18} {count:>9}");
    }
    for (why, count) in &told.left_out {
        println!("  left out, {why:24} {count:>9}");
    }
}

async fn write(app: &App, row: &crate::store::campaigns::CampaignRow, path: &Path) -> Done {
    let file =
        create(path).map_err(|error| Ended::Wrong(format!("{}: {error}", path.display())))?;
    let mut file = BufWriter::new(file);
    let header = [
        "address",
        "state",
        "reason",
        "mail",
        "answer",
        "asked_at",
        "reminded_at",
    ];
    file.write_all(line(header).as_bytes())?;
    let instant = |at: Option<Timestamp>| at.map_or_else(String::new, |at| at.to_string());
    let mut after = None;
    loop {
        let page = app.campaign_outcomes(row, after).await?;
        let Some(last) = page.last() else {
            return Ok(file.flush()?);
        };
        after = Some(last.contact_id);
        for one in &page {
            let text = line([
                &one.address,
                &one.state,
                one.why.as_deref().unwrap_or_default(),
                one.mail.as_deref().unwrap_or_default(),
                one.answer.as_deref().unwrap_or_default(),
                &instant(one.asked_at),
                &instant(one.reminded_at),
            ]);
            file.write_all(text.as_bytes())?;
        }
    }
}
