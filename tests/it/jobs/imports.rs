//! An import from the file to its report, and back.

use countersign::app::acted::deeds_of;
use countersign::domain::operator::Role;
use countersign::domain::standing::Basis;

use super::{bring, follow, proposed, signed_in, take_columns, there, tried, work};
use crate::admin::tables::{first_cells, is_refused, walk};
use crate::harness::World;
use crate::import::workbook::{Workbook, row};
use crate::on_both_engines;

/// As some spreadsheet programs write "Unicode text".
fn utf_16(text: &str) -> Vec<u8> {
    let units = std::iter::once(0xFEFF).chain(text.encode_utf16());
    units.flat_map(u16::to_le_bytes).collect()
}

fn files(world: &World) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(&world.app.config.uploads.folder) else {
        return Vec::new();
    };
    entries
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect()
}

const LIST: &str = "E-Mail;Naam;Bestelling;Datum;Opmerking\n\
    anna@example.org;Anna;1001;2026-10-01;=1+1\nbo@example.org;Bo;1002;2019-01-01;\ninfo@example.org;;1003;2026-10-01;\n\
    nonsense;;1004;2026-10-01;\nanna@example.org;Anna;1001;2026-10-01;\n";

on_both_engines! {
    async fn a_list_in_utf_16_is_brought_mapped_proven_tried_taken_in_reported_and_taken_back(engine: Engine) {
        let world = World::on(engine).await;
        let mut olga = signed_in(&world, "olga", Role::Owner, &[]).await;
        let page = olga.get("/admin/imports").await.text();
        assert!(page.contains("Bring a list") && page.contains("No list was taken in yet"), "{page}");
        let reply = bring(&mut olga, "acme/newsletter", "klanten.csv", &utf_16(LIST)).await;
        let columns = there(&reply);
        let page = olga.get(&columns).await.text();
        assert!(page.contains("CSV, UTF-16LE, delimiter &#34;;&#34;"), "{page}");
        let fields = proposed(&page);
        let found: Vec<&str> = fields.iter().map(|field| field.1.as_str()).collect();
        assert_eq!(found, ["email", "name", "ignore", "ignore", "ignore"]);
        // The operator knows better what “Bestelling” is.
        let told = [("c0", "email"), ("c1", "name"), ("c2", "proof.order"), ("c3", "proof.date"), ("c4", "ignore"), ("language", "nl")];
        let source = there(&olga.post(&columns, &told).await);
        let page = olga.get(&columns).await.text();
        assert!(proposed(&page)[2].1 == "proof.order" && page.contains("<option value=\"nl\" selected>"), "{page}");
        // Beside the source stands what the policy says of it, and of the first row of this very list.
        let page = olga.get(&format!("{source}?source=purchase")).await.text();
        assert!(page.contains("<code>A2</code>") && page.contains("rows hold it in “Bestelling”"), "{page}");
        assert!(!page.contains("The first row of this list"));
        let saved = olga.post(&source, &[("source", "purchase"), ("then", "show")]).await;
        let page = follow(&mut olga, &saved).await.text();
        assert!(page.contains("The first row of this list") && page.contains("Implicit consent lasts until 2028-10"), "{page}");
        let trial = there(&olga.post(&source, &[("source", "purchase"), ("then", "try")]).await);
        let page = olga.get(&trial).await.text();
        assert!(page.contains("data-live") && page.contains("It waits for its turn"), "{page}");
        work(&world.app).await;
        let page = olga.get(&trial).await.text();
        assert!(!page.contains("data-live") && page.contains("5 rows, CSV, UTF-16LE"), "{page}");
        assert!(page.contains("<b>2</b> <strong>accepted</strong>") && page.contains("<b>1</b> <strong>broken</strong>"), "{page}");
        assert!(page.contains("<td>nonsense</td>") && page.contains("stands further up already"), "{page}");
        assert!(world.story("anna@example.org").await.is_empty(), "a trial stores nothing");
        let page = olga.get("/admin/imports").await.text();
        assert!(page.contains("klanten.csv") && page.contains("tried, waits for its start"), "{page}");

        let start = trial.replace("/trial", "/start");
        let import = there(&olga.post(&start, &[("name", "customers")]).await);
        let page = olga.get(&import).await.text();
        assert!(page.contains("data-live") && page.contains("running"), "{page}");
        assert_eq!(there(&olga.get(&trial).await), import, "what was started is no draft any more");
        work(&world.app).await;
        let page = olga.get(&import).await.text();
        assert!(!page.contains("data-live") && page.contains("<span class=\"state good\">done</span>"), "{page}");
        assert!(page.contains("<b>2</b> new contacts") && page.contains("Bestelling=proof.order"), "{page}");
        let anna = world.permission("anna@example.org", "newsletter").await;
        assert_eq!((anna.allowed, anna.basis, anna.rule), (true, Basis::Implicit, "A2"));
        assert!(!world.permission("info@example.org", "newsletter").await.allowed);
        let report = olga.get(&format!("{import}/report")).await;
        assert_eq!(report.header("content-disposition"), Some("attachment; filename=\"report-customers.csv\""));
        let report = report.text();
        assert!(report.starts_with("line,address,verdict,rule,outreach,reason\n2,anna@example.org,accept,A2,auto,"), "{report}");
        assert_eq!(report.lines().count(), 6);
        let left = files(&world);
        assert!(left.len() == 1 && left[0].ends_with(".report"), "only the report is kept: {left:?}");
        let list = olga.get("/admin/imports?format=csv").await.text();
        assert!(list.contains("\ncustomers,Acme Letters,purchase,done,5,2,"), "{list}");

        let wrong = olga.post(&format!("{import}/take-back"), &[("name", "customer")]).await;
        assert!(wrong.status == 422 && wrong.text().contains("type the name of the import"), "{}", wrong.text());
        let back = olga.post(&format!("{import}/take-back"), &[("name", "customers")]).await;
        let page = follow(&mut olga, &back).await.text();
        assert!(page.contains("taken back") && !page.contains("Take it back"), "{page}");
        assert!(!world.permission("anna@example.org", "newsletter").await.allowed);
        let olga = operator_id(&world, "olga").await;
        let deeds = deeds_of(&world.app.store, olga, 20).await.unwrap();
        let deeds: Vec<String> = deeds.iter().map(countersign::domain::sentence::sentence).collect();
        let deeds = deeds.join("\n");
        for deed in ["brought a list", "started an import", "took a list along", "took an import back"] {
            assert!(deeds.contains(deed), "{deed}: {deeds}");
        }
        world.finish().await;
    }

    async fn the_rows_that_are_kept_are_paged_filtered_and_taken_along_and_the_others_are_only_counted(engine: Engine) {
        let world = World::on(engine).await;
        let mut olga = signed_in(&world, "olga", Role::Owner, &[]).await;
        let mut list = "email,order,date\ninfo@example.org,1,2026-10-01\nnonsense,2,2026-10-01\n".to_owned();
        for number in 0..120 {
            // Two years are over for every tenth: they must be asked.
            let year = if number % 10 == 0 { 2019 } else { 2026 };
            list.push_str(&format!("p{number:03}@example.org,{number},{year}-10-01\n"));
        }
        let trial = tried(&mut olga, &world.app, list.as_bytes(), &[("source", "purchase")]).await;
        let import = there(&olga.post(&trial.replace("/trial", "/start"), &[("name", "customers")]).await);
        work(&world.app).await;
        // What the server does besides lies between the rows of an import, and another list of the brand is another list.
        world.signed_up("zoe@example.org", "192.0.2.9").await;
        world.deliver().await;
        let other = tried(&mut olga, &world.app, b"email,order,date\nyan@example.org,9,2026-10-01\n", &[("source", "purchase")]).await;
        olga.post(&other.replace("/trial", "/start"), &[("name", "more")]).await;
        work(&world.app).await;

        let rows = format!("{import}/rows");
        assert!(olga.get(&import).await.text().contains(&format!("href=\"{rows}\"")));
        let page = olga.get(&rows).await.text();
        assert!(page.contains("that the policy refuses (1), and those that cannot be read or name no address (1)"), "{page}");
        assert!(!page.contains("info@example.org") && !page.contains("nonsense"), "{page}");
        let (all, pages) = walk(&mut olga, &rows).await;
        let lines: Vec<String> = (4..124).map(|line| line.to_string()).collect();
        assert_eq!((&all, pages), (&lines, 3));
        let (down, _) = walk(&mut olga, &format!("{rows}?sort=-line")).await;
        assert!(down.iter().eq(lines.iter().rev()), "{down:?}");
        let (asked, _) = walk(&mut olga, &format!("{rows}?verdict=confirm_first")).await;
        let tenth: Vec<&String> = lines.iter().step_by(10).collect();
        assert_eq!(asked.iter().collect::<Vec<_>>(), tenth);
        let page = olga.get(&format!("{rows}?verdict=confirm_first")).await.text();
        let rule = page.split("<tbody>").nth(1).unwrap().split("<code>").nth(1).unwrap().split('<').next().unwrap().to_owned();
        assert_eq!(walk(&mut olga, &format!("{rows}?rule={rule}")).await.0.len(), 12, "{rule}");
        let page = olga.get(&format!("{rows}?verdict=accept")).await.text();
        let to = page.split("<td><a href=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
        assert!(olga.get(&to).await.text().contains("p001@example.org"), "{to}");
        assert!(is_refused(&olga.get(&format!("{rows}?sort=address")).await, "line"));
        assert!(is_refused(&olga.get(&format!("{rows}?rule=Z9")).await, &rule));
        assert!(is_refused(&olga.get(&format!("{rows}?after=x")).await, "first page"));

        let file = olga.get(&format!("{rows}?verdict=accept&format=csv")).await.text();
        let mut file = file.lines();
        assert_eq!(file.next(), Some("Line,Address,Verdict,Rule,Outreach,Reason"));
        assert!(file.next().unwrap().starts_with("5,p001@example.org,accept,A2,auto,"));
        assert_eq!(file.count(), 107);
        let deeds = deeds_of(&world.app.store, operator_id(&world, "olga").await, 50).await.unwrap();
        let said = |deed| countersign::domain::sentence::sentence(deed).contains("the rows of the import customers");
        assert!(deeds.iter().any(said));

        let erased = crate::erasure::forget(&world, "p000@example.org").await.unwrap();
        drop(erased);
        let page = olga.get(&rows).await.text();
        assert_eq!((first_cells(&page)[0].as_str(), page.contains("p000@example.org")), ("5", false));
        let mut vic = signed_in(&world, "vic", Role::Viewer, &[]).await;
        let page = vic.get(&rows).await.text();
        assert!(page.contains("p001@example.org") && !page.contains("format=csv"), "{page}");
        assert_eq!(vic.get(&format!("{rows}?format=csv")).await.status, 403);
        let mut otto = signed_in(&world, "otto", Role::Editor, &["other"]).await;
        for path in [rows.clone(), format!("{rows}?format=csv"), rows.replace("/acme/", "/other/")] {
            assert_eq!(otto.get(&path).await.status, 404, "{path}");
        }
        world.end().await;
    }

    async fn an_erasure_removes_lists_and_reports_that_are_over_and_says_how_many_wait(engine: Engine) {
        let world = World::on(engine).await;
        let mut olga = signed_in(&world, "olga", Role::Owner, &[]).await;
        let list = b"email,order,date\nanna@example.org,7,2026-10-01\nbo@example.org,8,2026-10-01\n";
        let said = [("source", "purchase")];
        let trial = tried(&mut olga, &world.app, list, &said).await;
        let import = there(&olga.post(&trial.replace("/trial", "/start"), &[("name", "customers")]).await);
        work(&world.app).await;
        assert!(olga.get(&format!("{import}/report")).await.text().contains("anna@example.org"));
        // One that broke off keeps its list, and one waits for its start.
        let broke_off = tried(&mut olga, &world.app, list, &said).await;
        world.sql("update draft set stage = 'failed' where stage = 'tried'").await.unwrap();
        let waiting = tried(&mut olga, &world.app, list, &said).await;
        let id = |path: &str| path.split('/').rev().nth(1).unwrap().to_owned();
        let kept = files(&world);
        assert!(kept.iter().any(|name| name.ends_with(".report")) && kept.iter().any(|name| name.starts_with(&id(&broke_off))), "{kept:?}");
        let erased = crate::erasure::forget(&world, "anna@example.org").await.unwrap();
        assert_eq!((erased.reports.len(), erased.lists_waiting), (2, 1));
        let kept = files(&world);
        assert!(!kept.is_empty() && kept.iter().all(|name| name.starts_with(&id(&waiting))), "{kept:?}");
        assert_eq!(olga.get(&format!("{import}/report")).await.status, 404);
        assert_eq!(olga.get(&import).await.status, 200, "the import itself is still told of");
        // The pages say it too, and the list that waits goes a day after it was brought.
        let bo = crate::leaving::contact_of(&world, "bo@example.org").await;
        let told = olga.post(&format!("/admin/contacts/acme/{bo}/erase"), &[("address", "bo@example.org")]).await;
        let page = follow(&mut olga, &told).await.text();
        assert!(page.contains("wait to be taken in are not searched"), "{page}");
        world.advance(86_400);
        world.app.tidy_drafts().await.unwrap();
        world.app.tidy_drafts().await.unwrap();
        assert_eq!(files(&world), Vec::<String>::new());
        world.finish().await;
    }

    async fn an_import_that_broke_off_keeps_its_list_for_a_day(engine: Engine) {
        let world = World::on(engine).await;
        let mut olga = signed_in(&world, "olga", Role::Owner, &[]).await;
        tried(&mut olga, &world.app, b"email\nanna@example.org\n", &[("source", "purchase")]).await;
        let now = world.clock.now().micros();
        world.sql(&format!("update draft set stage = 'failed', changed_at = {now}")).await.unwrap();
        world.advance(86_399);
        world.app.tidy_drafts().await.unwrap();
        assert!(files(&world).iter().any(|name| name.ends_with(".list")));
        world.advance(1);
        world.app.tidy_drafts().await.unwrap();
        assert_eq!(files(&world), Vec::<String>::new(), "neither the list nor its samples");
        world.finish().await;
    }

    async fn a_workbook_is_read_as_one_and_a_column_may_tell_the_source_of_each_row(engine: Engine) {
        let world = World::on(engine).await;
        let mut olga = signed_in(&world, "olga", Role::Owner, &[]).await;
        let rows = row(1, &["Email", "Source", "Order", "Date", "Event", "Kind"])
            + &row(2, &["ann@example.org", "purchase", "7", "2026-10-01", "", ""])
            + &row(3, &["bob@example.org", "event_booth", "", "2026-10-02", "Fair", "badge"])
            + &row(4, &["cay@example.org", "somewhere", "", "", "", ""]);
        let columns = there(&bring(&mut olga, "acme/newsletter", "people.xlsx", &Workbook::new().rows(&rows).bytes()).await);
        let page = olga.get(&columns).await.text();
        assert!(page.contains("XLSX") && page.contains("name=\"sheet\"") && !page.contains("name=\"delimiter\""), "{page}");
        let source = take_columns(&mut olga, &columns).await;
        let page = olga.get(&source).await.text();
        assert!(page.contains("Each row says it, in the column “Source”"), "{page}");
        let trial = there(&olga.post(&source, &[("source", "each-row"), ("then", "try")]).await);
        work(&world.app).await;
        let page = olga.get(&trial).await.text();
        assert!(page.contains("<b>2</b> <strong>accepted</strong>") && page.contains("The policy has no source"), "{page}");
        let import = there(&olga.post(&trial.replace("/trial", "/start"), &[("name", "people")]).await);
        work(&world.app).await;
        let page = olga.get(&import).await.text();
        assert!(page.contains("each row says it") && page.contains("done"), "{page}");
        assert_eq!(world.permission("bob@example.org", "newsletter").await.rule, "O2a");
        world.finish().await;
    }

    async fn what_is_said_anew_is_tried_anew_and_a_name_is_given_once(engine: Engine) {
        let world = World::on(engine).await;
        let mut olga = signed_in(&world, "olga", Role::Owner, &[]).await;
        let list = b"email,date\nann@example.org,2026-10-01\n";
        let trial = tried(&mut olga, &world.app, list, &[("source", "purchase")]).await;
        let page = olga.get(&trial).await.text();
        assert!(page.contains("<b>1</b> <strong>confirm first</strong>"), "no order proves it: {page}");
        let source = trial.replace("/trial", "/source");
        let saved = olga.post(&source, &[("source", "purchase"), ("proof.order", "shop 2026"), ("then", "show")]).await;
        follow(&mut olga, &saved).await;
        let page = olga.get(&trial).await.text();
        assert!(page.contains("Try the list") && !page.contains("Start the import"), "{page}");
        let start = trial.replace("/trial", "/start");
        let early = olga.post(&start, &[("name", "a")]).await;
        assert!(early.status == 422 && early.text().contains("try it first"), "{}", early.text());
        olga.post(&trial, &[]).await;
        work(&world.app).await;
        let page = olga.get(&trial).await.text();
        assert!(page.contains("<b>1</b> <strong>accepted</strong>"), "{page}");
        there(&olga.post(&start, &[("name", "a")]).await);
        work(&world.app).await;
        let trial = tried(&mut olga, &world.app, b"email,date\nbob@example.org,2026-10-01\n", &[("source", "purchase")]).await;
        let taken = olga.post(&trial.replace("/trial", "/start"), &[("name", "a")]).await;
        assert!(taken.status == 422 && taken.text().contains("There is an import “a” already"), "{}", taken.text());
        world.finish().await;
    }

    async fn a_list_that_nobody_goes_on_with_is_removed_after_a_day_and_a_report_after_a_week(engine: Engine) {
        let world = World::on(engine).await;
        let mut olga = signed_in(&world, "olga", Role::Owner, &[]).await;
        let list = b"email,order,date\nann@example.org,1,2026-10-01\n";
        let columns = there(&bring(&mut olga, "acme/newsletter", "left.csv", list).await);
        let trial = tried(&mut olga, &world.app, list, &[("source", "purchase")]).await;
        let import = there(&olga.post(&trial.replace("/trial", "/start"), &[("name", "a")]).await);
        work(&world.app).await;
        assert_eq!(files(&world).len(), 2);
        world.app.tidy_drafts().await.unwrap();
        assert_eq!(files(&world).len(), 2);
        world.advance(25 * 3_600);
        world.app.tidy_drafts().await.unwrap();
        let left = files(&world);
        assert!(left.len() == 1 && left[0].ends_with(".report"), "{left:?}");
        let mut olga = crate::jobs::sign_in(&world.base, "olga").await;
        assert_eq!(olga.get(&columns).await.status, 404);
        assert_eq!(olga.get(&format!("{import}/report")).await.status, 200);
        world.advance(7 * 86_400);
        world.app.tidy_drafts().await.unwrap();
        assert_eq!(files(&world), Vec::<String>::new());
        let mut olga = crate::jobs::sign_in(&world.base, "olga").await;
        assert_eq!(olga.get(&format!("{import}/report")).await.status, 404);
        assert_eq!(olga.get(&import).await.status, 200);
        // One that is removed by hand is gone at once.
        let columns = there(&bring(&mut olga, "acme/newsletter", "again.csv", list).await);
        there(&olga.post(&columns.replace("/columns", "/remove"), &[]).await);
        assert_eq!(files(&world), Vec::<String>::new());
        assert_eq!(olga.get(&columns).await.status, 404);
        world.finish().await;
    }
}

async fn operator_id(world: &World, name: &str) -> countersign::domain::ids::OperatorId {
    let found = countersign::app::operators::list(&world.app.store)
        .await
        .unwrap();
    found
        .into_iter()
        .find(|operator| operator.operator.name == name)
        .unwrap()
        .operator
        .id
}

#[cfg(unix)]
mod private {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    on_both_engines! {
        async fn a_list_lies_where_only_the_server_may_read_it(engine: Engine) {
            let world = World::on(engine).await;
            let mut olga = signed_in(&world, "olga", Role::Owner, &[]).await;
            let trial = tried(&mut olga, &world.app, b"email,order,date\nann@example.org,1,2026-10-01\n", &[("source", "purchase")]).await;
            assert!(!trial.contains('@'));
            let folder = &world.app.config.uploads.folder;
            assert_eq!(std::fs::metadata(folder).unwrap().permissions().mode() & 0o777, 0o700);
            for name in files(&world) {
                let mode = std::fs::metadata(folder.join(&name)).unwrap().permissions().mode();
                assert_eq!(mode & 0o777, 0o600, "{name}");
            }
            world.finish().await;
        }
    }
}
