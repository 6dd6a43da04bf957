//! Notes: what somebody who works with a contact writes down about it.

use super::App;
use super::acted::Acting;
use super::close::{Also, Closing, Ending, Happened, Look};
use crate::domain::brand::Brand;
use crate::domain::event::{Fact, Through};
use crate::domain::ids::ContactId;
use crate::domain::operator::Deed;
use crate::domain::standing::RequestState;
use crate::store::set::Writes;
use crate::store::{StoreError, events};

impl App {
    /// Whose word an operator's event is: the operator's or the key's name, or the command line.
    pub(super) fn name_of(&self, by: Option<&Acting>) -> String {
        by.map_or_else(
            || self.command_line(),
            |acting| acting.operator.name.clone(),
        )
    }

    /// Writes a note into a contact's story; it changes nothing of where the contact stands. `note` was cleaned
    /// (`domain::added::clean_note`). False where the contact is gone. When this returns it is on disk, and so is that it was
    /// written.
    pub async fn write_note(
        &self,
        brand: &Brand,
        contact: ContactId,
        note: &str,
        (by, through): (Option<&Acting>, Through),
    ) -> Result<bool, StoreError> {
        let fact = Fact::OperatorNote {
            by: self.name_of(by),
            through,
            note: note.to_owned(),
        };
        let on = format!("contact {contact} of brand {}", brand.declared.slug);
        let deed = [self.deed_by(by, Deed::NoteWritten, on)?];
        let closing = Closing {
            ending: Ending::None,
            state: RequestState::Left,
            suppress: None,
            request: None,
            report: "",
            look: Look::Nothing,
        };
        let decide = |_: super::close::Under<'_>| Happened::only(vec![fact.clone()]);
        let also = Also {
            request: None,
            write: &|writes: &mut Writes| events::append(writes, &deed),
        };
        let happened = self
            .close_with(brand, contact, closing, decide, also)
            .await?;
        Ok(happened.is_some())
    }
}
