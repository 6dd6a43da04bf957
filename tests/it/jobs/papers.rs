//! Files of proof through the operators' pages: from a file that is chosen there to the claim that names it.

use std::time::Duration;

use countersign::domain::event::Fact;
use countersign::domain::operator::Role;
use countersign::intake::proof::FILE_BYTES;
use sha2::{Digest, Sha256};

use super::{bring, follow, killed, signed_in, take_columns, there, work};
use crate::erasure::acme;
use crate::harness::{Client, Folder, Reply, World, place};
use crate::on_both_engines;
use crate::process::{PROGRAM, run, start, wait_until};

const LIST: &[u8] = b"email,date\nann@example.org,2026-10-01\nbob@example.org,2026-10-01\n";
const CONTRACT: &[u8] = b"what both of them signed";

fn hex(content: &[u8]) -> String {
    let hash = Sha256::digest(content);
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A file that is sent: its input, its name, its bytes.
type Sent<'a> = (&'a str, &'a str, &'a [u8]);

/// Sends the form of the third step as a browser does: its fields, and files by the names of their inputs.
async fn say(
    client: &mut Client,
    path: &str,
    fields: &[(&str, &str)],
    files: &[Sent<'_>],
) -> Reply {
    let mut body = Vec::new();
    for (name, value) in fields {
        let part =
            format!("--b\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
        body.extend_from_slice(part.as_bytes());
    }
    for (input, name, bytes) in files {
        let part = format!(
            "--b\r\ncontent-disposition: form-data; name=\"{input}\"; filename=\"{name}\"\r\n\
             content-type: application/octet-stream\r\n\r\n"
        );
        body.extend_from_slice(part.as_bytes());
        body.extend_from_slice(bytes);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--b--\r\n");
    let kind = Some("multipart/form-data; boundary=b");
    client.send("POST", path, kind, &body).await
}

/// The values of the buttons that remove a file.
fn removals(page: &str) -> Vec<String> {
    let buttons = page.split("value=\"remove ").skip(1);
    buttons
        .map(|rest| format!("remove {}", rest.split('"').next().unwrap()))
        .collect()
}

/// From a list to its third step.
async fn at_source(client: &mut Client, list: &[u8]) -> String {
    let columns = there(&bring(client, "acme/newsletter", "people.csv", list).await);
    take_columns(client, &columns).await
}

/// What the claim of somebody says about a piece of proof.
async fn proof_of(world: &World, email: &str, key: &str) -> String {
    let story = world.story(email).await;
    let Fact::Imported(imported) = &story[0].fact else {
        panic!("{story:?}")
    };
    let mut proof = imported.claims[0].proof();
    proof.find(|one| one.0 == key).unwrap().1.to_owned()
}

/// All files under the folder of lists, also those in folders.
fn files(world: &World) -> usize {
    let Ok(entries) = std::fs::read_dir(&world.app.config.uploads.folder) else {
        return 0;
    };
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .map(|path| std::fs::read_dir(&path).map_or(1, Iterator::count))
        .sum()
}

/// Tries a list, and takes it in.
async fn take_in(world: &World, client: &mut Client, source: &str, name: &str) -> String {
    let trial = source.replace("/source", "/trial");
    work(&world.app).await;
    let page = client.get(&trial).await.text();
    assert!(page.contains("Start the import"), "{page}");
    let start = trial.replace("/trial", "/start");
    let import = there(&client.post(&start, &[("name", name)]).await);
    work(&world.app).await;
    import
}

on_both_engines! {
    async fn a_contract_that_is_added_to_a_list_is_named_by_each_claim_and_given_back(engine: Engine) {
        let world = World::on(engine).await;
        let mut olga = signed_in(&world, "olga", Role::Owner, &[]).await;
        let source = at_source(&mut olga, LIST).await;
        let page = olga.get(&format!("{source}?source=written_agreement")).await.text();
        assert!(page.contains("Papers for all rows") && page.contains("name=\"paper-key\" value=\"contract\""), "{page}");
        assert!(!page.contains("Files that rows name"), "no column names any: {page}");
        let said = [("source", "written_agreement"), ("proof.contract", "C-12"), ("paper-key", "contract"), ("then", "add")];
        let added = say(&mut olga, &source, &said, &[("paper", "contract.pdf", CONTRACT), ("named", "", b"")]).await;
        let page = follow(&mut olga, &added).await.text();
        for part in ["<b>contract.pdf</b>", "contract, 24 bytes", &hex(CONTRACT), "value=\"C-12\"", "The first row of this list"] {
            assert!(page.contains(part), "{part}: {page}");
        }
        // One that was added by mistake is taken away again, and nothing of it stays.
        let added = say(&mut olga, &source, &said, &[("paper", "wrong.pdf", b"something else")]).await;
        let page = follow(&mut olga, &added).await.text();
        assert!(page.contains("wrong.pdf") && removals(&page).len() == 2, "{page}");
        let then = removals(&page)[1].clone();
        let without = [("source", "written_agreement"), ("proof.contract", "C-12"), ("then", then.as_str())];
        let removed = say(&mut olga, &source, &without, &[]).await;
        let page = follow(&mut olga, &removed).await.text();
        assert!(!page.contains("wrong.pdf") && page.contains("contract.pdf"), "{page}");
        assert_eq!(files(&world), 2, "the list and its contract");

        let tried = [("source", "written_agreement"), ("proof.contract", "C-12"), ("then", "try")];
        there(&say(&mut olga, &source, &tried, &[]).await);
        let import = take_in(&world, &mut olga, &source, "agreements").await;
        let says = format!("C-12 sha256:{}", hex(CONTRACT));
        for email in ["ann@example.org", "bob@example.org"] {
            assert_eq!(proof_of(&world, email, "contract").await, says);
        }
        assert_eq!(world.permission("ann@example.org", "newsletter").await.rule, "A3");
        let page = olga.get(&import).await.text();
        assert!(page.contains("done") && page.contains(&says), "{page}");
        assert_eq!(files(&world), 1, "only the report is left");

        let folder = Folder::new();
        std::fs::write(folder.0.join("countersign.toml"), world.settings_text()).unwrap();
        let given = std::process::Command::new(PROGRAM).current_dir(&folder.0)
            .args(["proof-file", &hex(CONTRACT), "--brand", "acme", "-o", "back.pdf"]).output().unwrap();
        assert_eq!(given.status.code(), Some(0), "{}", String::from_utf8_lossy(&given.stderr));
        assert_eq!(std::fs::read(folder.0.join("back.pdf")).unwrap(), CONTRACT);
        world.finish().await;
    }

    async fn a_file_chosen_beside_the_button_that_tries_is_taken_as_well_and_one_more_is_tried_anew(engine: Engine) {
        let world = World::on(engine).await;
        let mut olga = signed_in(&world, "olga", Role::Owner, &[]).await;
        let source = at_source(&mut olga, LIST).await;
        let trial = source.replace("/source", "/trial");
        let said = [("source", "written_agreement"), ("paper-key", "contract"), ("then", "try")];
        there(&say(&mut olga, &source, &said, &[("paper", "contract.pdf", CONTRACT)]).await);
        work(&world.app).await;
        let page = olga.get(&trial).await.text();
        assert!(page.contains("<b>2</b> <strong>accepted</strong>"), "the file alone proves it: {page}");
        // An annex, while the list is tried already.
        there(&olga.post(&trial, &[]).await);
        let said = [("source", "written_agreement"), ("paper-key", "contract"), ("then", "add")];
        there(&say(&mut olga, &source, &said, &[("paper", "annex.pdf", b"annex")]).await);
        work(&world.app).await;
        let page = olga.get(&trial).await.text();
        assert!(page.contains("Try the list") && !page.contains("Start the import"), "{page}");
        there(&olga.post(&trial, &[]).await);
        take_in(&world, &mut olga, &source, "agreements").await;
        let says = format!("{} sha256:{}", hex(CONTRACT), hex(b"annex"));
        assert_eq!(proof_of(&world, "bob@example.org", "contract").await, says);
        for content in [CONTRACT, b"annex"] {
            let kept = world.app.proof_file(&acme(&world), &Sha256::digest(content).into()).await.unwrap();
            assert_eq!(kept.as_deref(), Some(content));
        }
        world.finish().await;
    }

    async fn where_each_row_tells_its_source_a_paper_holds_for_those_that_take_it(engine: Engine) {
        let world = World::on(engine).await;
        let mut olga = signed_in(&world, "olga", Role::Owner, &[]).await;
        let list = b"email,source,order,date\nann@example.org,written_agreement,,2026-10-01\nbob@example.org,purchase,7,2026-10-01\n";
        let source = at_source(&mut olga, list).await;
        let page = olga.get(&format!("{source}?source=donation_or_volunteering")).await.text();
        assert!(page.contains("<option value=\"receipt\">") && page.contains("<option value=\"assignment\">"), "{page}");
        assert!(!page.contains("<option value=\"contract\">"), "{page}");
        let page = olga.get(&format!("{source}?source=website_form")).await.text();
        assert!(!page.contains("Papers for all rows"), "it takes none: {page}");
        let said = [("source", "each-row"), ("paper-key", "contract"), ("then", "try")];
        there(&say(&mut olga, &source, &said, &[("paper", "contract.pdf", CONTRACT)]).await);
        take_in(&world, &mut olga, &source, "both").await;
        assert_eq!(proof_of(&world, "ann@example.org", "contract").await, hex(CONTRACT));
        assert_eq!(proof_of(&world, "bob@example.org", "order").await, "7");
        world.finish().await;
    }

    async fn two_people_who_add_a_file_at_the_same_moment_both_find_it_there(engine: Engine) {
        let world = World::on(engine).await;
        let mut olga = signed_in(&world, "olga", Role::Owner, &[]).await;
        let mut otto = signed_in(&world, "otto", Role::Editor, &[]).await;
        let source = at_source(&mut olga, LIST).await;
        let said = [("source", "written_agreement"), ("paper-key", "contract"), ("then", "add")];
        for round in 0..4 {
            let names = [format!("one-{round}.pdf"), format!("two-{round}.pdf")];
            let files = names.each_ref().map(|name| [("paper", name.as_str(), name.as_bytes())]);
            let (one, two) = tokio::join!(
                say(&mut olga, &source, &said, &files[0]),
                say(&mut otto, &source, &said, &files[1])
            );
            assert_eq!((one.status, two.status), (303, 303));
            let page = olga.get(&source).await.text();
            assert!(names.iter().all(|name| page.contains(name)), "{names:?}: {page}");
        }
        assert_eq!(files(&world), 9);
        world.finish().await;
    }

    async fn rows_name_files_that_are_brought_together_and_one_that_is_missing_is_told_in_the_trial(engine: Engine) {
        let world = World::on(engine).await;
        let mut olga = signed_in(&world, "olga", Role::Owner, &[]).await;
        // The list writes ë as two signs, the browser as one.
        let list = "email,date,Paper\nanna@example.org,2026-10-01,anna.png\nzoe@example.org,2026-10-01,./Zoe\u{308}.png\n\
            lost@example.org,2026-10-01,lost.png\nout@example.org,2026-10-01,../people.list\nnone@example.org,2026-10-01,\n";
        let columns = there(&bring(&mut olga, "acme/newsletter", "forms.csv", list.as_bytes()).await);
        let page = olga.get(&columns).await.text();
        assert!(page.contains("<option value=\"file.scan\">File of proof: scan</option>"), "{page}");
        let said = [("c0", "email"), ("c1", "proof.date"), ("c2", "file.scan"), ("language", "en"), ("then", "next")];
        let source = there(&olga.post(&columns, &said).await);
        let page = olga.get(&format!("{source}?source=newsletter_form")).await.text();
        assert!(page.contains("Files that rows name") && page.contains("Rows name them in “Paper”"), "{page}");
        let said = [("source", "newsletter_form"), ("then", "add")];
        let scans: [Sent<'_>; 3] = [("named", "anna.png", b"an old scan"), ("named", "Zo\u{eb}.png", b"zoe"),
            ("named", "nobody.png", b"named by no row")];
        let added = say(&mut olga, &source, &said, &scans).await;
        let page = follow(&mut olga, &added).await.text();
        assert!(page.contains("3 files, 29 bytes") && page.contains("<b>Zo\u{eb}.png</b>"), "{page}");
        // A better scan of the same name takes the other's place.
        let added = say(&mut olga, &source, &said, &[("named", "anna.png", b"anna")]).await;
        let page = follow(&mut olga, &added).await.text();
        assert!(page.contains("3 files, 22 bytes") && page.contains(&hex(b"anna")), "{page}");
        assert_eq!(files(&world), 4, "the list and three files");

        there(&say(&mut olga, &source, &[("source", "newsletter_form"), ("then", "try")], &[]).await);
        work(&world.app).await;
        let page = olga.get(&source.replace("/source", "/trial")).await.text();
        assert!(page.contains("<b>2</b> <strong>accepted</strong>") && page.contains("<b>2</b> <strong>broken</strong>"), "{page}");
        assert!(page.contains("lost.png") && page.contains("it is not there"), "{page}");
        take_in(&world, &mut olga, &source, "forms").await;
        assert_eq!(proof_of(&world, "anna@example.org", "scan").await, hex(b"anna"));
        assert_eq!(proof_of(&world, "zoe@example.org", "scan").await, hex(b"zoe"));
        assert!(world.story("lost@example.org").await.is_empty());
        let kept = async |content: &[u8]| world.app.proof_file(&acme(&world), &Sha256::digest(content).into()).await.unwrap();
        assert_eq!(kept(b"anna").await.as_deref(), Some(&b"anna"[..]));
        assert_eq!(kept(b"zoe").await.as_deref(), Some(&b"zoe"[..]));
        assert_eq!((kept(b"an old scan").await, kept(b"named by no row").await), (None, None));
        assert_eq!(files(&world), 1, "only the report is left");
        world.finish().await;
    }

    async fn what_cannot_be_a_paper_is_refused_in_words_and_leaves_nothing(engine: Engine) {
        let world = World::on(engine).await;
        let mut olga = signed_in(&world, "olga", Role::Owner, &[]).await;
        let source = at_source(&mut olga, LIST).await;
        let long = vec![7; usize::try_from(FILE_BYTES).unwrap() + 1];
        let long_name = "n".repeat(201);
        let said = |key| [("source", "newsletter_form"), ("paper-key", key), ("then", "add")];
        let wrong: [(&str, &[Sent<'_>], &str); 8] = [
            ("scan", &[], "Choose a file first."),
            ("scan", &[("paper", "", b"")], "Choose a file first."),
            ("scan", &[("paper", "a.pdf", b"")], "“a.pdf” was not taken: it is empty."),
            ("scan", &[("paper", "a.pdf", &long)], "“a.pdf” was not taken: it is longer than 10 MiB."),
            ("form", &[("paper", "a.pdf", b"a")], "is no file; files can be: account, ad"),
            ("", &[("paper", "a.pdf", b"a")], "is no file"),
            ("scan", &[("named", &long_name, b"a")], "its name has 1 to 200 characters"),
            ("scan", &[("named", "b.png", b""), ("named", "c.png", b"")], "“c.png” was not taken: it is empty."),
        ];
        for (key, files, says) in wrong {
            let refused = say(&mut olga, &source, &said(key), files).await;
            assert!(refused.status == 422 && refused.text().contains(says), "{says}: {}", refused.text());
        }
        assert_eq!(files(&world), 1, "the list alone");
        // Of several the good ones are taken.
        let some = say(&mut olga, &source, &said("scan"), &[("named", "good.png", b"good"), ("named", "bad.png", b"")]).await;
        assert!(some.status == 422 && some.text().contains("<b>good.png</b>") && some.text().contains("“bad.png” was not taken"), "{}", some.text());
        there(&say(&mut olga, &source, &said("scan"), &[("paper", "sheet.png", b"sheet")]).await);
        for (content, says) in [(&b"sheet"[..], "this very file is there"), (&b"another"[..], "is one file, and there is one already")] {
            let refused = say(&mut olga, &source, &said("scan"), &[("paper", "x.png", content)]).await;
            assert!(refused.status == 422 && refused.text().contains(says), "{says}: {}", refused.text());
        }
        // Another source takes no scan: it is told, and mended by taking the paper away.
        let other = [("source", "purchase"), ("paper-key", "order"), ("then", "add")];
        let refused = say(&mut olga, &source, &other, &[("paper", "order-0.pdf", b"order 0")]).await;
        assert!(refused.status == 422 && refused.text().contains("has no proof &#34;scan&#34;"), "{}", refused.text());
        let scan = removals(&refused.text())[0].clone();
        there(&say(&mut olga, &source, &[("source", "purchase"), ("then", &scan)], &[]).await);
        for number in 1..10 {
            let (name, content) = (format!("order-{number}.pdf"), format!("order {number}"));
            there(&say(&mut olga, &source, &other, &[("paper", &name, content.as_bytes())]).await);
        }
        let refused = say(&mut olga, &source, &other, &[("paper", "eleven.pdf", b"eleven")]).await;
        assert!(refused.status == 422 && refused.text().contains("there are 10 papers"), "{}", refused.text());
        assert_eq!(files(&world), 12, "the list, ten papers and a file for rows to name");
        let all = [("source", "purchase"), ("then", "remove-named")];
        there(&say(&mut olga, &source, &all, &[]).await);
        assert_eq!(files(&world), 11);
        world.finish().await;
    }

    async fn papers_are_private_and_go_with_their_list(engine: Engine) {
        use std::os::unix::fs::PermissionsExt;
        let world = World::on(engine).await;
        let mut olga = signed_in(&world, "olga", Role::Owner, &[]).await;
        let said = [("source", "written_agreement"), ("paper-key", "contract"), ("then", "add")];
        let source = at_source(&mut olga, LIST).await;
        there(&say(&mut olga, &source, &said, &[("paper", "contract.pdf", CONTRACT)]).await);
        let folder = std::fs::read_dir(&world.app.config.uploads.folder).unwrap()
            .map(|entry| entry.unwrap().path()).find(|path| path.is_dir()).unwrap();
        let paper = std::fs::read_dir(&folder).unwrap().next().unwrap().unwrap();
        assert_eq!(std::fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
        assert_eq!(paper.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        there(&olga.post(&source.replace("/source", "/remove"), &[]).await);
        assert_eq!(files(&world), 0, "removed by hand");
        let source = at_source(&mut olga, LIST).await;
        there(&say(&mut olga, &source, &said, &[("paper", "contract.pdf", CONTRACT)]).await);
        world.advance(25 * 3_600);
        world.app.tidy_drafts().await.unwrap();
        assert_eq!(files(&world), 0, "nobody went on with it for a day");
        let mut olga = crate::jobs::sign_in(&world.base, "olga").await;
        let source = at_source(&mut olga, LIST).await;
        there(&say(&mut olga, &source, &said, &[("paper", "contract.pdf", CONTRACT)]).await);
        // One whose file is gone is told before anything is stored.
        there(&say(&mut olga, &source, &[("source", "written_agreement"), ("then", "try")], &[]).await);
        work(&world.app).await;
        for entry in std::fs::read_dir(&world.app.config.uploads.folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                std::fs::remove_dir_all(path).unwrap();
            }
        }
        let refused = olga.post(&source.replace("/source", "/start"), &[("name", "a")]).await;
        assert!(refused.status == 422 && refused.text().contains("contract.pdf: it is not there"), "{}", refused.text());
        assert!(world.app.imports(&acme(&world)).await.unwrap().is_empty());
        world.finish().await;
    }

    async fn a_paper_is_still_there_after_a_restart_and_given_back_by_the_command(engine: Engine) {
        let place = place(engine).await;
        let folder = &place.folder.0;
        let (port, slug, wanted) = killed::declared(&place).await;
        let server = start(folder, port).await;
        let mut olga = crate::jobs::sign_in(&server.base, "olga").await;
        let columns = there(&bring(&mut olga, &wanted, "people.csv", LIST).await);
        let source = take_columns(&mut olga, &columns).await;
        let said = [("source", "written_agreement"), ("paper-key", "contract"), ("then", "add")];
        there(&say(&mut olga, &source, &said, &[("paper", "contract.pdf", CONTRACT)]).await);
        drop(server);
        let server = start(folder, port).await;
        let mut olga = crate::jobs::sign_in(&server.base, "olga").await;
        let page = olga.get(&source).await.text();
        assert!(page.contains("contract.pdf") && page.contains(&hex(CONTRACT)), "{page}");
        let trial = there(&say(&mut olga, &source, &[("source", "written_agreement"), ("then", "try")], &[]).await);
        let until = async |client: &mut Client, path: &str, wanted: &str| {
            wait_until(wanted, Duration::from_secs(60), async || client.get(path).await.text().contains(wanted)).await;
        };
        until(&mut olga, &trial, "Start the import").await;
        let import = there(&olga.post(&trial.replace("/trial", "/start"), &[("name", "a")]).await);
        until(&mut olga, &import, "state good\">done").await;
        let out = folder.join("back.pdf");
        let given = run(folder, port, &["proof-file", &hex(CONTRACT), "--brand", &slug, "-o", out.to_str().unwrap()]);
        assert_eq!(given.status.code(), Some(0), "{}", String::from_utf8_lossy(&given.stderr));
        assert_eq!(std::fs::read(&out).unwrap(), CONTRACT);
        drop(server);
        if let Some(database) = place.database {
            database.drop().await;
        }
    }
}
