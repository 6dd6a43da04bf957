//! Step 10: the mails as the SMTP server took them, and the links in them.

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use mail_parser::{HeaderName, Message, MessageParser, PartType};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::entry::Entry;
use super::name;
use super::opener;
use super::problem::{BundleProblem, Step};
use crate::domain::hex::hex;
use crate::ledger::archive::Views;

/// The longest mail that is parsed.
const MAIL_AT_MOST: usize = 16 << 20;
/// Links to confirm that are looked at in one mail.
const LINKS_AT_MOST: usize = 100;

/// The requests that a mail's links stand for.
pub type Linked = Vec<Uuid>;

/// Checks every mail; answers with the links of each by its event's number.
pub fn check(
    files: &Views<'_>,
    entries: &[Entry],
) -> Result<BTreeMap<usize, Linked>, BundleProblem> {
    let mut found = BTreeMap::new();
    for entry in entries.iter().filter(|entry| entry.is("mail_accepted")) {
        let file = name::mail(entry.number);
        let mail = files.get(&file).ok_or_else(|| {
            let what = format!("it is missing, and {} tells of it", entry.file());
            Step::Mails.wrong(&file, what)
        })?;
        let linked =
            check_mail(entry, entries, mail).map_err(|what| Step::Mails.wrong(&file, what))?;
        found.insert(entry.number, linked);
    }
    let mut there = files
        .keys()
        .filter_map(|file| name::number(file, "mails", "eml"));
    match there.find(|number| !found.contains_key(number)) {
        Some(number) => {
            let what = "there is no mail_accepted event of this number";
            Err(Step::Mails.wrong(name::mail(number), what))
        }
        None => Ok(found),
    }
}

fn check_mail(entry: &Entry, entries: &[Entry], mail: &[u8]) -> Result<Linked, String> {
    if mail.len() > MAIL_AT_MOST {
        return Err("it is larger than 16 MB".to_owned());
    }
    if entry.text("mail_sha256") != Some(&hex(&Sha256::digest(mail))) {
        return Err(format!(
            "its SHA-256 is not the mail_sha256 of {}",
            entry.file()
        ));
    }
    let message = MessageParser::default()
        .parse(mail)
        .ok_or("it cannot be read as a mail")?;
    let message_id = single(&message, HeaderName::MessageId)
        .then(|| message.message_id())
        .flatten();
    let expected = entry.text("message_id").map(bare);
    if message_id.is_none() || message_id.map(bare) != expected {
        return Err(format!(
            "its Message-ID is not the message_id of {}",
            entry.file()
        ));
    }
    check_recipient(entry, entries, &message)?;
    Ok(linked(&message))
}

fn bare(id: &str) -> &str {
    id.trim_start_matches('<').trim_end_matches('>')
}

/// Whether a header stands there once: of two, each reader might show another.
fn single(message: &Message<'_>, header: HeaderName<'static>) -> bool {
    let headers = message.headers();
    headers.iter().filter(|found| found.name == header).count() == 1
}

fn check_recipient(entry: &Entry, entries: &[Entry], message: &Message<'_>) -> Result<(), String> {
    let Some(request) = entry.request else {
        return Ok(());
    };
    let opener = opener::of(entries, request)
        .map_err(|what| format!("it is of {}, and {what}", entry.file()))?;
    let wanted = opener.text("address").map(comparable);
    let addressed = single(message, HeaderName::To)
        .then(|| message.to())
        .flatten();
    let holds = addressed.is_some_and(|to| {
        to.iter()
            .any(|to| to.address().map(comparable) == wanted && wanted.is_some())
    });
    if holds {
        Ok(())
    } else {
        Err(format!("its To is not the address of {}", opener.file()))
    }
}

/// Domains may be written in Unicode or in ASCII (RFC 5890), in either case.
fn comparable(address: &str) -> String {
    match address.rsplit_once('@') {
        Some((local, domain)) => {
            let domain =
                idna::domain_to_ascii(domain).unwrap_or_else(|_| domain.to_ascii_lowercase());
            format!("{local}@{domain}")
        }
        None => address.to_owned(),
    }
}

/// The requests whose ids stand in links to confirm, in the text parts.
fn linked(message: &Message<'_>) -> Linked {
    let texts = message.parts.iter().filter_map(|part| match &part.body {
        PartType::Text(text) | PartType::Html(text) => Some(text.as_ref()),
        _ => None,
    });
    texts
        .flat_map(|text| text.split("/c/").skip(1).filter_map(subject))
        .take(LINKS_AT_MOST)
        .collect()
}

/// The 16 bytes at offset 8 of a token of 55 characters.
fn subject(after: &str) -> Option<Uuid> {
    let is_token = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_".contains(byte);
    let length = after.bytes().take_while(|byte| is_token(byte)).count();
    if length != 55 {
        return None;
    }
    let bytes = URL_SAFE_NO_PAD.decode(&after[..54]).ok()?;
    Uuid::from_slice(bytes.get(8..24)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_holds_the_request_and_a_longer_or_shorter_word_is_none() {
        let id = Uuid::from_u128(0x0123_4567_89ab_cdef);
        let mut bytes = [9_u8; 40];
        bytes[8..24].copy_from_slice(id.as_bytes());
        let token = format!("{}c", URL_SAFE_NO_PAD.encode(bytes));
        assert_eq!(subject(&token), Some(id));
        assert_eq!(subject(&format!("{token}\r\nmore")), Some(id));
        assert_eq!(subject(&format!("{token}x")), None);
        assert_eq!(subject(&token[1..]), None);
        assert_eq!(subject(""), None);
    }

    #[test]
    fn addresses_are_compared_with_their_domain_in_ascii() {
        assert_eq!(
            comparable("Ann@BÜCHER.example"),
            comparable("Ann@xn--bcher-kva.example")
        );
        assert_ne!(comparable("Ann@example.org"), comparable("ann@example.org"));
    }
}
