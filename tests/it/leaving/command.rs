//! `countersign withdraw` and `countersign bounce`, run as programs beside a server.

use std::io::Write;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

use super::bounces::{report, return_path};
use super::{allowed, confirmed, signed_up_for_both};
use crate::harness::{Folder, World};
use crate::on_both_engines;
use crate::process::PROGRAM;

pub fn run(folder: &Folder, arguments: &[&str], input: &[u8]) -> Output {
    let mut child = Command::new(PROGRAM)
        .arg("--config")
        .arg(folder.0.join("countersign.toml"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that refuses its arguments reads nothing.
    let _ = child.stdin.take().unwrap().write_all(input);
    child.wait_with_output().unwrap()
}

pub fn configured(world: &World) -> Folder {
    let folder = Folder::new();
    std::fs::write(folder.0.join("countersign.toml"), world.settings_text()).unwrap();
    folder
}

pub fn said(output: &Output) -> Value {
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

on_both_engines! {
    async fn an_operator_writes_down_that_somebody_left_with_the_reason_in_the_evidence(engine: Engine) {
        let world = World::on(engine).await;
        confirmed(&world, "anna@example.org").await;
        let folder = configured(&world);
        let one = ["withdraw", "anna@example.org", "--brand", "acme", "--purpose", "events", "--json"];
        assert_eq!(said(&run(&folder, &one, b"")), json!({"withdrawn": true, "purposes": ["events"]}));
        assert_eq!(allowed(&world, "anna@example.org").await, (true, false));
        assert_eq!(said(&run(&folder, &one, b"")), json!({"withdrawn": false, "purposes": []}));
        let all = ["withdraw", "anna@example.org", "--brand", "acme", "--reason", "letter of 3 March"];
        let done = run(&folder, &all, b"");
        assert_eq!(String::from_utf8_lossy(&done.stdout), "Left: events, newsletter.\n");
        assert_eq!(allowed(&world, "anna@example.org").await, (false, false));
        let told = countersign::domain::sentence::sentence(world.story("anna@example.org").await.last().unwrap());
        assert!(told.starts_with("An operator wrote down that the person left everything"), "{told}");
        assert!(told.contains("letter of 3 March"), "{told}");
        for (arguments, code) in [
            (&["withdraw", "nobody@example.org", "--brand", "acme"][..], 1),
            (&["withdraw", "no address", "--brand", "acme"], 2),
            (&["withdraw", "anna@example.org", "--brand", "nonsense"], 2),
            (&["withdraw", "anna@example.org", "--brand", "acme", "--purpose", "nonsense"], 2),
        ] {
            assert_eq!(run(&folder, arguments, b"").status.code(), Some(code), "{arguments:?}");
        }
        world.finish().await;
    }

    async fn a_suppression_is_shown_and_lifted_with_a_reason_and_what_was_declined_stays_so(engine: Engine) {
        let world = World::on(engine).await;
        let folder = configured(&world);
        let mail = signed_up_for_both(&world, "anna@example.org").await;
        world.client("198.51.100.7").post(&mail.decline(), &[]).await;
        confirmed(&world, "bert@example.org").await;
        let to = return_path(&world, "bert@example.org").await;
        let message = report(&to, "failed", "5.1.1", "550 no such user");
        world.app.take_report(message.as_bytes(), Some(&to)).await.unwrap();
        let show = |email: &str| said(&run(&folder, &["suppression", "show", email, "--brand", "acme", "--json"], b""));
        assert_eq!(show("anna@example.org")["reason"], "declined");
        assert_eq!(show("Bert+tag@example.org")["reason"], "bounced", "under any of the mailbox's names");
        assert_eq!(show("carl@example.org")["suppressed"], false);
        let lift = |email: &str, reason: &str| run(&folder, &["suppression", "lift", email, "--brand", "acme", "--reason", reason], b"");
        assert_eq!(lift("bert@example.org", "x").status.code(), Some(2));
        for email in ["anna@example.org", "bert@example.org"] {
            assert!(lift(email, "the person called and asked for it").status.success());
            assert_eq!(show(email)["suppressed"], false);
            assert_eq!(world.kinds(email).await.last(), Some(&"suppression_lifted"));
        }
        assert!(world.permission("bert@example.org", "newsletter").await.allowed, "the mailbox works again");
        assert_eq!(world.permission("anna@example.org", "newsletter").await.rule, "D3");
        // And the way back is open: a signup causes a mail, and its confirmation gives consent.
        world.advance(86_400);
        confirmed(&world, "anna@example.org").await;
        assert!(world.permission("anna@example.org", "newsletter").await.allowed);
        let again = lift("bert@example.org", "once more");
        assert!(String::from_utf8_lossy(&again.stdout).contains("nothing changed"));
        world.finish().await;
    }

    async fn a_report_from_a_pipe_is_taken_by_what_it_holds_or_by_the_recipient_that_the_server_names(engine: Engine) {
        let world = World::on(engine).await;
        let folder = configured(&world);
        for (number, named) in [false, true].into_iter().enumerate() {
            let email = format!("p{number}@example.org");
            signed_up_for_both(&world, &email).await;
            let to = return_path(&world, &email).await;
            let shown = if named { "elsewhere@acme.example" } else { &to };
            let message = report(shown, "failed", "5.1.1", "550 no such user");
            let mut arguments = vec!["bounce", "--json"];
            if named {
                arguments.extend(["--recipient", to.as_str()]);
            }
            assert_eq!(said(&run(&folder, &arguments, message.as_bytes())), json!({"report": "hard"}));
            assert_eq!(world.permission(&email, "newsletter").await.rule, "D6");
            assert_eq!(said(&run(&folder, &arguments, message.as_bytes())), json!({"report": "again"}));
        }
        let forged = report("bounce+aaaa@acme.example", "failed", "5.1.1", "550 no such user");
        assert_eq!(said(&run(&folder, &["bounce", "--json"], forged.as_bytes())), json!({"report": "not_ours"}));
        let done = run(&folder, &["bounce"], b"Subject: Hello\r\n\r\nNo report.\r\n");
        assert!(done.status.success());
        assert!(String::from_utf8_lossy(&done.stdout).contains("no delivery report"));
        world.finish().await;
    }
}

#[tokio::test]
async fn a_database_that_does_not_answer_tells_the_mail_server_to_try_again() {
    let folder = Folder::new();
    let text = "[server]\nbase_url = \"http://localhost:1\"\n[secrets]\nroot = \"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\"\n\
                [database]\nurl = \"postgres://nobody@127.0.0.1:1/none\"\n";
    std::fs::write(folder.0.join("countersign.toml"), text).unwrap();
    let done = run(&folder, &["bounce"], b"Subject: x\r\n\r\n");
    assert_eq!(
        done.status.code(),
        Some(75),
        "{}",
        String::from_utf8_lossy(&done.stderr)
    );
}
