//! What is kept as proof, taken out again; and what a bundle says of it to people and to programs.

mod anchors;
pub mod consent_record;
pub mod dossier;
pub mod gather;
pub mod hand_out;
pub mod receipt;
pub mod report;
pub mod select;

use std::collections::HashMap;

use super::App;
use super::close::{Ending, open_requests};
use crate::domain::brand::Brand;
use crate::domain::form::VersionHash;
use crate::domain::ids::ContactId;
use crate::domain::token::veil;
use crate::mail::pack::{dictionary_of, unpack};
use crate::store::{Conn, StoreError, brands, contacts, events, mails};

const DAMAGED: StoreError = StoreError::Corrupt("a kept mail");

impl App {
    /// The page that a form version showed, byte for byte as it was kept; none if there never was such a version.
    pub async fn form_as_shown(&self, version: &VersionHash) -> Result<Option<String>, StoreError> {
        let mut conn = self.store.read().await?;
        let page = brands::find_shown(&mut conn, version.as_str()).await?;
        // Evidence that is not what its name says must not leave.
        match page {
            Some(page) if VersionHash::of_page(page.as_bytes()) != *version => {
                Err(StoreError::Corrupt("a form version's page"))
            }
            page => Ok(page),
        }
    }

    /// The mail that the event at a position tells of, byte for byte as the SMTP server took it; none if there is none such.
    pub async fn mail_as_sent(
        &self,
        brand: &Brand,
        contact: ContactId,
        position: i64,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let mut conn = self.store.read().await?;
        let before = position.saturating_sub(1);
        let found = events::list_whole(&mut conn, brand.id, contact, before, 1).await?;
        let packed = found
            .into_iter()
            .filter(|event| event.position == position)
            .filter_map(|event| Some((event.position, event.mail?)))
            .collect::<Vec<_>>();
        let mails = unpack_all(&mut conn, &packed).await?;
        Ok(mails.into_iter().next().map(|mail| mail.1))
    }

    /// A part of a mail for eyes that may not act for the person: what opens a link, and the code, is not in it.
    pub fn veiled(&self, text: &str) -> String {
        let (mut text, subjects) = veil(text, "hidden-from-your-role");
        for subject in subjects {
            // The code may be of an older key than the link.
            let codes = (0..=u8::MAX).filter_map(|key| self.keys.code(key, subject));
            for code in codes {
                text = text.replace(&code, "(hidden)");
            }
        }
        text
    }

    /// Whether a link or a code that asks the contact something would still work.
    pub async fn is_being_asked(
        &self,
        brand: &Brand,
        contact: ContactId,
    ) -> Result<bool, StoreError> {
        let mut conn = self.store.read().await?;
        let Some(contact) = contacts::find_by_id(&mut conn, brand.id, contact).await? else {
            return Ok(false);
        };
        let now = self.clock.now();
        let open = open_requests(&mut conn, &contact, Ending::All).await?;
        Ok(open.iter().any(|request| now < request.expires_at))
    }

    /// The mails of a contact, byte for byte as the SMTP server took them, by the positions of their events.
    pub async fn mails_as_sent(
        &self,
        brand: &Brand,
        contact: ContactId,
    ) -> Result<Vec<(i64, Vec<u8>)>, StoreError> {
        let mut conn = self.store.read().await?;
        let packed = events::list_mails(&mut conn, brand.id, contact).await?;
        unpack_all(&mut conn, &packed).await
    }
}

/// Packed mails byte for byte as they were sent, each with its position.
pub(super) async fn unpack_all(
    conn: &mut Conn,
    packed: &[(i64, Vec<u8>)],
) -> Result<Vec<(i64, Vec<u8>)>, StoreError> {
    let texts = texts_of(conn, packed).await?;
    packed
        .iter()
        .map(|(position, packed)| {
            let id = dictionary_of(packed).map_err(|_| DAMAGED)?;
            let text = id.and_then(|id| texts.get(&id)).map(Vec::as_slice);
            Ok((*position, unpack(packed, text).map_err(|_| DAMAGED)?))
        })
        .collect()
}

async fn texts_of(
    conn: &mut Conn,
    packed: &[(i64, Vec<u8>)],
) -> Result<HashMap<i64, Vec<u8>>, StoreError> {
    let mut texts = HashMap::new();
    for (_, packed) in packed {
        let Some(id) = dictionary_of(packed).map_err(|_| DAMAGED)? else {
            continue;
        };
        if !texts.contains_key(&id)
            && let Some(text) = mails::find_dictionary(conn, id).await?
        {
            texts.insert(id, text);
        }
    }
    Ok(texts)
}
