//! Where a contact stands for each purpose, as a table.

use crate::app::find::Story;
use crate::domain::brand::Brand;
use crate::domain::permission::Permission;
use crate::domain::standing::Basis;
use crate::web::admin::table::{Cell, Rows};

/// What stands in front of its names in the page's address: the story has its own.
pub const PREFIX: &str = "purposes_";

const fn tone(permission: &Permission) -> &'static str {
    match (permission.allowed, permission.basis) {
        (true, Basis::Explicit) => "good",
        (true, _) => "wait",
        (false, _) => "plain",
    }
}

/// Whether there is anything to say of use.
fn tells_use(brand: &Brand, story: &Story) -> bool {
    let mut all = story.purposes.iter();
    brand.declared.reconfirm.is_some() || all.any(|one| one.last_use.used_at.is_some())
}

pub fn table(brand: &Brand, story: &Story) -> Rows {
    let (tells_use, is_asked_again) = (tells_use(brand, story), brand.declared.reconfirm.is_some());
    let mut columns = vec!["Purpose", "May be mailed", "Basis", "Rule"];
    columns.extend(tells_use.then_some("Last used"));
    columns.extend(is_asked_again.then_some("Due again"));
    columns.push("Why");
    let rows = story.purposes.iter().map(|one| {
        let permission = &one.permission;
        let word = if permission.allowed { "yes" } else { "no" };
        let mut row = vec![
            Cell::text(one.name.as_str()),
            Cell::State(word.to_owned(), tone(permission)),
            Cell::text(permission.basis.as_str()),
            Cell::Code(permission.rule.to_string()),
        ];
        row.extend(tells_use.then(|| Cell::time(one.last_use.used_at)));
        row.extend(is_asked_again.then(|| Cell::time(one.last_use.due_from)));
        row.push(Cell::text(permission.why.as_str()));
        row
    });
    Rows {
        caption: "Standing per purpose".to_owned(),
        rows: rows.collect(),
        columns: columns.into_iter().map(|name| (name, false)).collect(),
        empty: "The brand has no purpose.".to_owned(),
    }
}
