//! Whom a body names: a contact by its id, or an address.

use uuid::Uuid;

use super::problem::ApiProblem;
use crate::domain::ids::ContactId;

pub enum Who {
    Contact(ContactId),
    /// As it was written.
    Address(String),
}

/// Reads it; `contact` is what the error calls the member of the id.
pub fn who(contact: &str, id: Option<String>, address: Option<String>) -> Result<Who, ApiProblem> {
    match (id, address) {
        (Some(id), None) => {
            let id = Uuid::try_parse(&id);
            let id = id.map_err(|_| ApiProblem::invalid(contact, "It is no id."))?;
            Ok(Who::Contact(ContactId(id)))
        }
        (None, Some(address)) => Ok(Who::Address(address)),
        _ => {
            let detail = "Give either a contact or an address.";
            Err(ApiProblem::invalid(contact, detail))
        }
    }
}
