//! Files that were made to harm (T26, T29).

use std::io::Write;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use countersign::intake::{Options, Rows};
use proptest::prelude::*;

use super::File;
use super::workbook::{Workbook, row};

/// A cell that is mostly air, so that there are few to read in many bytes.
static CELL: LazyLock<String> = LazyLock::new(|| format!("<c{}/>", " ".repeat(4_000)));

/// A part that is this text again and again, until it has so many megabytes.
fn again(out: &mut dyn Write, text: &str, megabytes: usize) {
    let piece = text.repeat((1 << 20) / text.len());
    for _ in 0..megabytes {
        out.write_all(piece.as_bytes()).unwrap();
    }
}

/// Refused with this reason, and soon, even without optimisation.
fn refused(book: Workbook, part: &str) {
    let file = File::of(&book.bytes());
    let started = Instant::now();
    let problem = file.problem();
    assert!(problem.contains(part), "{problem}");
    assert!(
        started.elapsed() < Duration::from_secs(60),
        "{part}: {:?}",
        started.elapsed()
    );
}

#[test]
fn a_sheet_or_a_list_of_texts_that_inflates_without_end_is_refused() {
    let sheet = |text: &'static str, megabytes| {
        Workbook::new().written("xl/worksheets/sheet1.xml", move |out| {
            out.write_all(b"<worksheet><sheetData>").unwrap();
            again(out, text, megabytes);
        })
    };
    // A ratio is looked at from 16 MB on, a single piece from 1 MB on.
    refused(sheet(&CELL, 20), "far more than a sheet");
    refused(sheet(" ", 3), "longer than a cell");
    refused(sheet("<!--", 3), "longer than a cell");
    refused(sheet("<a>", 1), "nested too deeply");
    let strings =
        Workbook::new()
            .rows(&row(1, &["email"]))
            .written("xl/sharedStrings.xml", |out| {
                out.write_all(b"<sst>").unwrap();
                again(out, &CELL, 20);
            });
    refused(strings, "far more than a sheet");
    let relations = Workbook::bare().written("_rels/.rels", |out| again(out, &CELL, 20));
    refused(relations, "far more than a sheet");
    let one = Workbook::new().written("xl/worksheets/sheet1.xml", |out| {
        out.write_all(b"<worksheet><sheetData><row><c t=\"inlineStr\"><is><t>")
            .unwrap();
        again(out, "x", 3);
    });
    refused(one, "longer than a cell");
}

#[test]
fn cells_far_out_cost_nothing_and_cells_outside_of_a_sheet_are_refused() {
    for rows in [
        "<row r=\"1\"><c r=\"XFE1\"><v>1</v></c></row>",
        "<row r=\"1\"><c r=\"ZZZZZZZZZZZZ1\"><v>1</v></c></row>",
        "<row r=\"1\"><c r=\"1\"><v>1</v></c></row>",
        "<row r=\"1048577\"><c r=\"A1048577\"><v>1</v></c></row>",
        "<row r=\"99999999999999999999\"/>",
        "<row r=\"-1\"/>",
    ] {
        refused(Workbook::new().rows(rows), "outside of what a sheet can be");
    }
    let far = format!(
        "{}<row r=\"1048576\"><c r=\"XFD1048576\"><v>1</v></c></row>",
        row(1, &["email"])
    );
    let found = super::flaws(&Workbook::new().rows(&far).bytes());
    assert_eq!(found[0].0, 1_048_576);
    refused(
        Workbook::new().rows("<row r=\"2\"/><row r=\"2\"/>"),
        "not in their order",
    );
}

#[test]
fn entities_and_types_of_documents_are_refused() {
    let with = |text: &str| Workbook::new().part("xl/worksheets/sheet1.xml", text);
    let laughs =
        "<!DOCTYPE a [<!ENTITY b \"bbbb\"><!ENTITY c \"&b;&b;&b;\">]><worksheet>&c;</worksheet>";
    refused(with(laughs), "type of document");
    let unknown =
        "<worksheet><sheetData><row><c t=\"str\"><v>&c;</v></c></row></sheetData></worksheet>";
    refused(with(unknown), "character that there is not");
    refused(with("<worksheet><sheetData><row"), "no XML");
    refused(with("<worksheet><sheetData>"), "ends too early");
}

#[test]
fn more_shared_texts_than_memory_is_given_to_them_are_read_from_a_file() {
    // Not packed at all, so that nothing but the texts themselves is much.
    let last = 34 * 50;
    let point = |line: usize, index: usize| {
        format!("<row r=\"{line}\"><c t=\"s\"><v>{index}</v></c></row>")
    };
    let rows = row(1, &["email"]) + &point(2, last) + &point(3, 0) + &point(4, last - 1);
    let book = Workbook::new()
        .rows(&rows)
        .unpacked("xl/sharedStrings.xml", |out| {
            out.write_all(b"<sst>").unwrap();
            again(out, &format!("<si><t>{}</t></si>", "x".repeat(30_000)), 50);
            out.write_all(b"<si><t>a@example.org</t></si></sst>")
                .unwrap();
        });
    let found = super::cells(&book.bytes());
    assert_eq!(found[1], ["a@example.org"]);
    assert_eq!((found[2][0].len(), found[3][0].len()), (30_000, 30_000));
}

#[test]
fn the_list_of_files_in_a_workbook_may_not_lie() {
    let book = Workbook::new().rows(&row(1, &["email"])).bytes();
    let list = book
        .windows(4)
        .position(|part| part == b"PK\x01\x02")
        .unwrap();
    let end = book
        .windows(4)
        .position(|part| part == b"PK\x05\x06")
        .unwrap();
    let broken = |at: usize, bytes: &[u8]| {
        let mut book = book.clone();
        book[at..at + bytes.len()].copy_from_slice(bytes);
        File::of(&book).problem()
    };
    assert!(broken(end + 10, &[0xFF, 0xFF]).contains("more files than a workbook"));
    assert!(broken(end + 12, &[0xFF; 4]).contains("more files than a workbook"));
    assert!(broken(end + 16, &[0xFF; 4]).contains("cut off"));
    assert!(broken(list, b"XX").contains("broken"));
    assert!(broken(list + 8, &[1, 0]).contains("password"));
    assert!(broken(list + 10, &[99, 0]).contains("unknown way"));
    assert!(broken(list + 42, &[0xF0; 4]).contains("not where its list says"));
}

/// Reads to the end, whatever comes.
fn read_all(bytes: &[u8]) {
    let file = File::of(bytes);
    if let Ok(rows) = Rows::open(&file.path, &Options::default()) {
        assert!(rows.count() < 100_000);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn no_bytes_make_reading_panic(bytes in prop::collection::vec(any::<u8>(), 0..3_000)) {
        read_all(&bytes);
    }

    #[test]
    fn no_text_of_quotes_and_delimiters_makes_reading_panic(text in "[\"\\\\,;\t\r\n \0aäé@=|]{0,400}") {
        read_all(text.as_bytes());
    }

    #[test]
    fn no_damage_to_a_workbook_makes_reading_panic(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
    ) {
        let styles = "<styleSheet><cellXfs><xf numFmtId=\"14\"/></cellXfs></styleSheet>";
        let rows = row(1, &["email"]) + "<row r=\"2\"><c t=\"s\"><v>0</v></c><c s=\"0\"><v>46115</v></c></row>";
        let book = Workbook::new().part("xl/styles.xml", styles).strings("<si><t>a@example.org</t></si>").rows(&rows);
        let mut bytes = book.bytes();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        read_all(&bytes);
    }

    #[test]
    fn no_xml_in_a_sheet_makes_reading_panic(
        pieces in prop::collection::vec(prop::sample::select(vec![
            "<row r=\"1\">", "<row>", "</row>", "<row/>", "<c r=\"B1\" t=\"s\">", "<c t=\"inlineStr\">", "<c>", "<c/>", "</c>",
            "<v>", "</v>", "<is>", "</is>", "<t>", "</t>", "<rPh>", "</rPh>", "1", "x", "&amp;", "_x0041_", "_xD800_", "<", "-1e999",
        ]), 0..40),
    ) {
        let sheet = format!("<worksheet><sheetData>{}", pieces.concat());
        read_all(&Workbook::new().part("xl/worksheets/sheet1.xml", &sheet).bytes());
    }
}
