//! Every table of the operators' pages: sorted by its columns' heads, filtered by plain forms, paged by keys that stay right, and
//! taken along as it is shown.

use countersign::app::suppress::is_reason;

use super::signing_in::signed_in;
use crate::harness::client::{Client, Reply};
use crate::harness::{World, add_owner};
use crate::on_both_engines;

/// What stands in the cells of the first column, in their order.
pub fn first_cells(page: &str) -> Vec<String> {
    let body = page.split("<tbody>").nth(1).unwrap_or("");
    let body = body.split("</tbody>").next().unwrap();
    body.split("<tr>")
        .skip(1)
        .map(|row| {
            let cell = row.split("<td").nth(1).unwrap();
            let text = cell.split("</td>").next().unwrap();
            let plain = text.split('<').filter_map(|part| part.split_once('>'));
            let inner: String = plain.map(|part| part.1).collect();
            inner.trim().to_owned()
        })
        .collect()
}

/// Where the link to the next page leads.
pub fn next(page: &str) -> Option<String> {
    let link = page.split(" rel=\"next\"").next()?;
    if link.len() == page.len() {
        return None;
    }
    let href = link.rsplit("href=\"").next()?;
    Some(
        href.trim_end_matches('"')
            .replace("&#38;", "&")
            .replace("&amp;", "&"),
    )
}

/// All first cells of a table, page by page.
pub async fn walk(client: &mut Client, path: &str) -> (Vec<String>, usize) {
    let (mut all, mut path, mut pages) = (Vec::new(), path.to_owned(), 0);
    loop {
        let page = client.get(&path).await;
        assert_eq!(page.status, 200, "{path}: {}", page.text());
        pages += 1;
        assert!(pages < 100, "{path} goes on for good");
        let text = page.text();
        all.extend(first_cells(&text));
        match next(&text) {
            Some(next) => path = next,
            None => return (all, pages),
        }
    }
}

pub fn is_refused(reply: &Reply, words: &str) -> bool {
    reply.status == 400 && reply.text().contains(words)
}

on_both_engines! {
    async fn contacts_come_by_address_or_by_time_in_either_direction_and_no_page_loses_or_repeats_one(engine: Engine) {
        let world = World::on(engine).await;
        add_owner(&world.app).await;
        for number in 0..120 {
            // Not in the order of their names.
            let email = format!("reader{:03}@example.org", (number * 37) % 120);
            world.signed_up(&email, &format!("192.0.2.{number}")).await;
            world.advance(1);
        }
        world.deliver().await;
        let mut client = signed_in(&world, "olga").await;
        let newest = client.get("/admin/contacts").await.text();
        assert!(newest.contains("aria-sort=\"descending\""), "the newest first, unasked");
        let (by_address, pages) = walk(&mut client, "/admin/contacts?brand=acme&sort=address").await;
        let sorted: Vec<String> = (0..120).map(|number| format!("reader{number:03}@example.org")).collect();
        assert_eq!((by_address, pages), (sorted.clone(), 3));
        let (down, _) = walk(&mut client, "/admin/contacts?brand=acme&sort=-address").await;
        assert!(down.iter().eq(sorted.iter().rev()));
        let (oldest, _) = walk(&mut client, "/admin/contacts?brand=acme&sort=known_since").await;
        let came: Vec<String> = (0..120).map(|number| format!("reader{:03}@example.org", (number * 37) % 120)).collect();
        assert_eq!(oldest, came);
        let (newest, _) = walk(&mut client, "/admin/contacts?brand=acme").await;
        assert!(newest.iter().eq(came.iter().rev()));
        // Somebody comes between two pages: nobody is shown twice, nobody is left out.
        let first = client.get("/admin/contacts?brand=acme&sort=address").await.text();
        world.signed_up("reader010-late@example.org", "198.51.100.1").await;
        world.deliver().await;
        let second = client.get(&next(&first).unwrap()).await.text();
        assert_eq!(first_cells(&second)[0], "reader050@example.org");
        assert!(!next(&first).unwrap().contains('@'), "no address stands in a URL");
        world.finish().await;
    }

    async fn contacts_are_filtered_by_state_and_language_and_the_file_follows_order_and_filter(engine: Engine) {
        let world = World::on(engine).await;
        add_owner(&world.app).await;
        for number in 0..6 {
            let email = format!("reader{number}@example.org");
            let (mut person, _) = world.signed_up(&email, &format!("192.0.2.{number}")).await;
            let mail = world.mail_to(&email).await;
            if number % 2 == 0 {
                person.get(&mail.confirm()).await;
                world.advance(5);
                person.post(&mail.confirm(), &[]).await;
            }
        }
        let mut client = signed_in(&world, "olga").await;
        let path = "/admin/contacts?brand=acme&sort=-address&stands=explicit";
        let (found, _) = walk(&mut client, path).await;
        assert_eq!(found, ["reader4@example.org", "reader2@example.org", "reader0@example.org"]);
        let (none, _) = walk(&mut client, "/admin/contacts?brand=acme&stands=withdrawn").await;
        assert!(none.is_empty());
        let (dutch, _) = walk(&mut client, "/admin/contacts?brand=acme&language=nl").await;
        assert!(dutch.is_empty());
        let page = client.get(path).await;
        let fields = [("brand", "acme"), ("sort", &page.hidden("sort")), ("stands", &page.hidden("stands"))];
        let file = client.post("/admin/contacts/list", &fields).await.text();
        let addresses: Vec<&str> = file.lines().skip(1).map(|line| line.split(',').nth(1).unwrap()).collect();
        assert_eq!(addresses, ["reader4@example.org", "reader2@example.org", "reader0@example.org"]);
        world.finish().await;
    }

    async fn an_unknown_column_value_or_place_is_a_400_that_says_what_there_is(engine: Engine) {
        let world = World::on(engine).await;
        add_owner(&world.app).await;
        world.signed_up("anna@example.org", "192.0.2.7").await;
        world.deliver().await;
        let mut client = signed_in(&world, "olga").await;
        for path in [
            "/admin/contacts", "/admin/contacts/held", "/admin/delivery", "/admin/imports", "/admin/campaigns", "/admin/forms", "/admin/forms/news",
            "/admin/policy", "/admin/evidence/checkpoints", "/admin/evidence/timestamps", "/admin/evidence/sealed",
            "/admin/settings", "/admin/settings/suppressions", "/admin/settings/keys", "/admin/settings/webhooks",
            "/admin/settings/operators", "/admin/settings/operators/olga", "/admin/account",
        ] {
            let wrong = client.get(&format!("{path}?sort=-colour")).await;
            assert!(is_refused(&wrong, "no column “colour” to sort by. It sorts by "), "{path}: {}", wrong.text());
            let sorts = wrong.text();
            let sorts = sorts.split("It sorts by ").nth(1).unwrap().split(';').next().unwrap();
            for column in sorts.split(", ") {
                for way in [column.to_owned(), format!("-{column}")] {
                    let page = client.get(&format!("{path}?sort={way}")).await;
                    assert_eq!(page.status, 200, "{path}?sort={way}");
                }
            }
        }
        for (path, words) in [
            ("/admin/contacts?stands=happy", "It is one of pending, implicit"),
            ("/admin/contacts?after=x", "cannot be read"),
            ("/admin/contacts?sort=address&after=0190d5a4-0000-7000-8000-000000000000", "is not there any more"),
            ("/admin/delivery?after=x", "cannot be read"),
            ("/admin/delivery?domains_sort=colour", "no column"),
            ("/admin?sources_sort=colour", "no column"),
            ("/admin?forms_sort=day_by_day", "no column"),
            ("/admin/contacts/held?after=x", "cannot be read"),
            ("/admin/contacts/held?erasure=x", "It is one of wished"),
            ("/admin/settings/suppressions?why=x", "It is one of declined, complained"),
            ("/admin/settings/suppressions?after=7.zz", "cannot be read"),
            ("/admin/account?after=x", "cannot be read"),
        ] {
            let reply = client.get(path).await;
            assert!(is_refused(&reply, words), "{path}: {}", reply.text());
        }
        world.finish().await;
    }

    async fn mails_that_wait_come_as_they_are_due_or_the_other_way_round_and_are_filtered_by_their_domain(engine: Engine) {
        let world = World::on(engine).await;
        add_owner(&world.app).await;
        for number in 0..60 {
            let domain = if number % 20 == 0 { "rare.example" } else { "example.org" };
            world.signed_up(&format!("reader{number}@{domain}"), &format!("192.0.2.{number}")).await;
            world.advance(1);
        }
        let mut client = signed_in(&world, "olga").await;
        let csv = |text: String| -> Vec<String> { text.lines().skip(1).map(str::to_owned).collect() };
        let up = csv(client.get("/admin/delivery?show=waiting&format=csv").await.text());
        let down = csv(client.get("/admin/delivery?show=waiting&sort=-due&format=csv").await.text());
        assert_eq!(up.len(), 60);
        assert!(up.iter().eq(down.iter().rev()));
        let page = client.get("/admin/delivery?show=waiting&sort=-due").await.text();
        assert!(page.contains("aria-sort=\"descending\""));
        let second = client.get(&next(&page).unwrap()).await.text();
        assert_eq!(first_cells(&second).len(), 10, "in the first table of the page");
        let rare = csv(client.get("/admin/delivery?show=waiting&filter=rare.example&format=csv").await.text());
        assert_eq!(rare.len(), 3);
        let page = client.get("/admin/delivery?show=waiting&filter=rare.example").await.text();
        assert_eq!(first_cells(&page).len(), 3);
        assert!(page.contains("<input type=\"hidden\" name=\"show\" value=\"waiting\">"), "a filter keeps to the tab");
        world.deliver().await;
        world.finish().await;
    }

    async fn a_mailbox_is_suppressed_by_hand_with_a_reason_and_stands_in_a_list_that_names_nobody(engine: Engine) {
        let world = World::on(engine).await;
        add_owner(&world.app).await;
        world.signed_up("anna@example.org", "192.0.2.7").await;
        let mut client = signed_in(&world, "olga").await;
        let path = "/admin/settings/suppressions";
        let empty = client.get(path).await.text();
        assert!(empty.contains("No mailbox is suppressed"));
        let add = format!("{path}/add");
        let with = |address: &'static str, reason: &'static str| [("brand", "acme"), ("address", address), ("reason", reason)];
        assert!(!is_reason("no"));
        for (fields, words) in [
            (with("anna@example.org", "no"), "Say why"),
            (with("nonsense", "asked by letter"), "Not suppressed"),
        ] {
            let reply = client.post(&add, &fields).await;
            assert_eq!(reply.status, 422, "{}", reply.text());
            assert!(reply.text().contains(words) || reply.text().contains("address"), "{}", reply.text());
        }
        let nowhere = [("brand", "nobodys"), ("address", "anna@example.org"), ("reason", "asked by letter")];
        assert_eq!(client.post(&add, &nowhere).await.location(), "/admin/settings", "a brand that is not there");
        let reply = client.post(&add, &with("anna@example.org", "asked by letter")).await;
        assert!(reply.text().contains("Nothing is sent to this mailbox any more"), "{}", reply.text());
        let again = client.post(&add, &with("anna@example.org", "asked by letter")).await;
        assert!(again.text().contains("suppressed already"));
        for number in 0..60 {
            world.advance(1);
            let address = format!("stranger{number}@example.org");
            let fields = [("brand", "acme"), ("address", address.as_str()), ("reason", "asked by letter")];
            assert_eq!(client.post(&add, &fields).await.status, 200);
        }
        let (all, pages) = walk(&mut client, &format!("{path}?brand=acme&sort=since")).await;
        assert_eq!((all.len(), pages), (61, 2));
        let (down, _) = walk(&mut client, &format!("{path}?brand=acme&sort=-since")).await;
        assert!(all.iter().eq(down.iter().rev()));
        assert!(all.iter().all(|hash| hash.len() == 32 && !hash.contains('@')));
        let (bounced, _) = walk(&mut client, &format!("{path}?brand=acme&why=bounced")).await;
        assert!(bounced.is_empty());
        assert!(!world.permission("anna@example.org", "newsletter").await.allowed);
        assert!(world.deliver().await.is_empty(), "the mail that waited does not leave");
        let deeds = client.get("/admin/account").await.text();
        assert!(deeds.contains("kept the brand from a mailbox"), "{deeds}");
        assert!(world.kinds("anna@example.org").await.contains(&"suppressed"));
        world.finish().await;
    }

    async fn all_deeds_of_an_operator_are_paged_and_searched_however_many_there_are(engine: Engine) {
        let world = World::on(engine).await;
        add_owner(&world.app).await;
        let mut client = signed_in(&world, "olga").await;
        for _ in 0..70 {
            client.post("/admin/contacts/list", &[("brand", "acme")]).await;
            world.advance(1);
        }
        let path = "/admin/settings/operators/olga";
        let (all, pages) = walk(&mut client, path).await;
        assert_eq!((all.len(), pages), (71, 2), "signing in, and each list");
        let file = client.get(&format!("{path}?sort=when&format=csv")).await.text();
        assert_eq!(file.lines().count(), 72);
        assert!(file.lines().nth(1).unwrap().contains("signed in"), "{file}");
        let found = client.get(&format!("{path}?filter=signed+in")).await.text();
        assert_eq!(first_cells(&found).len(), 1);
        world.finish().await;
    }

    async fn imports_and_campaigns_beyond_five_hundred_are_paged_to_the_last_and_all_of_them_in_the_file(engine: Engine) {
        let world = World::on(engine).await;
        add_owner(&world.app).await;
        let acme = crate::leaving::brand(&world).id.0.simple().to_string();
        let (brand, id, hash) = match engine {
            countersign::store::Engine::Sqlite => (format!("unhex('{acme}')"), "unhex(printf('%032x', i))", "zeroblob(32)"),
            countersign::store::Engine::Postgres => {
                (format!("'{acme}'::uuid"), "lpad(to_hex(i), 32, '0')::uuid", "decode(repeat('00', 32), 'hex')")
            }
        };
        let plan = crate::campaign::plan(countersign::domain::campaign::Kind::Invitation);
        let plan = serde_json::to_string(&plan).unwrap();
        let many = "with recursive n(i) as (select 1 union all select i + 1 from n where i < 502)";
        world.sql(&format!(
            "{many} insert into import (brand_id, id, name, purpose, file_name, file_sha256, reading, state, rows_done, counts, \
             after_position, started_at) select {brand}, {id}, 'number ' || i, 'newsletter', 'list.csv', {hash}, '{{}}', 'done', 0, '{{}}', \
             0, i from n"
        )).await.unwrap();
        world.sql(&format!(
            "{many} insert into campaign (brand_id, id, name, plan, state, arrival, day, asked_on_day, started_at) \
             select {brand}, {id}, 'number ' || i, '{plan}', 'done', 0, 0, 0, i from n"
        )).await.unwrap();
        let mut client = signed_in(&world, "olga").await;
        for (path, began) in [("/admin/imports", "when"), ("/admin/campaigns", "began")] {
            let (all, pages) = walk(&mut client, path).await;
            assert_eq!((all.len(), pages), (502, 11), "{path}");
            assert_eq!((all[0].as_str(), all[501].as_str()), ("number 502", "number 1"), "{path}");
            let (up, _) = walk(&mut client, &format!("{path}?sort={began}")).await;
            assert!(up.iter().eq(all.iter().rev()), "{path}");
            let file = client.get(&format!("{path}?format=csv")).await.text();
            assert_eq!(file.lines().count(), 503, "{path}");
            let (found, _) = walk(&mut client, &format!("{path}?filter=number+17&state=done")).await;
            assert_eq!(found.len(), 11, "17, and 170 to 179: {path}");
            assert!(is_refused(&client.get(&format!("{path}?sort=name")).await, began), "{path}");
        }
        let page = client.get("/admin/new-campaign").await.text();
        assert!(page.contains("Acme Letters, only the import (its newest 500)") && page.contains("campaign start --import NAME"), "{page}");
        assert!(page.contains(">number 3</option>") && !page.contains(">number 2</option>"), "{page}");
        world.end().await;
    }
}
