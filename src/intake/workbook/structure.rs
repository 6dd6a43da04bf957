//! Which sheets a workbook has, and where they are.

use std::collections::HashMap;

use super::super::limits::{SHEETS, STYLES};
use super::super::problem::FileProblem;
use super::directory::Directory;
use super::xml::{Node, Xml, attribute};

pub struct Structure {
    /// Names and paths, visible ones first.
    pub sheets: Vec<(String, String)>,
    pub strings: Option<String>,
    pub styles: Option<String>,
    pub from_1904: bool,
}

const NO_WORKBOOK: FileProblem = FileProblem::OtherKind(
    "this is a ZIP but no XLSX workbook; save the sheet as .xlsx, or unpack the CSV in it",
);

/// Files that one file points to: by id, with type and path.
struct Relation {
    kind: String,
    path: String,
}

impl Structure {
    pub fn read(directory: &Directory) -> Result<Self, FileProblem> {
        if directory.find("xl/workbook.bin").is_some() {
            let says = "this is a binary workbook (.xlsb); save it as .xlsx or CSV";
            return Err(FileProblem::OtherKind(says));
        }
        let book = relations(directory, "_rels/.rels", "")?
            .into_values()
            .find(|one| one.kind.ends_with("/officeDocument"))
            .map(|one| one.path)
            .ok_or(NO_WORKBOOK)?;
        let (folder, name) = book.rsplit_once('/').unwrap_or(("", &book));
        let relations = relations(directory, &format!("{folder}/_rels/{name}.rels"), folder)?;
        let of_kind = |ending: &str| {
            let mut found = relations.values().filter(|one| one.kind.ends_with(ending));
            found.next().map(|one| one.path.clone())
        };
        let mut structure = Self {
            sheets: Vec::new(),
            strings: of_kind("/sharedStrings"),
            styles: of_kind("/styles"),
            from_1904: false,
        };
        structure.read_book(directory, &book, &relations)?;
        Ok(structure)
    }

    fn read_book(
        &mut self,
        directory: &Directory,
        book: &str,
        relations: &HashMap<String, Relation>,
    ) -> Result<(), FileProblem> {
        let mut xml = Xml::open(directory, book)?.ok_or(NO_WORKBOOK)?;
        let mut hidden = Vec::new();
        loop {
            match xml.next()? {
                Node::Begin { tag, .. } if tag.local_name().as_ref() == "workbookPr" => {
                    let value = attribute(&tag, "date1904");
                    self.from_1904 = matches!(value.as_deref(), Some("1" | "true"));
                }
                Node::Begin { tag, .. } if tag.local_name().as_ref() == "sheet" => {
                    let name = attribute(&tag, "name").unwrap_or_default().into_owned();
                    let relation = attribute(&tag, "id").and_then(|id| relations.get(&*id));
                    // Sheets of charts hold no cells.
                    if let Some(one) = relation.filter(|one| one.kind.ends_with("/worksheet")) {
                        let shown = attribute(&tag, "state").is_none_or(|state| state == "visible");
                        let list = if shown { &mut self.sheets } else { &mut hidden };
                        list.push((name, one.path.clone()));
                    }
                    if self.sheets.len() + hidden.len() > SHEETS {
                        return Err(FileProblem::TooMuch("it has more than 1,000 sheets"));
                    }
                }
                Node::Over => break,
                _ => {}
            }
        }
        self.sheets.append(&mut hidden);
        Ok(())
    }

    /// The sheet of that name; without one, the first that is visible.
    pub fn sheet(&self, wanted: Option<&str>) -> Result<&(String, String), FileProblem> {
        let found = match wanted {
            None => self.sheets.first(),
            Some(name) => self.sheets.iter().find(|sheet| sheet.0 == name),
        };
        found.ok_or_else(|| {
            let has: Vec<String> = self
                .sheets
                .iter()
                .take(20)
                .map(|sheet| sheet.0.escape_debug().to_string())
                .collect();
            FileProblem::NoSuchSheet {
                wanted: wanted.unwrap_or_default().to_owned(),
                has: if has.is_empty() {
                    "none".to_owned()
                } else {
                    has.join(", ")
                },
            }
        })
    }
}

/// ECMA-376, part 2, section 6.5. Paths are meant from the folder of the file that points, or from the root.
fn relations(
    directory: &Directory,
    path: &str,
    folder: &str,
) -> Result<HashMap<String, Relation>, FileProblem> {
    let mut xml = Xml::open(directory, path)?.ok_or(NO_WORKBOOK)?;
    let mut found = HashMap::new();
    loop {
        match xml.next()? {
            Node::Begin { tag, .. } if tag.local_name().as_ref() == "Relationship" => {
                let text = |name| attribute(&tag, name).unwrap_or_default().into_owned();
                let target = text("Target");
                let path = match target.strip_prefix('/') {
                    Some(from_root) => from_root.to_owned(),
                    None if folder.is_empty() => target,
                    None => format!("{folder}/{target}"),
                };
                let kind = text("Type");
                found.insert(text("Id"), Relation { kind, path });
                if found.len() > STYLES {
                    return Err(FileProblem::TooMuch("its files point to too many others"));
                }
            }
            Node::Over => return Ok(found),
            _ => {}
        }
    }
}
