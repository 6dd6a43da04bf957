//! Mails as they were sent: who sees them whole. What stands in one acts for the person, so whoever changes nothing must not
//! be able to act by it.

use countersign::app::operators;
use countersign::domain::operator::Role;

use super::signing_in::{PASSWORD, signed_in};
use crate::harness::{Client, World, add_owner};
use crate::on_both_engines;

const EMAIL: &str = "anna@example.org";

async fn contact(client: &mut Client) -> String {
    let fields = [("brand", "acme"), ("q", EMAIL)];
    client.post("/admin/contacts", &fields).await.location()
}

/// The path of the mail's part on a contact's page.
async fn mail_of(client: &mut Client, contact: &str, part: &str) -> String {
    let page = client.get(contact).await.text();
    let at = page.find("/mail/").expect("a mail");
    let path = page[at..].split('"').next().unwrap();
    let (path, _) = path.rsplit_once('/').unwrap();
    format!("{contact}{path}/{part}")
}

on_both_engines! {
    async fn whoever_changes_nothing_reads_a_mail_without_what_acts_for_the_person(engine: Engine) {
        let world = World::on(engine).await;
        add_owner(&world.app).await;
        for (name, role) in [("vera", Role::Viewer), ("arno", Role::Auditor), ("emil", Role::Editor)] {
            operators::add(&world.app, None, name, PASSWORD, (role, &[])).await.unwrap();
        }
        world.signed_up(EMAIL, "192.0.2.7").await;
        let mail = world.mail_to(EMAIL).await;
        world.app.sequence().await.unwrap();
        let token = mail.confirm().trim_start_matches("/c/").to_owned();
        let (about, code) = (mail.about().trim_start_matches("/a/").to_owned(), mail.code());
        for name in ["vera", "arno"] {
            let mut client = signed_in(&world, name).await;
            let contact = contact(&mut client).await;
            let page = client.get(&contact).await.text();
            assert!(!page.contains("its source") && !page.contains("/bundle\""), "{name}");
            for part in ["html", "text"] {
                let path = mail_of(&mut client, &contact, part).await;
                let shown = client.get(&path).await.text();
                assert!(shown.contains("/c/hidden-from-your-role/decline") && shown.contains("(hidden)"), "{name}: {shown}");
                assert!(shown.contains("Acme Letters Ltd"), "the rest of it is there");
                for secret in [&token, &about, &code] {
                    assert!(!shown.contains(secret.as_str()), "{name}, {part}");
                }
            }
            let source = mail_of(&mut client, &contact, "source").await;
            let refused = client.get(&source).await;
            assert_eq!(refused.status, 403, "{name}");
            assert!(refused.text().contains("place") && !refused.text().contains(&token));
            assert_eq!(client.post(&format!("{contact}/bundle"), &[]).await.status, 403, "{name}");
        }
        for name in ["olga", "emil"] {
            let mut client = signed_in(&world, name).await;
            let contact = contact(&mut client).await;
            let html = mail_of(&mut client, &contact, "html").await;
            let html = client.get(&html).await.text();
            assert!(html.contains(&token) && html.contains(&code), "{name}");
            let source = mail_of(&mut client, &contact, "source").await;
            assert_eq!(client.get(&source).await.status, 200, "{name}");
            assert_eq!(client.post(&format!("{contact}/bundle"), &[]).await.status, 200, "{name}");
        }
        world.finish().await;
    }

    async fn an_auditor_takes_the_mail_as_it_was_once_nothing_is_asked_any_more(engine: Engine) {
        let world = World::on(engine).await;
        for (name, role) in [("vera", Role::Viewer), ("arno", Role::Auditor)] {
            operators::add(&world.app, None, name, PASSWORD, (role, &[])).await.unwrap();
        }
        let (mut person, _) = world.signed_up(EMAIL, "192.0.2.7").await;
        let mail = world.mail_to(EMAIL).await;
        person.post(&mail.confirm(), &[]).await;
        world.app.sequence().await.unwrap();
        let mut arno = signed_in(&world, "arno").await;
        let path = contact(&mut arno).await;
        let source = mail_of(&mut arno, &path, "source").await;
        let source = arno.get(&source).await;
        assert_eq!(source.status, 200);
        assert!(source.text().contains("DKIM-Signature") || source.text().contains("Message-ID"), "{}", source.text());
        let bundle = arno.post(&format!("{path}/bundle"), &[]).await;
        assert_eq!(bundle.header("content-type"), Some("application/zip"));
        // On the page what acts stays hidden, and a viewer never has it whole.
        let html = mail_of(&mut arno, &path, "html").await;
        assert!(!arno.get(&html).await.text().contains(mail.confirm().trim_start_matches("/c/")));
        let mut vera = signed_in(&world, "vera").await;
        let source = mail_of(&mut vera, &path, "source").await;
        assert_eq!(vera.get(&source).await.status, 403);
        // Asked again, by whatever: not now.
        world.advance(86_400);
        world.signed_up(EMAIL, "192.0.2.8").await;
        world.deliver().await;
        let mut arno = signed_in(&world, "arno").await;
        assert_eq!(arno.post(&format!("{path}/bundle"), &[]).await.status, 403);
        world.advance(8 * 86_400);
        let mut arno = signed_in(&world, "arno").await;
        world.app.sequence().await.unwrap();
        assert_eq!(arno.post(&format!("{path}/bundle"), &[]).await.status, 200, "the request is over");
        world.finish().await;
    }
}
