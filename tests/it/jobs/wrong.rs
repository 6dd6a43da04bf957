//! Files that are wrong, each with words that say what to do.

use countersign::domain::operator::Role;

use super::{bring, proposed, signed_in, there, work};
use crate::harness::{Client, World};
use crate::import::workbook::{Workbook, row};
use crate::on_both_engines;

/// What the page of columns says of a file.
async fn page_of(client: &mut Client, bytes: &[u8]) -> (String, String) {
    let columns = there(&bring(client, "acme/newsletter", "people", bytes).await);
    let page = client.get(&columns).await;
    assert_eq!(page.status, 200);
    let text = page.text();
    there(
        &client
            .post(&columns.replace("/columns", "/remove"), &[])
            .await,
    );
    (columns, text)
}

on_both_engines! {
    async fn each_wrong_file_gets_its_own_words(engine: Engine) {
        let world = World::on(engine).await;
        let mut olga = signed_in(&world, "olga", Role::Owner, &[]).await;
        let bomb = Workbook::new()
            .written("xl/worksheets/sheet1.xml", |out| {
                out.write_all(b"<worksheet><sheetData>").unwrap();
                let piece = "<c/>".repeat((1 << 20) / 4);
                for _ in 0..20 {
                    out.write_all(piece.as_bytes()).unwrap();
                }
            })
            .bytes();
        let whole = Workbook::new().rows(&row(1, &["email"])).bytes();
        let cut = &whole[..whole.len() / 2];
        for (bytes, told) in [
            (&b"%PDF-1.7"[..], "This is a PDF; bring the list as CSV or XLSX."),
            (b"\xD0\xCF\x11\xE0old", "save it as .xlsx without one, or as CSV"),
            (b"anna@example.org\nbo@example.org\n", "so it is no header. Put a line with the columns&#39; names in front"),
            (b"email\n", "It has a header and no row behind it"),
            (bomb.as_slice(), "Save it anew with nothing in it but the list"),
            (cut, "save it anew, or bring it again: it may have been cut off"),
        ] {
            let (_, page) = page_of(&mut olga, bytes).await;
            assert!(page.contains(told), "{told}: {page}");
            assert!(page.contains("Bring another file") && !page.contains("Go on to the source"), "{told}: {page}");
        }
        let none = bring(&mut olga, "acme/newsletter", "", b"").await;
        assert!(none.status == 422 && none.text().contains("choose a file first"), "{}", none.text());
        let empty = bring(&mut olga, "acme/newsletter", "people.csv", b"").await;
        assert!(empty.status == 422 && empty.text().contains("it is empty"), "{}", empty.text());
        assert_eq!(std::fs::read_dir(&world.app.config.uploads.folder).unwrap().count(), 0, "nothing of it is left");
        world.finish().await;
    }

    async fn a_thousand_columns_can_be_mapped_and_a_list_without_a_known_address_asks_for_one(engine: Engine) {
        let world = World::on(engine).await;
        let mut olga = signed_in(&world, "olga", Role::Owner, &[]).await;
        let mut names: Vec<String> = (1..=1_000).map(|number| format!("Field {number}")).collect();
        let mut cells = vec![String::new(); 1_000];
        (names[700], cells[700]) = ("Email".to_owned(), "ann@example.org".to_owned());
        (names[900], cells[900]) = ("Bestelnummer klant".to_owned(), "17".to_owned());
        cells[3] = "2026-10-01".to_owned();
        let list = format!("{}\n{}\n", names.join(","), cells.join(","));
        let columns = there(&bring(&mut olga, "acme/newsletter", "wide.csv", list.as_bytes()).await);
        let page = olga.get(&columns).await.text();
        let mut fields = proposed(&page);
        assert_eq!(fields.len(), 40, "those that mean something, and the first of the others");
        assert!(fields.contains(&("c700".to_owned(), "email".to_owned())) && page.contains("960 further columns are left out"), "{page}");
        fields.iter_mut().find(|field| field.0 == "c3").unwrap().1 = "proof.date".to_owned();
        let mut told: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        told.extend([("f1", "900"), ("g1", "proof.order")]);
        let source = there(&olga.post(&columns, &told).await);
        let trial = there(&olga.post(&source, &[("source", "purchase"), ("then", "try")]).await);
        work(&world.app).await;
        let page = olga.get(&trial).await.text();
        assert!(page.contains("<b>1</b> <strong>accepted</strong>") && page.contains("997 columns"), "{page}");

        let odd = b"who,order,date\nann@example.org,1,2026-10-01\n";
        let columns = there(&bring(&mut olga, "acme/newsletter", "odd.csv", odd).await);
        let page = olga.get(&columns).await.text();
        assert!(page.contains("Choose “Address” for the one that does") && page.contains("value=\"proof.order\" selected"), "{page}");
        let told = [("c0", "ignore"), ("c1", "proof.order"), ("c2", "proof.date")];
        assert_eq!(olga.post(&columns, &told).await.status, 422);
        let told = [("c0", "email"), ("c1", "email"), ("c2", "proof.date")];
        let twice = olga.post(&columns, &told).await;
        assert!(twice.status == 422 && twice.text().contains("hold the same: email"), "{}", twice.text());
        let told = [("c0", "email"), ("c1", "proof.order"), ("c2", "proof.date")];
        let source = there(&olga.post(&columns, &told).await);
        // What cannot be a source, a day or a proof is told at its field.
        let nowhere = olga.post(&source, &[("source", "nowhere")]).await;
        assert!(nowhere.status == 422 && nowhere.text().contains("Choose from where the addresses came"));
        let day = olga.post(&source, &[("source", "purchase"), ("obtained_on", "soon")]).await;
        assert!(day.status == 422 && day.text().contains("id=\"e-day\">this is no day"), "{}", day.text());
        world.finish().await;
    }

    async fn a_list_that_is_too_long_or_one_too_many_is_refused_and_leaves_nothing(engine: Engine) {
        let world = World::with(engine, "[upload]\nmegabytes = 1\nat_most = 2\n").await;
        let mut olga = signed_in(&world, "olga", Role::Owner, &[]).await;
        let long = "email\n".to_owned() + &"someone@example.org\n".repeat(70_000);
        let reply = bring(&mut olga, "acme/newsletter", "long.csv", long.as_bytes()).await;
        assert!(reply.status == 413 && reply.text().contains("longer than the 1 MB that this server takes"), "{}", reply.text());
        assert_eq!(std::fs::read_dir(&world.app.config.uploads.folder).unwrap().count(), 0);
        for name in ["one.csv", "two.csv"] {
            there(&bring(&mut olga, "acme/newsletter", name, b"email\na@example.org\n").await);
        }
        let third = bring(&mut olga, "acme/newsletter", "three.csv", b"email\na@example.org\n").await;
        assert!(third.status == 409 && third.text().contains("2 lists wait here already"), "{}", third.text());
        // A body that breaks off in the middle of the file is no file.
        let half = b"--b\r\ncontent-disposition: form-data; name=\"file\"; filename=\"x\"\r\n\r\nemail\na@exa";
        let reply = olga.send("POST", "/admin/new-import", Some("multipart/form-data; boundary=b"), half).await;
        assert_eq!(reply.status, 400, "{}", reply.text());
        assert_eq!(std::fs::read_dir(&world.app.config.uploads.folder).unwrap().count(), 2);
        world.finish().await;
    }

    async fn a_list_that_breaks_off_far_behind_its_beginning_is_told_by_the_trial_and_cannot_be_started(engine: Engine) {
        let world = World::on(engine).await;
        let mut olga = signed_in(&world, "olga", Role::Owner, &[]).await;
        let mut rows = row(1, &["email", "order", "date"]);
        for number in 2..3_000 {
            rows.push_str(&row(number, &[&format!("p{number}@example.org"), "1", "2026-10-01"]));
        }
        // The sheet ends in the middle of a tag.
        let book = Workbook::new().part("xl/worksheets/sheet1.xml", &format!("<worksheet><sheetData>{rows}<row r=\"30")).bytes();
        let trial = crate::jobs::tried(&mut olga, &world.app, &book, &[("source", "purchase")]).await;
        let page = olga.get(&trial).await.text();
        assert!(page.contains("Behind line 2999 the list cannot be read") && page.contains("Nothing was stored"), "{page}");
        assert!(!page.contains("Start the import"), "{page}");
        let start = olga.post(&trial.replace("/trial", "/start"), &[("name", "a")]).await;
        assert_eq!(start.status, 422);
        world.finish().await;
    }
}
