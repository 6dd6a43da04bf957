//! Makes workbooks for tests, good ones and harmful ones, part by part.

use std::io::{Cursor, Write};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

pub struct Workbook {
    zip: ZipWriter<Cursor<Vec<u8>>>,
}

const TYPES: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";

pub fn relations(list: &[(&str, &str, &str)]) -> String {
    let each = list.iter().map(|(id, kind, target)| {
        format!("<Relationship Id=\"{id}\" Type=\"{TYPES}/{kind}\" Target=\"{target}\"/>")
    });
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Relationships>{}</Relationships>",
        each.collect::<String>()
    )
}

impl Workbook {
    /// An empty container.
    pub fn bare() -> Self {
        Self {
            zip: ZipWriter::new(Cursor::new(Vec::new())),
        }
    }

    /// Everything but the sheet itself, the shared texts and the formats.
    pub fn new() -> Self {
        Self::with_book("<workbookPr/>", &["Contacts"])
    }

    pub fn with_book(properties: &str, sheets: &[&str]) -> Self {
        let names: String = (1..)
            .zip(sheets)
            .map(|(at, name)| {
                let state = if name.starts_with('.') {
                    " state=\"hidden\""
                } else {
                    ""
                };
                format!("<sheet name=\"{name}\" sheetId=\"{at}\"{state} r:id=\"rId{at}\"/>")
            })
            .collect();
        let book = format!(
            "<workbook xmlns:r=\"{TYPES}\">{properties}<sheets>{names}</sheets></workbook>"
        );
        let mut list: Vec<(String, &str, String)> = (1..=sheets.len())
            .map(|at| {
                (
                    format!("rId{at}"),
                    "worksheet",
                    format!("worksheets/sheet{at}.xml"),
                )
            })
            .collect();
        list.push((
            "s".to_owned(),
            "sharedStrings",
            "sharedStrings.xml".to_owned(),
        ));
        list.push(("f".to_owned(), "styles", "/xl/styles.xml".to_owned()));
        let list: Vec<_> = list
            .iter()
            .map(|(id, kind, target)| (id.as_str(), *kind, target.as_str()))
            .collect();
        Self::bare()
            .part(
                "_rels/.rels",
                &relations(&[("rId1", "officeDocument", "xl/workbook.xml")]),
            )
            .part("xl/workbook.xml", &book)
            .part("xl/_rels/workbook.xml.rels", &relations(&list))
    }

    pub fn part(self, path: &str, text: &str) -> Self {
        self.written(path, |out| out.write_all(text.as_bytes()).unwrap())
    }

    /// A part that is never in memory as a whole.
    pub fn written(self, path: &str, write: impl FnOnce(&mut dyn Write)) -> Self {
        self.add(path, CompressionMethod::Deflated, write)
    }

    pub fn unpacked(self, path: &str, write: impl FnOnce(&mut dyn Write)) -> Self {
        self.add(path, CompressionMethod::Stored, write)
    }

    fn add(
        mut self,
        path: &str,
        method: CompressionMethod,
        write: impl FnOnce(&mut dyn Write),
    ) -> Self {
        let options = SimpleFileOptions::default().compression_method(method);
        self.zip.start_file(path, options).unwrap();
        write(&mut self.zip);
        self
    }

    pub fn rows(self, rows: &str) -> Self {
        self.part(
            "xl/worksheets/sheet1.xml",
            &format!("<worksheet><sheetData>{rows}</sheetData></worksheet>"),
        )
    }

    pub fn strings(self, items: &str) -> Self {
        self.part("xl/sharedStrings.xml", &format!("<sst>{items}</sst>"))
    }

    pub fn bytes(self) -> Vec<u8> {
        self.zip.finish().unwrap().into_inner()
    }
}

/// A row of texts that stand in the cells themselves.
pub fn row(number: u64, cells: &[&str]) -> String {
    let cells: String = cells
        .iter()
        .map(|text| format!("<c t=\"inlineStr\"><is><t>{text}</t></is></c>"))
        .collect();
    format!("<row r=\"{number}\">{cells}</row>")
}
