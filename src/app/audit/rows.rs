//! One event's row: its columns, its mail and its circumstances against what its body says of them.

use std::borrow::Cow;
use std::collections::HashMap;

use serde::Deserialize;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::domain::event::ClockReading;
use crate::domain::hex::hex;
use crate::domain::time::Timestamp;
use crate::mail::pack::{dictionary_of, unpack};
use crate::store::events::AuditedEvent;
use crate::store::{Conn, StoreError, mails};

/// What a body says that stands elsewhere too.
#[derive(Deserialize)]
struct Named<'a> {
    brand: Uuid,
    contact: Uuid,
    at: Timestamp,
    #[serde(borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    circumstances_sha256: Option<Cow<'a, str>>,
    #[serde(borrow)]
    mail_sha256: Option<Cow<'a, str>>,
    form_version: Option<String>,
    #[serde(default)]
    clock: ClockReading,
}

/// What is wrong with a row, and what it says that the audit goes on with.
#[derive(Default)]
pub(super) struct Read {
    pub problems: Vec<String>,
    pub form_version: Option<String>,
    /// The circumstances that it names are not there.
    pub hides_circumstances: bool,
    /// How far the clock was ahead of an authority's, as the event says.
    pub ahead_micros: Option<i64>,
}

/// Unpacks mails, with the common texts that it has met.
#[derive(Default)]
pub(super) struct Unpacker {
    texts: HashMap<i64, Option<Vec<u8>>>,
}

impl Unpacker {
    async fn unpacked(
        &mut self,
        conn: &mut Conn,
        packed: &[u8],
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let Ok(id) = dictionary_of(packed) else {
            return Ok(None);
        };
        if let Some(id) = id
            && !self.texts.contains_key(&id)
        {
            self.texts
                .insert(id, mails::find_dictionary(conn, id).await?);
        }
        let text = id.and_then(|id| self.texts.get(&id)).cloned().flatten();
        Ok(unpack(packed, text.as_deref()).ok())
    }
}

pub(super) async fn check(
    conn: &mut Conn,
    event: &AuditedEvent,
    unpacker: &mut Unpacker,
) -> Result<Read, StoreError> {
    let mut read = Read::default();
    let Some(body) = event.body.as_deref() else {
        return Ok(read);
    };
    let Ok(named) = serde_json::from_str::<Named>(body) else {
        read.problems.push("it cannot be read".to_owned());
        return Ok(read);
    };
    for (column, fits) in [
        ("brand_id", named.brand == event.brand_id.0),
        ("contact_id", named.contact == event.contact_id.0),
        ("kind", named.kind == event.kind),
        ("at", named.at == event.at),
    ] {
        if !fits {
            read.problems
                .push(format!("its column {column} was changed"));
        }
    }
    read.hides_circumstances =
        event.circumstances.is_none() && named.circumstances_sha256.is_some();
    if let Some(circumstances) = &event.circumstances
        && named.circumstances_sha256.as_deref() != Some(&*sha256(circumstances.as_bytes()))
    {
        read.problems
            .push("its circumstances were changed".to_owned());
    }
    read.problems
        .extend(check_mail(conn, event, &named, unpacker).await?);
    read.form_version = named.form_version;
    read.ahead_micros = named.clock.ahead_micros;
    Ok(read)
}

async fn check_mail(
    conn: &mut Conn,
    event: &AuditedEvent,
    named: &Named<'_>,
    unpacker: &mut Unpacker,
) -> Result<Option<String>, StoreError> {
    let problem = match (&named.mail_sha256, &event.mail) {
        (None, None) => None,
        (None, Some(_)) => Some("it has a mail that it does not tell of"),
        (Some(_), None) => Some("its mail was removed"),
        (Some(named), Some(packed)) => match unpacker.unpacked(conn, packed).await? {
            Some(mail) if *sha256(&mail) == **named => None,
            _ => Some("its mail was changed"),
        },
    };
    Ok(problem.map(ToOwned::to_owned))
}

fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}
