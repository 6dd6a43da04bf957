//! The booth: entries that waited on a tablet are recorded once, within their time, under budgets of their own.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use countersign::app::App;
use countersign::app::booth::Outcome;
use countersign::clock::Random;
use countersign::domain::booth::Waiting;
use countersign::domain::circumstances::Circumstances;
use countersign::domain::event::{Event, Fact, SignedUp};
use countersign::domain::time::Timestamp;
use hpke::aead::AesGcm256;
use hpke::kdf::HkdfSha256;
use hpke::kem::DhP256HkdfSha256;
use hpke::{Deserializable, Kem, OpModeS, Serializable};
use rand::{SeedableRng, rngs::StdRng};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{Client, DECLARATIONS, Reply, World};
use crate::on_both_engines;

const TABLET: &str = "192.0.2.1";

/// The usual brands, with a booth for the form `news`.
pub fn declarations() -> String {
    DECLARATIONS.replace("slug = \"news\"\n", "slug = \"news\"\nkiosk = true\n")
}

async fn with_booth(engine: countersign::store::Engine, more: &str) -> World {
    World::declared(engine, more, &declarations()).await
}

/// Seals an entry as a tablet does: with the key that the page gave it.
fn sealed(page: &Reply, form: &str, id: u128, content: &Value) -> String {
    let text = page.text();
    let attribute = |name: &str| {
        let rest = text.split(&format!(" {name}=\"")).nth(1).unwrap();
        rest.split('"').next().unwrap().to_owned()
    };
    let key = URL_SAFE_NO_PAD.decode(attribute("data-key")).unwrap();
    let key = <DhP256HkdfSha256 as Kem>::PublicKey::from_bytes(&key).unwrap();
    let id = Uuid::from_u128(id);
    let (encapsulated, ciphertext) =
        hpke::single_shot_seal_with_rng::<AesGcm256, HkdfSha256, DhP256HkdfSha256>(
            &OpModeS::Base,
            &key,
            b"countersign booth entry v1",
            content.to_string().as_bytes(),
            format!("{form} {id}").as_bytes(),
            &mut StdRng::seed_from_u64(1),
        )
        .unwrap();
    let sealed = [encapsulated.to_bytes().to_vec(), ciphertext].concat();
    let sealed = URL_SAFE_NO_PAD.encode(sealed);
    format!("{id}.{}.{sealed}", attribute("data-key-id"))
}

fn content(email: &str, entered_at: Timestamp) -> Value {
    json!({"email": email, "lang": "de", "purposes": ["newsletter"], "entered_at": entered_at})
}

fn ago(world: &World, seconds: u64) -> Timestamp {
    world
        .clock
        .now()
        .minus(std::time::Duration::from_secs(seconds))
}

async fn send(client: &mut Client, entries: &[String]) -> Vec<(String, String)> {
    let reply = client
        .post_json("/f/news/entries", &json!({"lang": "en", "entry": entries}))
        .await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let told = reply.json()["entries"].clone();
    let word = |entry: &Value, name: &str| entry[name].as_str().unwrap_or_default().to_owned();
    let told = told.as_array().unwrap();
    told.iter()
        .map(|entry| (word(entry, "state"), word(entry, "reason")))
        .collect()
}

fn signups(story: &[Event]) -> Vec<&SignedUp> {
    story
        .iter()
        .filter_map(|event| match &event.fact {
            Fact::SignedUp(signup) => Some(&**signup),
            _ => None,
        })
        .collect()
}

async fn signed(client: &mut Client, email: &str) -> Reply {
    client
        .post_json("/f/news?kiosk=1", &json!({"email": email}))
        .await
}

on_both_engines! {
    async fn the_evidence_tells_the_tablets_time_apart_from_the_servers(engine: Engine) {
        let world = with_booth(engine, "").await;
        let mut tablet = world.client(TABLET);
        let page = tablet.get("/f/news?kiosk=1").await;
        let entry = sealed(&page, "news", 1, &content("anna@example.org", ago(&world, 7_200)));
        send(&mut tablet, &[entry]).await;
        let mail = world.mail_to("anna@example.org").await;
        // Mail and pages say when it was entered, and that the tablet says so; not when it arrived.
        let entered = ago(&world, 7_200).for_people("de");
        assert_ne!(entered, world.clock.now().for_people("de"));
        let says = format!("auf einem Tablet eingegeben, nach dessen Uhr am {entered}");
        assert!(mail.0.text.replace('\n', " ").contains(&says), "{}", mail.0.text);
        for path in [mail.confirm(), mail.about()] {
            let page = world.client("198.51.100.9").get(&path).await.text();
            assert!(page.contains(&entered) && page.contains("Tablet"), "{page}");
        }
        world.advance(60);
        world.client("198.51.100.7").post(&mail.confirm(), &[]).await;
        let (bytes, _) = crate::bundle::bundle_of(&world, "anna@example.org").await;
        let mut archive = zip::ZipArchive::new(std::io::Cursor::new(bytes)).unwrap();
        let mut report = String::new();
        let mut file = archive.by_name("report.html").unwrap();
        std::io::Read::read_to_string(&mut file, &mut report).unwrap();
        for words in ["a booth&#39;s tablet reported that the address", "Entered, as the tablet&#39;s clock says", "it waited on the tablet, encrypted"] {
            assert!(report.contains(words), "{words}");
        }
        world.finish().await;
    }

    async fn the_time_of_a_tablet_whose_clock_is_wrong_is_put_right_or_not_believed_and_what_it_said_is_kept(engine: Engine) {
        let world = with_booth(engine, "").await;
        let mut tablet = world.client(TABLET);
        let page = tablet.get("/f/news?kiosk=1").await;
        let year = 365 * 86_400;
        let entry = |id, email: &str, ago_by_it: u64, after: u64| {
            let mut content = content(email, ago(&world, ago_by_it));
            content["after"] = json!(ago(&world, after));
            sealed(&page, "news", id, &content)
        };
        // Its clock was set back by ten years, and is sent so; and another's was set right before it was sent.
        let reset = json!({"entry": [entry(1, "reset@example.org", 10 * year + 3_600, 7_200)], "now": ago(&world, 10 * year)});
        let mended = json!({"entry": [entry(2, "mended@example.org", 10 * year, 7_200)], "now": ago(&world, 0)});
        for batch in [reset, mended] {
            let reply = tablet.post_json("/f/news/entries", &batch).await.json();
            assert_eq!(reply["entries"][0]["state"], "recorded", "{reply}");
        }
        let times = async |email: &str| {
            let story = world.story(email).await;
            let told = countersign::domain::sentence::sentence(&story[0]);
            let signup = signups(&story)[0].clone();
            (signup.entered_at, signup.clock_said, told)
        };
        let (entered, said, told) = times("reset@example.org").await;
        assert_eq!((entered, said), (Some(ago(&world, 3_600)), Some(ago(&world, 10 * year + 3_600))));
        assert!(told.contains("was put right"), "{told}");
        let (entered, said, told) = times("mended@example.org").await;
        assert_eq!((entered, said), (None, Some(ago(&world, 10 * year))));
        assert!(told.contains("at a time that is not known"), "{told}");
        assert_eq!(world.deliver().await.len(), 2);
        world.finish().await;
    }

    async fn an_entry_that_waited_is_recorded_once_with_the_time_that_the_tablet_claims(engine: Engine) {
        let world = with_booth(engine, "").await;
        let mut tablet = world.client(TABLET);
        let page = tablet.get("/f/news?kiosk=1").await;
        let at = ago(&world, 7_200);
        let entry = sealed(&page, "news", 1, &content("anna@example.org", at));
        // Twice in one batch, by ten at once, and once more later.
        assert_eq!(send(&mut tablet, &[entry.clone(), entry.clone()]).await, vec![("recorded".into(), String::new()); 2]);
        let again = (0..10).map(|_| {
            let (mut tablet, entry) = (tablet.clone(), entry.clone());
            async move { send(&mut tablet, &[entry]).await }
        });
        for told in futures_util::future::join_all(again).await {
            assert_eq!(told[0].0, "recorded");
        }
        world.advance(86_400);
        assert_eq!(send(&mut tablet, &[entry]).await[0].0, "recorded");
        let mails = world.deliver().await;
        assert_eq!(mails.len(), 1);
        assert!(mails[0].html.contains("lang=\"de\""));
        let story = world.story("anna@example.org").await;
        let signups = signups(&story);
        assert_eq!(signups.len(), 1);
        assert_eq!((signups[0].kiosk, signups[0].entered_at), (true, Some(at)));
        let told = countersign::domain::sentence::sentence(&story[0]);
        assert!(told.contains("at a booth, by its tablet's clock on 2026-11-23 "), "{told}");
        world.finish().await;
    }

    async fn many_at_once_record_an_entry_once_even_when_it_is_new(engine: Engine) {
        let world = with_booth(engine, "").await;
        let mut tablet = world.client(TABLET);
        let page = tablet.get("/f/news?kiosk=1").await;
        let entries: Vec<String> = (0..8)
            .map(|number| sealed(&page, "news", number, &content(&format!("p{number}@example.org"), ago(&world, 60))))
            .collect();
        let all = (0..12).map(|_| {
            let (mut tablet, entries) = (tablet.clone(), entries.clone());
            async move { send(&mut tablet, &entries).await }
        });
        for told in futures_util::future::join_all(all).await {
            assert!(told.iter().all(|told| told.0 == "recorded"), "{told:?}");
        }
        assert_eq!(world.deliver().await.len(), 8);
        for number in 0..8 {
            let story = world.story(&format!("p{number}@example.org")).await;
            assert_eq!(signups(&story).len(), 1);
        }
        world.finish().await;
    }

    async fn two_processes_on_one_database_record_an_entry_once(engine: Engine) {
        let world = with_booth(engine, "").await;
        let (config, clock) = (world.app.config.clone(), world.clock.clone());
        let second = App::start(config, clock, Random::seeded(99)).await.unwrap();
        let page = world.client(TABLET).get("/f/news?kiosk=1").await;
        let form = world.app.catalog().form("news").unwrap().clone();
        let calls = (0..40).map(|number: u128| {
            let email = format!("p{}@example.org", number / 4);
            let entry = sealed(&page, "news", number / 4, &content(&email, ago(&world, 60)));
            let app = if number.is_multiple_of(2) { world.app.clone() } else { second.clone() };
            let form = form.clone();
            async move {
                let waiting = vec![Waiting::parse(&entry).unwrap()];
                app.record_waiting(&form, waiting, None, &Circumstances::default()).await
            }
        });
        for told in futures_util::future::join_all(calls).await {
            assert_eq!(told[0].1, Outcome::Recorded);
        }
        assert_eq!(world.deliver().await.len(), 10);
        for number in 0..10 {
            assert_eq!(signups(&world.story(&format!("p{number}@example.org")).await).len(), 1);
        }
        second.store.close().await;
        world.finish().await;
    }

    async fn an_entry_out_of_time_or_sealed_for_something_else_is_refused_with_words_and_leaves_nothing(engine: Engine) {
        let world = with_booth(engine, "").await;
        let mut tablet = world.client(TABLET);
        let page = tablet.get("/f/news?kiosk=1").await;
        let later = world.clock.now().plus(std::time::Duration::from_secs(660));
        let mut damaged = sealed(&page, "news", 5, &content("anna@example.org", ago(&world, 0)));
        damaged.replace_range(damaged.len() - 4..damaged.len() - 2, "AA");
        let entries = [
            sealed(&page, "news", 1, &content("anna@example.org", later)),
            sealed(&page, "news", 2, &content("anna@example.org", ago(&world, 31 * 86_400))),
            sealed(&page, "news-two", 3, &content("anna@example.org", ago(&world, 0))),
            sealed(&page, "news", 4, &content("info@example.org", ago(&world, 0))),
            damaged,
            sealed(&page, "news", 6, &json!({"email": "anna@example.org", "entered_at": "yesterday"})),
        ];
        let told = send(&mut tablet, &entries).await;
        for (told, word) in told.iter().zip(["in the future", "30 days ago", "cannot be opened", "several people", "cannot be opened", "cannot be opened"]) {
            assert!(told.0 == "refused" && told.1.contains(word), "{told:?} {word}");
        }
        let reply = tablet.post_json("/f/news/entries", &json!({"entry": ["x"]})).await;
        assert_eq!(reply.status, 400);
        let many = vec![entries[0].clone(); 26];
        assert_eq!(tablet.post_json("/f/news/entries", &json!({"entry": many})).await.status, 413);
        assert_eq!(world.deliver().await.len(), 0);
        assert!(!world.permission("anna@example.org", "newsletter").await.allowed);
        // Refused is not recorded: with its time come, it is taken.
        world.advance(120);
        assert_eq!(send(&mut tablet, &entries[..1]).await[0].0, "recorded");
        assert_eq!(world.deliver().await.len(), 1);
        world.finish().await;
    }

    async fn only_a_form_that_is_declared_so_has_a_booth(engine: Engine) {
        let world = with_booth(engine, "").await;
        let mut client = world.client(TABLET);
        for path in ["/f/news-two?kiosk=1", "/f/news-two/kiosk.js"] {
            assert_eq!(client.get(path).await.status, 404, "{path}");
            assert_eq!(client.get(&path.replace("-two", "")).await.status, 200, "{path}");
        }
        assert_eq!(client.post("/f/news-two?kiosk=1", &[("email", "a@example.org")]).await.status, 404);
        assert_eq!(client.post_json("/f/news-two/entries", &json!({"entry": []})).await.status, 404);
        assert_eq!(client.get("/f/news-two").await.status, 200);
        let both = declarations().replace("proof_of_work = true", "proof_of_work = true\nkiosk = true");
        let problems = countersign::app::apply::parse(&both).map(|_| ()).unwrap_err().to_string();
        assert!(problems.contains("kiosk and proof_of_work"), "{problems}");
        assert_eq!(world.deliver().await.len(), 0);
        world.finish().await;
    }

    async fn a_signup_at_the_booth_gives_the_tablet_no_cookie_and_no_link_and_an_ordinary_one_says_nothing_of_booths(engine: Engine) {
        let world = with_booth(engine, "").await;
        let mut tablet = world.client(TABLET);
        let mut told = Vec::new();
        // Unknown, pending, confirmed: the answers are the same.
        for round in 0..3 {
            let reply = signed(&mut tablet, "anna@example.org").await;
            assert_eq!(reply.status, 202);
            told.push((reply.headers.iter().filter(|h| h.0 != "date" && h.0 != "x-request-id").cloned().collect::<Vec<_>>(), reply.json()["recorded"].clone(), reply.json().as_object().unwrap().len()));
            if round == 1 {
                let mail = world.mail_to("anna@example.org").await;
                // The tablet opens the link: it is nobody's browser, so one must press.
                let page = tablet.get(&mail.confirm()).await;
                assert!(page.text().contains("id=\"confirm\"") && !page.text().contains("Confirming"));
                world.advance(4);
                tablet.post(&mail.confirm(), &[]).await;
            }
        }
        assert!(told.iter().all(|one| *one == told[0]));
        assert!(tablet.cookies.is_empty(), "{:?}", tablet.cookies);
        let grade = world.permission("anna@example.org", "newsletter").await.grade;
        assert_eq!(grade, Some(countersign::domain::event::Grade::LinkButton));
        let story = world.story("anna@example.org").await;
        assert_eq!((signups(&story)[0].kiosk, signups(&story)[0].entered_at), (true, None));
        world.signed_up("bert@example.org", TABLET).await;
        let ordinary = serde_json::to_string(&world.story("bert@example.org").await[0]).unwrap();
        assert!(!ordinary.contains("kiosk") && !ordinary.contains("entered_at"), "{ordinary}");
        world.deliver().await;
        world.finish().await;
    }

    async fn without_scripts_no_address_of_a_page_and_no_page_tells_of_the_person(engine: Engine) {
        let world = with_booth(engine, "").await;
        let mut tablet = world.client(TABLET);
        let done = tablet.post("/f/news?kiosk=1", &[("email", "vera@example.org"), ("lang", "en")]).await;
        let wrong = tablet.post("/f/news?kiosk=1", &[("email", "vera.example.org"), ("lang", "en")]).await;
        // What was ticked on a page that stood open while the form changed.
        let shown = tablet.get("/f/news").await.hidden("version");
        let without = declarations().replacen("choices = [\"events\"]\n", "", 1);
        let without = countersign::app::apply::parse(&without).unwrap();
        countersign::app::apply::apply(&world.app, &without).await.unwrap();
        let ticked = [("email", "vera@example.org"), ("lang", "en"), ("purpose", "events"), ("version", shown.as_str())];
        let gone = tablet.post("/f/news?kiosk=1", &ticked).await;
        for (reply, word) in [(done, "Look at your inbox"), (wrong, "has no @ sign"), (gone, "no longer has what you chose")] {
            assert_eq!(reply.status, 303);
            let next = reply.location();
            assert!(next.starts_with("/f/news?kiosk=1&lang=en&") && !next.contains("vera"), "{next}");
            let page = tablet.get(&next).await;
            assert_eq!(page.status, 200);
            assert!(page.text().contains(word) && !page.text().contains("vera@") && !page.text().contains("vera.example.org\""));
            assert!(page.text().contains("/f/news?kiosk=1&amp;lang=en\"") || page.text().contains("/f/news?kiosk=1&#38;lang=en\""));
        }
        let made_up = tablet.get("/f/news?kiosk=1&problem=form-default-title").await;
        assert!(!made_up.text().contains("aria-invalid"));
        assert_eq!(world.deliver().await.len(), 1);
        world.finish().await;
    }

    async fn a_booths_signups_are_not_counted_against_its_network_but_each_mailbox_keeps_its_budget(engine: Engine) {
        let world = with_booth(engine, "[budget]\nper_network_an_hour = 5\n").await;
        let mut tablet = world.client(TABLET);
        for number in 0..40 {
            assert_eq!(signed(&mut tablet, &format!("p{number}@example.org")).await.status, 202);
        }
        assert_eq!(world.deliver().await.len(), 40);
        for _ in 0..10 {
            signed(&mut tablet, "v.ictim@gmail.com").await;
            signed(&mut tablet, "victim+x@gmail.com").await;
        }
        assert_eq!(world.deliver().await.len(), 41);
        // The same network at the ordinary form, and another form's booth mode that does not exist.
        for number in 0..9 {
            tablet.post_json("/f/news", &json!({"email": format!("q{number}@example.org")})).await;
        }
        assert_eq!(world.deliver().await.len(), 46);
        world.finish().await;
    }

    async fn beyond_the_booths_rate_mails_are_held_for_up_to_a_day_and_a_stranger_elsewhere_holds_nobody_up(engine: Engine) {
        let world = with_booth(engine, "[budget]\nper_kiosk_an_hour = 2\n").await;
        let mut stranger = world.client("203.0.113.9");
        for number in 0..60 {
            signed(&mut stranger, &format!("p{number}@example.org")).await;
        }
        // Two at once and two an hour for a day; the others cause none.
        assert_eq!(world.deliver().await.len(), 2);
        let mut tablet = world.client(TABLET);
        for number in 0..4 {
            signed(&mut tablet, &format!("q{number}@example.org")).await;
        }
        assert_eq!(world.deliver().await.len(), 4);
        world.advance(3_601);
        assert_eq!(world.deliver().await.len(), 8);
        world.advance(86_400);
        let mails = world.deliver().await;
        assert_eq!(mails.iter().filter(|mail| mail.to.starts_with('p')).count(), 50);
        assert_eq!(mails.iter().filter(|mail| mail.to.starts_with('q')).count(), 4);
        world.finish().await;
    }

    async fn the_numbers_of_entries_are_forgotten_only_when_none_of_them_could_come_again(engine: Engine) {
        let world = with_booth(engine, "").await;
        let mut tablet = world.client(TABLET);
        let page = tablet.get("/f/news?kiosk=1").await;
        let entry = sealed(&page, "news", 1, &content("anna@example.org", world.clock.now()));
        send(&mut tablet, std::slice::from_ref(&entry)).await;
        world.deliver().await;
        world.advance(29 * 86_400);
        world.app.tidy().await.unwrap();
        assert_eq!(send(&mut tablet, std::slice::from_ref(&entry)).await[0].0, "recorded");
        world.advance(12 * 86_400);
        world.app.tidy().await.unwrap();
        let told = send(&mut tablet, &[entry]).await;
        assert_eq!(told[0].0, "refused", "{told:?}");
        assert_eq!(signups(&world.story("anna@example.org").await).len(), 1);
        world.finish().await;
    }
}
