//! `countersign forget` beside a running server, and what the two write of themselves.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;

use countersign::cli::demo::smtp_catcher;
use countersign::clock::Clock;
use countersign::store::Engine;
use countersign::web::demo::Caught;

use super::traces::found_in;
use crate::confirm::inbox_path;
use crate::harness::{Client, DECLARATIONS, Place, place};
use crate::on_both_engines;
use crate::process::{PROGRAM, Server, declare, free_port, run, start_with, write_settings};

const EMAIL: &str = "Quenelle.Zwiebel+Tag@zwiebel-haus.example";

/// A server process that logs all it can, with mail that is caught.
struct Running {
    server: Server,
    place: Place,
    port: u16,
    caught: Arc<Caught>,
}

impl Running {
    async fn on(engine: Engine) -> Self {
        let place = place(engine).await;
        let caught = Arc::new(Caught::default());
        let smtp = smtp_catcher::start(caught.clone(), Clock::System)
            .await
            .unwrap();
        let port = free_port();
        let folder = &place.folder.0;
        write_settings(folder, &place.url, port, smtp.port());
        let file = folder.join(format!("{port}.toml"));
        let mut settings = std::fs::OpenOptions::new().append(true).open(file).unwrap();
        settings.write_all(b"[log]\nlevel = \"debug\"\n").unwrap();
        declare(folder, port);
        let log = std::fs::File::create(folder.join("server.log")).unwrap();
        let server = start_with(folder, port, Stdio::from(log)).await;
        Self {
            server,
            place,
            port,
            caught,
        }
    }

    fn folder(&self) -> &Path {
        &self.place.folder.0
    }

    fn run(&self, arguments: &[&str]) -> Output {
        run(self.folder(), self.port, arguments)
    }

    /// The same, with something to read.
    fn asked(&self, arguments: &[&str], answer: &str) -> Output {
        let mut child = Command::new(PROGRAM)
            .arg("--config")
            .arg(self.folder().join(format!("{}.toml", self.port)))
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child
            .stdin
            .take()
            .unwrap()
            .write_all(answer.as_bytes())
            .unwrap();
        child.wait_with_output().unwrap()
    }

    async fn confirmed(&self) {
        let mut client = Client::new(&self.server.base, "192.0.2.1");
        let fields = [("email", EMAIL), ("name", "Quenelle Zwiebel")];
        let reply = client.post("/f/news", &fields).await;
        assert_eq!(reply.status, 303);
        let page = client.get(&reply.location()).await;
        let inbox = inbox_path(&page.text());
        let mail = loop {
            let found = self.caught.list().into_iter().find(|mail| mail.to == EMAIL);
            if let Some(mail) = found {
                break crate::harness::Mail(mail);
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        };
        client.get(&mail.about()).await;
        client
            .post(&format!("{inbox}/code"), &[("code", "000000")])
            .await;
        client
            .post(&format!("{inbox}/code"), &[("code", &mail.code())])
            .await;
    }

    async fn end(self) -> String {
        let log = std::fs::read_to_string(self.folder().join("server.log")).unwrap();
        drop(self.server);
        if let Some(database) = self.place.database {
            database.drop().await;
        }
        log
    }
}

fn text(output: &Output) -> (Option<i32>, String, String) {
    let read = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (
        output.status.code(),
        read(&output.stdout),
        read(&output.stderr),
    )
}

on_both_engines! {
    async fn forget_beside_a_running_server_says_what_went_and_what_stays_and_no_log_line_names_anybody(engine: Engine) {
        let running = Running::on(engine).await;
        running.confirmed().await;
        let forget = ["forget", EMAIL, "--brand", "acme"];
        let (code, said, complaint) = text(&running.asked(&forget, "no\n"));
        assert_eq!((code, complaint.contains("nothing was erased")), (Some(1), true), "{said}{complaint}");
        assert!(said.contains("No proof of consent is kept"), "{said}");
        let (code, said, complaint) = text(&running.asked(&forget, "yes\n"));
        assert_eq!((code, complaint.as_str()), (Some(0), ""), "{said}");
        let bytes = match engine {
            Engine::Sqlite => "The old bytes are out of the database's files.",
            Engine::Postgres => "Free space in the tables' files can hold old bytes for a while.",
        };
        for words in ["Erased: the contact, 1 confirmation requests", "What stays:", "keyed hash", bytes, "Backups"] {
            assert!(said.contains(words), "{said}");
        }
        let (code, said, complaint) = text(&running.run(&["forget", EMAIL, "--brand", "acme", "--yes"]));
        assert_eq!((code, said.as_str()), (Some(1), ""));
        assert!(complaint.contains("knows nothing of this address"), "{complaint}");
        assert_eq!(text(&running.asked(&forget, "yes\n")).0, Some(1));
        assert_eq!(text(&running.run(&["forget", "no address", "--brand", "acme", "--yes"])).0, Some(2));
        let evidence = running.run(&["evidence", EMAIL, "--brand", "acme", "--timeline"]);
        assert_eq!(text(&evidence).0, Some(1));
        let log = running.end().await;
        assert!(log.lines().count() > 5 && log.contains("DEBUG"), "{log}");
        let named: Vec<String> = found_in(log.as_bytes());
        assert_eq!(named, Vec::<String>::new());
    }

    async fn the_command_line_makes_a_key_and_opens_with_it_what_was_sealed(engine: Engine) {
        let running = Running::on(engine).await;
        let made = Command::new(PROGRAM).args(["seal-key", "new"]).output().unwrap();
        let (code, made, _) = text(&made);
        assert_eq!(code, Some(0));
        let public = made.lines().find(|line| line.starts_with("public_key = ")).unwrap();
        let keep = format!("[brand.keep_proof_after_erasure]\nreason = \"Claims over mail.\"\nyears = 3\n{public}\n\n[[brand.purpose]]");
        let brands = running.folder().join("brands.toml");
        std::fs::write(&brands, DECLARATIONS.replacen("[[brand.purpose]]", &keep, 1)).unwrap();
        assert!(running.run(&["apply", brands.to_str().unwrap()]).status.success());
        let key = running.folder().join("seal.key");
        std::fs::write(&key, &made).unwrap();
        let key = key.to_str().unwrap();
        running.confirmed().await;
        let (code, said, complaint) = text(&running.run(&["forget", EMAIL, "--brand", "acme", "--yes"]));
        assert_eq!(code, Some(0), "{complaint}");
        assert!(said.contains("the evidence, sealed, until") && said.contains("Claims over mail."), "{said}");

        let evidence = ["evidence", EMAIL, "--brand", "acme", "--timeline", "--legal-hold", key];
        let (code, _, complaint) = text(&running.run(&evidence));
        assert_eq!(code, Some(2), "who and why must be said: {complaint}");
        let open = [&evidence[..], &["--by", "Clara Counsel", "--reason", "Case 12/26"]].concat();
        let (code, told, complaint) = text(&running.run(&open));
        assert_eq!(code, Some(0), "{complaint}");
        for words in ["Signed up for newsletter", "The mail server took", "with the code from the mail", "Erased at the wish of an operator"] {
            assert!(told.contains(words), "{told}");
        }
        let (_, again, _) = text(&running.run(&open));
        assert!(again.contains("was opened by Clara Counsel: Case 12/26"), "{again}");

        // A bundle of it is as good as one from before the erasure, and the log holds without what was emptied.
        let zip = running.folder().join("sealed.zip");
        let zip = zip.to_str().unwrap();
        let bundle = ["evidence", EMAIL, "--brand", "acme", "-o", zip, "--legal-hold", key];
        let bundle = [&bundle[..], &["--by", "Clara Counsel", "--reason", "Case 12/26"]].concat();
        let (code, _, complaint) = text(&running.run(&bundle));
        assert_eq!(code, Some(0), "{complaint}");
        let (code, told, complaint) = text(&running.run(&["verify", zip]));
        assert_eq!(code, Some(0), "{complaint}");
        assert!(told.contains("somebody who had that mail confirmed"), "{told}");
        let (code, told, _) = text(&running.run(&["verify", "--log", "--rebuild-check"]));
        assert_eq!(code, Some(0), "{told}");
        assert_eq!(found_in(running.end().await.as_bytes()), Vec::<String>::new());
    }
}
