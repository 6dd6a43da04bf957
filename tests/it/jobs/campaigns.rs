//! A campaign from its plan to what people answered.

use countersign::domain::operator::Role;
use countersign::domain::policy::Source;

use super::{follow, signed_in, there, work as prepare};
use crate::campaign::{say_yes, work};
use crate::harness::World;
use crate::import::storing::List;
use crate::on_both_engines;

const PLAN: [(&str, &str); 8] = [
    ("name", "after the fair"),
    ("kind", "invitation"),
    ("for", "acme/newsletter"),
    ("form", "acme/news"),
    ("rate", "0"),
    ("answer_within", "30"),
    ("stop", "10"),
    ("complaints", "3"),
];

async fn people(world: &World) {
    let booth = "email,event,kind,date\nanna@example.org,Fair,badge,2026-11-01\nben@example.org,Fair,badge,2026-11-01\n";
    let list = List {
        name: "booth",
        text: booth,
        source: Some(Source::EventBooth),
    };
    assert_eq!(list.take_in(world).await.new, 2);
    let staff = "email,employer,benefit,date\ncleo@example.org,Mill,bicycles,2026-10-01\ndan@example.org,Mill,bicycles,2026-10-01\n\
        eve@example.org,Mill,bicycles,2026-10-01\n";
    let list = List {
        name: "staff",
        text: staff,
        source: Some(Source::EmployerList),
    };
    assert_eq!(list.take_in(world).await.new, 3);
}

/// The ids of those who can be released, with their addresses.
fn held(page: &str) -> Vec<(String, String)> {
    let boxes = page.split("name=\"person\" value=\"").skip(1);
    boxes
        .map(|one| {
            let id = one.split('"').next().unwrap();
            let address = one.split("> ").nth(1).unwrap().split('<').next().unwrap();
            (id.to_owned(), address.to_owned())
        })
        .collect()
}

on_both_engines! {
    async fn whoever_is_held_in_a_campaign_that_is_done_is_released_in_its_page_and_sets_it_going_again(engine: Engine) {
        let world = World::on(engine).await;
        let staff = "email,employer,benefit,date\ncleo@example.org,Mill,bicycles,2026-10-01\n";
        List { name: "staff", text: staff, source: Some(Source::EmployerList) }.take_in(&world).await;
        crate::campaign::begin(&world, "bicycles", crate::campaign::plan(countersign::domain::campaign::Kind::Invitation)).await.unwrap();
        assert_eq!(work(&world).await, 0);
        let row = world.app.campaign(&crate::leaving::brand(&world), "bicycles").await.unwrap();
        assert_eq!(row.state, "done");
        let campaign = format!("/admin/campaigns/acme/{}", row.id);
        let mut olga = signed_in(&world, "olga", Role::Owner, &[]).await;
        let page = olga.get(&format!("{campaign}?state=held")).await.text();
        let held_ones = held(&page);
        assert_eq!(held_ones.len(), 1, "{page}");
        there(&olga.post(&format!("{campaign}/release"), &[("person", &held_ones[0].0)]).await);
        assert_eq!(work(&world).await, 1);
        // Without an answer it is done again; the page says why somebody who is counted may not be listed.
        world.advance(31 * 86_400);
        work(&world).await;
        world.app.expire().await.unwrap();
        world.advance(90 * 86_400);
        assert_eq!(world.app.purge_unconfirmed().await.unwrap(), 1);
        let mut vera = signed_in(&world, "vera", Role::Viewer, &[]).await;
        let page = vera.get(&campaign).await.text();
        assert!(page.contains("<b>1</b> were asked") && page.contains("no longer listed") && !page.contains("cleo@"), "{page}");
        world.finish().await;
    }

    async fn a_campaign_is_counted_looked_over_started_released_by_hand_paused_and_cancelled(engine: Engine) {
        let world = World::on(engine).await;
        people(&world).await;
        let mut olga = signed_in(&world, "olga", Role::Owner, &[]).await;
        let page = olga.get("/admin/campaigns").await.text();
        assert!(page.contains("Nobody was asked yet") && page.contains("New campaign"), "{page}");
        let page = olga.get("/admin/new-campaign").await.text();
        assert!(page.contains("value=\"acme/news\"") && page.contains("Acme Letters, only the import"), "{page}");
        let draft = there(&olga.post("/admin/new-campaign", &PLAN).await);
        let page = olga.get(&draft).await.text();
        assert!(page.contains("data-live") && !page.contains("Start the campaign"), "{page}");
        // Whoever closed the page finds it again; whoever starts nothing is not shown it.
        let list = olga.get("/admin/campaigns").await.text();
        assert!(list.contains(&format!("href=\"{draft}\"")) && list.contains("is being counted"), "{list}");
        let mut vera = signed_in(&world, "vera", Role::Viewer, &[]).await;
        assert!(!vera.get("/admin/campaigns").await.text().contains(&draft));
        prepare(&world.app).await;
        let list = olga.get("/admin/campaigns").await.text();
        assert!(list.contains("counted, waits for its start") && list.contains("by olga"), "{list}");
        let page = olga.get(&draft).await.text();
        assert!(page.contains("<b>2</b> would be asked by the server") && page.contains("<b>3</b> would be held"), "{page}");
        assert!(page.contains("Newsletter from Acme Letters: yes or no?") && page.contains("@example.org"), "{page}");
        assert!(page.contains("sandbox") && page.contains("You get this mail because"), "{page}");
        let html = olga.get(&format!("{draft}/mail.html")).await;
        let csp = html.header("content-security-policy").unwrap();
        assert!(csp.starts_with("default-src 'none'") && !csp.contains("script-src") && csp.contains("frame-ancestors 'self'") && csp.contains("; sandbox;"), "{csp}");
        assert!(html.text().contains("<html"), "{}", html.text());
        assert!(world.caught().is_empty() && !world.kinds("anna@example.org").await.contains(&"invited"));

        let started = olga.post(&format!("{draft}/start"), &[]).await;
        let campaign = there(&started);
        assert_eq!(olga.get(&draft).await.status, 404);
        let page = follow(&mut olga, &started).await.text();
        assert!(page.contains("looking through the contacts") && page.contains("data-live"), "{page}");
        assert_eq!(work(&world).await, 2);
        say_yes(&world, "anna@example.org").await;
        let page = olga.get(&campaign).await.text();
        assert!(page.contains("<b>2</b> were asked") && page.contains("<b>3</b> held") && page.contains("<b>1</b> confirmed"), "{page}");
        assert!(page.contains("<td>anna@example.org</td>") && page.contains("<span class=\"state good\">confirmed</span>"), "{page}");
        assert!(page.contains("50 %"), "half of those who were asked: {page}");
        let mail = olga.get(&format!("{campaign}/mail")).await.text();
        assert!(mail.contains("Newsletter from Acme Letters: yes or no?") && mail.contains("/mail.html\""), "{mail}");

        let path = format!("{campaign}?state=held");
        let page = olga.get(&path).await.text();
        let held_ones = held(&page);
        assert_eq!(held_ones.len(), 3, "{page}");
        let by_rule = olga.get(&format!("{path}&why=O3&sort=-due")).await.text();
        assert_eq!(held(&by_rule).len(), 3, "{by_rule}");
        assert!(by_rule.contains("<option value=\"O3\" selected>") && by_rule.contains("&#38;why=O3"), "{by_rule}");
        let by_another = olga.get(&format!("{path}&why=O1")).await.text();
        assert!(held(&by_another).is_empty() && by_another.contains("Nobody is held by this rule."), "{by_another}");
        assert_eq!(olga.get(&format!("{path}&why=Z9")).await.status, 400);
        let file = olga.get(&format!("{path}&why=O1&format=csv")).await.text();
        assert_eq!(file.lines().count(), 1, "{file}");
        let nobody = olga.post(&format!("{campaign}/release"), &[]).await;
        assert!(nobody.status == 422 && nobody.text().contains("tick people, or type an address"), "{}", nobody.text());
        let ticked: Vec<(&str, &str)> = held_ones[..2].iter().map(|one| ("person", one.0.as_str())).collect();
        let released = olga.post(&format!("{campaign}/release"), &ticked).await;
        let page = follow(&mut olga, &released).await.text();
        assert_eq!(held(&page).len(), 1, "{page}");
        let again = olga.post(&format!("{campaign}/release"), &ticked).await;
        assert!(again.status == 422 && again.text().contains("Not all of them are held here any more"), "{}", again.text());
        let last = held(&page)[0].1.clone();
        let typed = olga.post(&format!("{campaign}/release"), &[("address", &last)]).await;
        assert!(!typed.location().contains('@'));
        let page = follow(&mut olga, &typed).await.text();
        assert!(page.contains("Nobody is held."), "{page}");

        there(&olga.post(&format!("{campaign}/pause"), &[]).await);
        assert_eq!(work(&world).await, 0, "paused");
        let twice = olga.post(&format!("{campaign}/pause"), &[]).await;
        assert!(twice.status == 422 && twice.text().contains("is paused; it cannot be paused"), "{}", twice.text());
        there(&olga.post(&format!("{campaign}/resume"), &[]).await);
        assert_eq!(work(&world).await, 3);
        let file = olga.get(&format!("{campaign}?format=csv")).await.text();
        assert!(file.starts_with("address,state,reason,mail,answer,asked_at,reminded_at\n") && file.lines().count() == 6, "{file}");
        let wrong = olga.post(&format!("{campaign}/cancel"), &[("name", "the fair")]).await;
        assert!(wrong.status == 422 && wrong.text().contains("type the name of the campaign"), "{}", wrong.text());
        let cancelled = olga.post(&format!("{campaign}/cancel"), &[("name", "after the fair")]).await;
        let page = follow(&mut olga, &cancelled).await.text();
        assert!(page.contains("cancelled") && !page.contains("Cancel it"), "{page}");
        let list = olga.get("/admin/campaigns?format=csv").await.text();
        assert!(list.contains("\nafter the fair,cancelled,5,5,5,1,0,0,Acme Letters,invitation,newsletter,,"), "{list}");
        world.end().await;
    }

    async fn what_cannot_be_planned_is_told_with_all_that_was_typed(engine: Engine) {
        let world = World::on(engine).await;
        let mut olga = signed_in(&world, "olga", Role::Owner, &[]).await;
        let with = |changes: &[(&'static str, &'static str)]| {
            let mut plan = PLAN.to_vec();
            plan.retain(|field| changes.iter().all(|change| change.0 != field.0));
            plan.extend_from_slice(changes);
            plan
        };
        for (changes, told) in [
            (&[("name", "")][..], "its name has 1 to 100 characters"),
            (&[("kind", "merger_notice")], "a merger notice names the brand that people know"),
            (&[("old_brand", "Mill")], "only a merger notice names an old brand"),
            (&[("rate", "fast")], "the rate is a number of mails an hour"),
            (&[("warm_up", "50, many")], "numbers of mails with commas between them"),
            (&[("from", "17"), ("to", "9")], "from an earlier to a later one"),
            (&[("from", "9")], "the hours of the day are two numbers"),
            (&[("remind_after", "40")], "before the time to answer is over"),
            (&[("lapse", "tomorrow")], "is written as YYYY-MM-DD"),
            (&[("lapse", "2027-03-01")], "only where people are asked again"),
            (&[("stop", "0")], "1 to 100 of a hundred mails fail"),
            (&[("complaints", "0")], "1 to 1,000 of a thousand people complain"),
            (&[("form", "acme/nothing")], "the brand has no form"),
            (&[("form", "other/other")], "of the same brand as the purpose"),
            (&[("for", "acme/nothing")], "the brand has no purpose"),
        ] {
            let mut plan = with(changes);
            plan.push(("note", "We met at the fair."));
            let reply = olga.post("/admin/new-campaign", &plan).await;
            let page = reply.text();
            assert!(reply.status == 422 && page.contains(told) && page.contains("We met at the fair."), "{told}: {page}");
        }
        // A name that is taken is told when it starts.
        people(&world).await;
        let first = there(&olga.post("/admin/new-campaign", &PLAN).await);
        let second = there(&olga.post("/admin/new-campaign", &PLAN).await);
        prepare(&world.app).await;
        there(&olga.post(&format!("{first}/start"), &[]).await);
        let taken = olga.post(&format!("{second}/start"), &[]).await;
        assert!(taken.status == 422 && taken.text().contains("has a campaign &#34;after the fair&#34; already"), "{}", taken.text());
        there(&olga.post(&format!("{second}/remove"), &[]).await);
        assert_eq!(olga.get(&second).await.status, 404);
        world.end().await;
    }

    async fn people_are_shown_a_page_at_a_time_and_none_twice(engine: Engine) {
        let world = World::on(engine).await;
        let each = (0..130).map(|number| format!("p{number}@example.org,Mill,bicycles,2026-10-01\n"));
        let text = "email,employer,benefit,date\n".to_owned() + &each.collect::<String>();
        List { name: "staff", text: &text, source: Some(Source::EmployerList) }.take_in(&world).await;
        crate::campaign::begin(&world, "a", crate::campaign::plan(countersign::domain::campaign::Kind::Invitation)).await.unwrap();
        work(&world).await;
        let mut olga = signed_in(&world, "olga", Role::Owner, &[]).await;
        let list = olga.get("/admin/campaigns").await.text();
        let id = list.split("href=\"/admin/campaigns/acme/").nth(1).unwrap().split('"').next().unwrap();
        for query in ["", "?state=held"] {
            let mut path = format!("/admin/campaigns/acme/{id}{query}");
            let mut seen = Vec::new();
            for page in 1..=3 {
                let text = olga.get(&path).await.text();
                let marks = text.split("@example.org").count() - 1;
                assert_eq!(marks, [50, 50, 30][page - 1], "{query} {page}");
                seen.extend(text.split("@example.org").map(|part| part.rsplit(['>', ' ']).next().unwrap().to_owned()));
                match text.split("rel=\"next\"").next().filter(|_| text.contains("rel=\"next\"")) {
                    Some(before) => {
                        let href = before.rsplit("href=\"").next().unwrap().split('"').next().unwrap();
                        assert!(!href.contains('@') && !href.contains("%40"), "{href}");
                        path = href.replace("&#38;", "&").replace("&amp;", "&").split('#').next().unwrap().to_owned();
                    }
                    None => assert_eq!(page, 3),
                }
            }
            seen.retain(|name| name.starts_with('p') && name[1..].parse::<u32>().is_ok());
            seen.sort();
            seen.dedup();
            assert_eq!(seen.len(), 130, "{query}");
        }
        world.finish().await;
    }
}
