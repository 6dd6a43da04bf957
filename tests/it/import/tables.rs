//! Text: encodings, dialects, broken lines.

use countersign::intake::{FileProblem, Options, Rows};
use proptest::prelude::*;

use super::{File, cells, flaws, read, words};

fn utf16(text: &str, little: bool, mark: bool) -> Vec<u8> {
    let mark = mark.then_some('\u{feff}');
    let text: String = mark.into_iter().chain(text.chars()).collect();
    let bytes = |unit: u16| {
        if little {
            unit.to_le_bytes()
        } else {
            unit.to_be_bytes()
        }
    };
    text.encode_utf16().flat_map(bytes).collect()
}

fn about(bytes: &[u8]) -> String {
    File::of(bytes).open().about()
}

#[test]
fn the_same_list_is_read_from_every_common_encoding() {
    let text = "email,name\nanna@example.org,Zoë\njosé@example.org,Žižek\n";
    let expected = vec![
        words(["email", "name"]),
        words(["anna@example.org", "Zoë"]),
        words(["josé@example.org", "Žižek"]),
    ];
    let marked = [b"\xEF\xBB\xBF", text.as_bytes()].concat();
    let windows = encoding_rs::WINDOWS_1252.encode(text).0.into_owned();
    for (name, bytes) in [
        ("UTF-8", text.as_bytes().to_vec()),
        ("UTF-8", marked),
        ("UTF-16LE", utf16(text, true, true)),
        ("UTF-16BE", utf16(text, false, true)),
        ("UTF-16LE", utf16(text, true, false)),
        ("UTF-16BE", utf16(text, false, false)),
        ("windows-1252", windows),
    ] {
        assert_eq!(about(&bytes), format!("CSV, {name}, delimiter \",\""));
        assert_eq!(cells(&bytes), expected, "{name}");
    }
}

#[test]
fn a_letter_far_down_in_the_file_still_decides_its_encoding() {
    let plain = "email,name\n".to_owned() + &"a@example.org,Ann\n".repeat(20_000);
    let late = [plain.as_bytes(), b"z@example.org,Zo\xEB\n"].concat();
    let rows = cells(&late);
    assert_eq!(rows.last().unwrap(), &words(["z@example.org", "Zoë"]));
}

#[test]
fn one_wrong_byte_in_a_text_of_utf_8_does_not_spoil_the_other_lines() {
    let bytes = "email,name\na@example.org,Zoë\nb@example.org,Chloé\n".as_bytes();
    let rows = cells(&[bytes, b"c@example.org,\xFF\n"].concat());
    assert_eq!(rows[2], words(["b@example.org", "Chloé"]));
    assert_eq!(rows[3], words(["c@example.org", "\u{fffd}"]));
}

#[test]
fn a_letter_that_lies_across_two_pieces_of_the_file_is_one_letter() {
    for shift in 0..4 {
        let text = format!(
            "{}email,name\n{}",
            "x".repeat(shift),
            "a@example.org,Žoë€𝄞\n".repeat(20_000)
        );
        assert!(
            about(text.as_bytes()).contains("UTF-8"),
            "shifted by {shift}"
        );
        let rows = cells(text.as_bytes());
        assert!(rows.iter().skip(1).all(|row| row[1] == "Žoë€𝄞"));
    }
}

#[test]
fn an_encoding_that_is_told_is_taken() {
    let file = File::of("email;name\na@example.org;Łódź\n".as_bytes());
    let told = Options {
        encoding: Some(Options::encoding("iso-8859-2").unwrap()),
        ..Options::default()
    };
    let rows: Vec<_> = Rows::open(&file.path, &told).unwrap().collect();
    assert_ne!(rows[1].as_ref().unwrap().as_ref().unwrap().cells[1], "Łódź");
    assert!(Options::encoding("klingon").unwrap_err().contains("utf-8"));
}

#[test]
fn the_delimiter_is_found_even_where_cells_hold_the_others() {
    for (text, delimiter) in [
        ("email,name\na@example.org,\"x;y;z\"\n", "\",\""),
        (
            "email;name\na@example.org;Doe, John\nb@example.org;Roe, Jane\n",
            "\";\"",
        ),
        ("email\tname\na@example.org\tx,y\n", "tab"),
        ("email|name\na@example.org|x\n", "\"|\""),
        ("email\na@example.org\nb@example.org\n", "\",\""),
        ("email\na@example.org\n\"Doe, John; and others\"\n", "\",\""),
        ("sep=;\r\nemail;name\r\na@example.org;x\r\n", "\";\""),
    ] {
        let found = about(text.as_bytes());
        assert!(found.ends_with(&format!("delimiter {delimiter}")), "{text}");
    }
    let said = cells(b"sep=;\r\nemail;name\r\na@example.org;x\r\n");
    assert_eq!(said[0], words(["email", "name"]));
    assert_eq!(
        read(b"sep=;\r\nemail;name\r\na@b.org;x\r\n")[1]
            .as_ref()
            .unwrap()
            .line,
        3
    );
    let told = Options {
        delimiter: Some(Options::delimiter("#").unwrap()),
        ..Options::default()
    };
    let file = File::of(b"email#name\na@example.org#x,y\n");
    assert!(
        Rows::open(&file.path, &told)
            .unwrap()
            .about()
            .contains("\"#\"")
    );
    assert!(Options::delimiter("\"").is_err() && Options::delimiter("ab").is_err());
}

#[test]
fn quoted_cells_hold_line_ends_quotes_and_delimiters() {
    let text =
        "email,notes\r\na@example.org,\"one\r\ntwo, \"\"three\"\"\"\r\nb@example.org, \"x, y\" \n";
    let rows: Vec<_> = read(text.as_bytes())
        .into_iter()
        .map(Result::unwrap)
        .collect();
    assert_eq!(
        rows[1].cells,
        words(["a@example.org", "one\r\ntwo, \"three\""])
    );
    assert_eq!(rows[2].cells, words(["b@example.org", "x, y"]));
    assert_eq!((rows[1].line, rows[2].line), (2, 4));
    let escaped = cells(b"email,notes\na@example.org,\"a \\\"b\\\" c\"\n");
    assert_eq!(escaped[1][1], "a \"b\" c");
}

#[test]
fn lines_may_end_in_any_way_and_blank_ones_are_left_out_but_counted() {
    for end in ["\n", "\r\n", "\r"] {
        let text = ["email,x", "a@example.org,1", "", " , ", "b@example.org,2"].join(end);
        let rows: Vec<_> = read(text.as_bytes())
            .into_iter()
            .map(Result::unwrap)
            .collect();
        let lines: Vec<u64> = rows.iter().map(|row| row.line).collect();
        assert_eq!(lines, [1, 2, 5], "{end:?}");
    }
}

#[test]
fn a_broken_line_is_told_with_its_number_and_reading_goes_on_behind_it() {
    let text = "email,name\n\"a@example.org,Ann\nb@example.org,Bob\n\"c@example.org\" x,Cy\nd@example.org,D\0\n\
                e@example.org,Eve,one more\nf@example.org,Fay\n";
    let kept: Vec<String> = read(text.as_bytes())
        .into_iter()
        .flatten()
        .map(|row| row.cells[0].clone())
        .collect();
    assert_eq!(kept, ["email", "b@example.org", "f@example.org"]);
    let found = flaws(text.as_bytes());
    let lines: Vec<u64> = found.iter().map(|flaw| flaw.0).collect();
    assert_eq!(lines, [2, 4, 5, 6]);
    for (at, part) in [
        "quote",
        "closing quote",
        "NUL",
        "more cells than the header",
    ]
    .into_iter()
    .enumerate()
    {
        assert!(found[at].1.contains(part), "{:?}", found[at]);
    }
    let unclosed = flaws(b"email\na@example.org\n\"b@example.org\n");
    assert_eq!(
        unclosed,
        [(3, "a quote is opened and never closed".to_owned())]
    );
}

#[test]
fn cells_and_lines_that_are_too_long_are_told_and_the_next_line_is_read() {
    let long = "x".repeat(2_000_000);
    let text = format!(
        "email,notes\na@example.org,{long}\nb@example.org,\"{long}\"\nc@example.org,fine\n"
    );
    let found = flaws(text.as_bytes());
    assert_eq!(found.len(), 2);
    assert!(found.iter().all(|flaw| flaw.1.contains("longer than")));
    assert_eq!(
        read(text.as_bytes())
            .last()
            .unwrap()
            .as_ref()
            .unwrap()
            .cells[1],
        "fine"
    );
    let wide = format!("email,notes\n{}\nc@example.org,fine\n", ",".repeat(5_000));
    assert_eq!(flaws(wide.as_bytes()).len(), 1);
}

#[test]
fn a_thousand_columns_are_read_and_blank_cells_behind_the_header_do_not_matter() {
    let header: Vec<String> = (0..999).map(|at| format!("c{at}")).collect();
    let text = format!(
        "email,{}\na@example.org,{}last,,\nb@example.org\n",
        header.join(","),
        ",".repeat(998)
    );
    let rows = cells(text.as_bytes());
    assert_eq!(
        (rows[0].len(), rows[1].len(), rows[2].len()),
        (1_000, 1_000, 1)
    );
    assert_eq!(rows[1][999], "last");
}

#[test]
fn what_is_no_table_is_named_for_what_it_is() {
    for (bytes, part) in [
        (&b""[..], "it is empty"),
        (b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", ".xls"),
        (b"%PDF-1.7 ...", "PDF"),
        (b"\x1F\x8B\x08\0\0\0", "gunzip"),
        (b"SQLite format 3\0....", "SQLite"),
        (b"<!DOCTYPE html><html></html>", "web page"),
        (b"\xFF\xFE\0\0a\0\0\0", "UTF-32"),
    ] {
        let problem = File::of(bytes).problem();
        assert!(problem.contains(part), "{problem}");
    }
    let mut blank = File::of(b"\n\n , \n").open();
    assert!(matches!(blank.header(), Err(FileProblem::Empty)));
    let mut broken = File::of(b"\"email\na@example.org\n").open();
    assert!(matches!(broken.header(), Err(FileProblem::Header(1, _))));
}

#[test]
fn a_table_that_is_cut_off_anywhere_gives_its_whole_lines_as_they_were() {
    let text = "email,name\na@example.org,Zoë\nb@example.org,\"B\nB\"\nc@example.org,Cy\n";
    let whole = cells(text.as_bytes());
    for end in 1..text.len() {
        let rows = read(&text.as_bytes()[..end]);
        let complete = rows
            .iter()
            .flatten()
            .filter(|row| whole.contains(&row.cells));
        // Whatever is cut, what stood on whole lines before is there, and at most two rows are not as they were.
        assert!(complete.count() + 2 >= rows.len(), "cut at {end}");
    }
}

proptest! {
    #[test]
    fn what_another_program_writes_is_read_as_it_was(
        rows in prop::collection::vec(prop::collection::vec("[ -~\n\r\"äöü€]{0,12}", 3), 1..8),
        delimiter in prop::sample::select(vec![b',', b';', b'\t']),
    ) {
        let mut writer = csv::WriterBuilder::new().delimiter(delimiter).quote_style(csv::QuoteStyle::Always).from_writer(Vec::new());
        writer.write_record(["email", "b", "c"]).unwrap();
        for row in &rows {
            writer.write_record(row).unwrap();
        }
        let file = File::of(&writer.into_inner().unwrap());
        let told = Options { delimiter: Some(delimiter), ..Options::default() };
        let read: Vec<Vec<String>> = Rows::open(&file.path, &told).unwrap().map(|row| row.unwrap().unwrap().cells).collect();
        // A quote behind a backslash has two readings; what every program writes is the doubled one.
        let written: Vec<Vec<String>> = rows.into_iter().filter(|row| row.iter().any(|cell| !cell.trim().is_empty())).collect();
        prop_assert_eq!(&read[1..], &written[..]);
    }
}
