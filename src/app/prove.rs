//! What is kept as proof, taken out again.

use std::collections::HashMap;

use super::App;
use crate::domain::brand::Brand;
use crate::domain::ids::ContactId;
use crate::mail::pack::{dictionary_of, unpack};
use crate::store::{Conn, StoreError, events, mails};

const DAMAGED: StoreError = StoreError::Corrupt("a kept mail");

impl App {
    /// The mails of a contact, byte for byte as the SMTP server took them, by the positions of their events.
    pub async fn mails_as_sent(
        &self,
        brand: &Brand,
        contact: ContactId,
    ) -> Result<Vec<(i64, Vec<u8>)>, StoreError> {
        let mut conn = self.store.read().await?;
        let packed = events::list_mails(&mut conn, brand.id, contact).await?;
        let texts = texts_of(&mut conn, &packed).await?;
        packed
            .iter()
            .map(|(position, packed)| {
                let id = dictionary_of(packed).map_err(|_| DAMAGED)?;
                let text = id.and_then(|id| texts.get(&id)).map(Vec::as_slice);
                Ok((*position, unpack(packed, text).map_err(|_| DAMAGED)?))
            })
            .collect()
    }
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
