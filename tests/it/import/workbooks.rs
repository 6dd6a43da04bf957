//! Workbooks: what people see in cells, which sheet, and what is broken.

use countersign::intake::{Options, Rows};

use super::workbook::{Workbook, row};
use super::{File, cells, flaws, read, words};

#[test]
fn texts_numbers_and_days_are_read_as_people_see_them() {
    let styles = "<styleSheet><numFmts><numFmt numFmtId=\"164\" formatCode=\"00000\"/>\
        <numFmt numFmtId=\"165\" formatCode=\"[$-407]d. mmmm yyyy;@\"/>\
        <numFmt numFmtId=\"166\" formatCode=\"#,##0.00\\ &quot;days&quot;\"/></numFmts>\
        <cellStyleXfs><xf numFmtId=\"14\"/></cellStyleXfs><cellXfs><xf numFmtId=\"0\"/><xf numFmtId=\"14\"/>\
        <xf numFmtId=\"22\"/><xf numFmtId=\"164\"/><xf numFmtId=\"165\"/><xf numFmtId=\"166\"/></cellXfs></styleSheet>";
    let rows = "<row r=\"1\"><c r=\"A1\" t=\"s\"><v>0</v></c><c r=\"B1\" t=\"s\"><v>1</v></c><c r=\"J1\" t=\"s\"><v>1</v></c></row>\
        <row r=\"3\"><c r=\"A3\" t=\"str\"><f>A1&amp;\"x\"</f><v>a@example.org</v></c><c r=\"B3\" s=\"1\"><v>46115</v></c>\
        <c r=\"C3\" s=\"2\"><v>46115.75</v></c><c r=\"D3\" s=\"3\"><v>42</v></c><c r=\"E3\" s=\"4\"><v>46115</v></c>\
        <c r=\"F3\" s=\"5\"><v>1.5</v></c><c r=\"G3\"><v>0.10000000000000001</v></c><c r=\"H3\" t=\"b\"><v>1</v></c>\
        <c r=\"I3\"><v>1001</v></c><c r=\"J3\" t=\"inlineStr\"><is><t>_x000D_ok</t></is></c></row>";
    let strings = "<si><t>email</t></si><si><r><t>a </t></r><r><t>&lt;rich&gt; &#252;</t></r><rPh><t>no</t></rPh></si>";
    let book = Workbook::new()
        .part("xl/styles.xml", styles)
        .strings(strings)
        .rows(rows)
        .bytes();
    let found = read(&book);
    assert_eq!(found[0].as_ref().unwrap().cells[1], "a <rich> ü");
    let third = found[1].as_ref().unwrap();
    assert_eq!(third.line, 3);
    assert_eq!(
        third.cells,
        words([
            "a@example.org",
            "2026-04-03",
            "2026-04-03 18:00:00",
            "00042",
            "2026-04-03",
            "1.5",
            "0.1",
            "TRUE",
            "1001",
            "\rok"
        ])
    );
}

#[test]
fn a_workbook_of_the_other_calendar_counts_from_1904() {
    let styles = "<styleSheet><cellXfs><xf numFmtId=\"14\"/></cellXfs></styleSheet>";
    let rows = "<row><c t=\"inlineStr\"><is><t>email</t></is></c></row><row><c s=\"0\"><v>44653</v></c></row>";
    let book = Workbook::with_book("<workbookPr date1904=\"1\"/>", &["One"])
        .part("xl/styles.xml", styles)
        .rows(rows)
        .bytes();
    assert_eq!(cells(&book)[1], words(["2026-04-03"]));
}

#[test]
fn the_first_visible_sheet_is_read_unless_another_one_is_named() {
    let second = |text: &str| {
        format!(
            "<worksheet><sheetData>{}</sheetData></worksheet>",
            row(1, &[text])
        )
    };
    let book = Workbook::with_book("", &[".Old", "Contacts", "More"])
        .rows(&row(1, &["hidden"]))
        .part("xl/worksheets/sheet2.xml", &second("email"))
        .part("xl/worksheets/sheet3.xml", &second("mail"))
        .bytes();
    let file = File::of(&book);
    assert_eq!(
        file.open().about(),
        "XLSX, sheet \"Contacts\" (2 more: --sheet NAME)"
    );
    assert_eq!(file.open().header().unwrap().cells, ["email"]);
    let named = |name: &str| {
        Rows::open(
            &file.path,
            &Options {
                sheet: Some(name.to_owned()),
                ..Options::default()
            },
        )
    };
    assert_eq!(named("More").unwrap().header().unwrap().cells, ["mail"]);
    assert_eq!(named(".Old").unwrap().header().unwrap().cells, ["hidden"]);
    let problem = named("None").err().unwrap().to_string();
    assert!(problem.contains("Contacts, More, .Old"), "{problem}");
    let options = Options {
        delimiter: Some(b';'),
        ..Options::default()
    };
    assert!(
        Rows::open(&file.path, &options)
            .err()
            .unwrap()
            .to_string()
            .contains("workbook")
    );
    let text = File::of(b"email\n");
    let options = Options {
        sheet: Some("x".to_owned()),
        ..Options::default()
    };
    assert!(
        Rows::open(&text.path, &options)
            .err()
            .unwrap()
            .to_string()
            .contains("text")
    );
}

#[test]
fn tags_may_have_prefixes_and_a_sheet_may_be_kept_unpacked() {
    let rows = "<x:worksheet xmlns:x=\"m\"><x:sheetData><x:row r=\"1\"><x:c r=\"A1\" t=\"inlineStr\"><x:is><x:t>email</x:t>\
        </x:is></x:c></x:row></x:sheetData></x:worksheet>";
    let book = Workbook::new()
        .unpacked("xl/worksheets/sheet1.xml", |out| {
            out.write_all(rows.as_bytes()).unwrap();
        })
        .bytes();
    assert_eq!(cells(&book), [words(["email"])]);
}

#[test]
fn a_cell_that_points_nowhere_or_is_too_long_breaks_its_row_only() {
    let long = "x".repeat(200_000);
    let rows = format!(
        "{}<row r=\"2\"><c t=\"s\"><v>9</v></c></row><row r=\"3\"><c t=\"inlineStr\"><is><t>{long}</t></is></c></row>\
         <row r=\"4\"><c t=\"s\"><v>1</v></c></row><row r=\"5\"><c r=\"XFD5\"><v>1</v></c></row>{}{}",
        row(1, &["email"]),
        row(6, &["a@example.org", "more than the header"]),
        row(7, &["b@example.org"]),
    );
    let strings = format!("<si><t>short</t></si><si><t>{long}</t></si>");
    let book = Workbook::new().strings(&strings).rows(&rows).bytes();
    let lines: Vec<u64> = flaws(&book).iter().map(|flaw| flaw.0).collect();
    assert_eq!(lines, [2, 3, 4, 5, 6]);
    assert_eq!(cells_of_last(&book), words(["b@example.org"]));
}

fn cells_of_last(book: &[u8]) -> Vec<String> {
    read(book).pop().unwrap().unwrap().cells
}

#[test]
fn other_containers_are_named_for_what_they_are() {
    for (book, part) in [
        (
            Workbook::bare().part("list.csv", "email\n"),
            "unpack the CSV",
        ),
        (Workbook::bare().part("xl/workbook.bin", ""), ".xlsb"),
        (Workbook::new(), "its sheet is not there"),
        (Workbook::with_book("", &[]), "it has no sheet"),
    ] {
        let problem = File::of(&book.bytes()).problem();
        assert!(problem.contains(part), "{problem}");
    }
}

#[test]
fn a_workbook_that_is_cut_off_is_refused_wherever_it_was_cut() {
    let book = Workbook::new()
        .strings("<si><t>email</t></si>")
        .rows(&row(1, &["email"]))
        .bytes();
    for end in 2..book.len() {
        let problem = File::of(&book[..end]).problem();
        assert!(problem.contains("cut off"), "at {end}: {problem}");
    }
}
