//! Further tables of a page, and lists that name people: sorted, paged, and taken along as files.

use countersign::app::operators;
use countersign::domain::operator::Role;

use super::signing_in::signed_in;
use super::tables::{first_cells, is_refused, next, walk};
use crate::harness::{OWNERS_PASSWORD, World, add_owner};
use crate::on_both_engines;

/// The lines of a file without its head.
fn lines(text: &str) -> Vec<&str> {
    text.lines().skip(1).collect()
}

/// Pages with a further table: what stands in front of its names, a column, and how its file begins.
const FURTHER: [(&str, &str, &str, &str); 12] = [
    ("/admin", "days_", "day", "Day,Signed up,Mail accepted,"),
    ("/admin", "sources_", "source", "Source,Signed up,"),
    ("/admin", "domains_", "domain", "Domain,Signed up,"),
    (
        "/admin",
        "forms_",
        "form",
        "Brand,Form,Signed up,Confirmed,Rate,Version,Languages,Pages",
    ),
    ("/admin", "failed_", "tries", "Recipient domain,Tries,"),
    (
        "/admin/policy",
        "brands_",
        "brand",
        "Brand,Time zone,Overlays,",
    ),
    (
        "/admin/policy",
        "overlays_",
        "country",
        "Overlay,Country,Effect",
    ),
    (
        "/admin/policy",
        "rules_",
        "what_it_says",
        "Rule,What it says,",
    ),
    ("/admin/settings", "terms_", "setting", "Setting,Now,"),
    (
        "/admin/evidence",
        "authorities_",
        "authority",
        "Authority,Signs as,",
    ),
    ("/admin/delivery", "domains_", "domain", "Domain,"),
    (
        "/admin/account",
        "sessions_",
        "seen",
        "Browser,Network,Since,Seen,Ends,Which",
    ),
];

on_both_engines! {
    async fn further_tables_of_a_page_sort_and_go_out_as_files_by_names_of_their_own(engine: Engine) {
        let world = World::on(engine).await;
        add_owner(&world.app).await;
        for (number, email) in ["anna@example.org", "bert@example.net", "cleo@example.com"].iter().enumerate() {
            world.signed_up(email, &format!("192.0.2.{number}")).await;
        }
        world.deliver().await;
        crate::figures::count(&world).await;
        let mut client = signed_in(&world, "olga").await;
        world.advance(60);
        let mut second = signed_in(&world, "olga").await;
        second.get("/admin").await;
        for (path, prefix, column, head) in FURTHER {
            let file = async |client: &mut crate::harness::Client, sort: String| {
                let reply = client.get(&format!("{path}?{prefix}sort={sort}&{prefix}format=csv")).await;
                assert_eq!(reply.status, 200, "{path} {prefix}{sort}: {}", reply.text());
                assert!(reply.header("content-type").unwrap().starts_with("text/csv"), "{path} {prefix}{sort}");
                reply.text()
            };
            let up = file(&mut client, column.to_owned()).await;
            let down = file(&mut client, format!("-{column}")).await;
            assert!(up.starts_with(head), "{path} {prefix}: {up}");
            assert!(lines(&up).iter().eq(lines(&down).iter().rev()), "{path} {prefix}: {up}{down}");
            let wrong = client.get(&format!("{path}?{prefix}sort=colour")).await;
            assert!(is_refused(&wrong, "no column “colour”"), "{path} {prefix}");
            let page = client.get(&format!("{path}?{prefix}sort={column}")).await.text();
            // A table without a row offers nothing.
            assert!(lines(&up).is_empty() || page.contains(&format!("{prefix}format=csv")), "{path} {prefix}: {page}");
        }
        let forms = client.get("/admin?brand=acme&forms_sort=form&forms_format=csv").await.text();
        assert!(forms.contains("Acme Letters,news,3,0,0.0 %,") && forms.contains("/f/news /f/news/embed"), "{forms}");
        assert!(!forms.contains("Other Brand"), "of the brand that was chosen");
        let page = client.get("/admin").await.text();
        assert!(page.contains("class=\"spark\"") && !page.contains("forms_sort=day_by_day"), "{page}");
        let effects = client.get("/admin/policy?overlays_format=csv").await.text();
        assert_eq!(lines(&effects).len(), 4, "{effects}");
        let sessions = client.get("/admin/account?sessions_format=csv").await.text();
        assert!(lines(&sessions).len() == 2 && sessions.contains("this browser") && sessions.contains("another"), "{sessions}");
        operators::add(&world.app, None, "vera", OWNERS_PASSWORD, (Role::Viewer, &[])).await.unwrap();
        let mut vera = signed_in(&world, "vera").await;
        for (path, prefix, ..) in FURTHER.iter().filter(|one| one.0 != "/admin/account") {
            let reply = vera.get(&format!("{path}?{prefix}format=csv")).await;
            assert_eq!(reply.status, 403, "{path} {prefix}: whoever looks on takes nothing along");
        }
        world.finish().await;
    }

    async fn where_a_contact_stands_is_sorted_and_taken_along_and_that_is_kept(engine: Engine) {
        let world = World::on(engine).await;
        add_owner(&world.app).await;
        let contact = crate::leaving::confirmed(&world, "anna@example.org").await;
        let mut client = signed_in(&world, "olga").await;
        let path = format!("/admin/contacts/acme/{contact}");
        let page = client.get(&format!("{path}?purposes_sort=-purpose")).await.text();
        assert_eq!(first_cells(&page), ["Newsletter", "Events"], "{page}");
        assert!(page.contains("<span class=\"state good\">yes</span>"), "{page}");
        let file = client.get(&format!("{path}?purposes_sort=purpose&purposes_format=csv")).await.text();
        assert!(file.starts_with("Purpose,May be mailed,Basis,Rule,Why"), "{file}");
        assert!(lines(&file)[0].starts_with("Events,yes,explicit,G3,"), "{file}");
        let deeds = client.get("/admin/account").await.text();
        assert!(deeds.contains("took a list along") && deeds.contains(&format!("contact {contact}")), "{deeds}");
        assert_eq!(client.get(&format!("{path}?after=x")).await.status, 400);
        world.finish().await;
    }

    async fn held_contacts_come_by_end_or_by_beginning_in_either_direction_while_their_hold_lasts(engine: Engine) {
        let world = World::on(engine).await;
        add_owner(&world.app).await;
        for number in 0..61 {
            let email = format!("reader{number:02}@example.org");
            world.signed_up(&email, &format!("192.0.2.{number}")).await;
            world.advance(1);
        }
        world.deliver().await;
        // The first is held longest; of one the hold is over.
        let all = "insert into legal_hold (brand_id, contact_id, reason, operator, since, until) \
                   select brand_id, id, 'Case 12/26', 'olga', created_at, 3600000000000000 - created_at from contact";
        world.sql(all).await.unwrap();
        world.sql("update legal_hold set until = since where contact_id = (select id from contact where address = 'reader07@example.org')").await.unwrap();
        let mut client = signed_in(&world, "olga").await;
        let path = "/admin/contacts/held?brand=acme";
        let (by_beginning, pages) = walk(&mut client, &format!("{path}&sort=since")).await;
        let expected: Vec<String> = (0..61).filter(|n| *n != 7).map(|n| format!("reader{n:02}@example.org")).collect();
        assert_eq!((by_beginning, pages), (expected.clone(), 2));
        for (sort, turned) in [("-since", true), ("until", true), ("-until", false), ("", true)] {
            let (found, _) = walk(&mut client, &format!("{path}&sort={sort}")).await;
            let mut expected = expected.clone();
            if turned {
                expected.reverse();
            }
            assert_eq!(found, expected, "{sort}");
        }
        let first = client.get(path).await.text();
        assert!(!next(&first).unwrap().contains('@'), "no address stands in a URL");
        let file = client.get(&format!("{path}&sort=since&format=csv")).await.text();
        assert!(file.starts_with("Address,Until,Since,By,For which claim,Erasure,Wished"), "{file}");
        assert!(lines(&file).len() == 60 && lines(&file)[0].starts_with("reader00@example.org,2026-") || file.contains("Case 12/26"), "{file}");
        let deeds = client.get("/admin/account").await.text();
        assert!(deeds.contains("held contacts of brand acme"), "{deeds}");
        world.sql("insert into erasure_wish (brand_id, contact_id, wished_at) select brand_id, id, created_at from contact where address = 'reader09@example.org'").await.unwrap();
        let (wished, _) = walk(&mut client, &format!("{path}&erasure=wished")).await;
        assert_eq!(wished, ["reader09@example.org"]);
        for link in ["/admin/contacts", "/admin/settings"] {
            assert!(client.get(link).await.text().contains("href=\"/admin/contacts/held"), "{link}");
        }
        // Who is over goes, whatever page is shown: nobody is passed over.
        let (other, _) = walk(&mut client, "/admin/contacts/held?brand=other").await;
        assert!(other.is_empty());
        world.finish().await;
    }
}
