//! One mail, checked before a single byte of it is sent.
//!
//! The checks make header injection and SMTP smuggling (CVE-2023-51764) impossible whatever the layers
//! above do: servers disagree about what a bare CR or LF means, so none ever leaves this process.

use super::{Envelope, Outcome, Phase};

/// RFC 5321, section 4.5.3.1.6 and RFC 5322, section 2.1.1: 1,000 octets with the CRLF.
const MAX_LINE: usize = 998;
/// RFC 5321, section 4.5.3.1.3, without the angle brackets.
const MAX_ADDRESS: usize = 254;
const MAX_LOCAL_PART: usize = 64;

pub(super) struct Mail<'a> {
    pub(super) from: &'a str,
    pub(super) to: &'a str,
    /// The message without its last CRLF, which the end-of-data sequence brings along: with it the
    /// server would get one empty line more than we signed and stored.
    pub(super) body: &'a [u8],
    /// Lines that begin with a dot and so get another (RFC 5321, section 4.5.2).
    pub(super) dotted_lines: u64,
    /// The message needs BODY=8BITMIME (RFC 6152).
    pub(super) is_eight_bit: bool,
    /// The recipient or a header field needs SMTPUTF8 (RFC 6531, section 3.4).
    pub(super) is_international: bool,
}

impl<'a> Mail<'a> {
    pub(super) fn checked(envelope: &'a Envelope, message: &'a [u8]) -> Result<Self, Outcome> {
        if !(envelope.from.is_empty() || is_sendable(&envelope.from) && envelope.from.is_ascii()) {
            return Err(refusal("the sender cannot be sent", Phase::MailFrom));
        }
        if !is_sendable(&envelope.to) {
            return Err(refusal("the recipient cannot be sent", Phase::Recipient));
        }
        let Some(body) = message.strip_suffix(b"\r\n") else {
            let why = "the message does not end with CRLF";
            return Err(refusal(why, Phase::Data));
        };
        let mut mail = Self {
            from: &envelope.from,
            to: &envelope.to,
            body,
            dotted_lines: 0,
            is_eight_bit: false,
            is_international: !envelope.to.is_ascii(),
        };
        mail.check_lines(message)
            .map_err(|why| refusal(why, Phase::Data))?;
        Ok(mail)
    }

    fn check_lines(&mut self, message: &[u8]) -> Result<(), &'static str> {
        let mut in_header = true;
        for line in message.split_inclusive(|byte| *byte == b'\n') {
            let line = line
                .strip_suffix(b"\r\n")
                .ok_or("the message holds a bare LF")?;
            if line.len() > MAX_LINE {
                return Err("the message has a line of more than 998 octets");
            }
            if line.contains(&b'\r') {
                return Err("the message holds a bare CR");
            }
            if line.contains(&0) {
                return Err("the message holds a NUL");
            }
            if !line.is_ascii() {
                self.is_eight_bit = true;
                self.is_international |= in_header;
            }
            in_header &= !line.is_empty();
            self.dotted_lines += u64::from(line.first() == Some(&b'.'));
        }
        Ok(())
    }
}

/// Whether an address can stand between angle brackets as it is. Quoted local parts and address
/// literals are refused by policy (threat T28), so no character that would need quoting is let through.
fn is_sendable(address: &str) -> bool {
    let Some((local, domain)) = address.rsplit_once('@') else {
        return false;
    };
    let plain = |c: char| {
        !c.is_control()
            && !c.is_whitespace()
            && !matches!(
                c,
                '<' | '>' | '(' | ')' | '[' | ']' | '\\' | ',' | ';' | ':' | '@' | '"'
            )
            && !matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}')
    };
    address.len() <= MAX_ADDRESS
        && (1..=MAX_LOCAL_PART).contains(&local.len())
        && local.chars().all(plain)
        && !domain.is_empty()
        && domain
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.'))
}

fn refusal(why: &str, phase: Phase) -> Outcome {
    Outcome::Rejected {
        reply: format!("not sent: {why}"),
        phase,
    }
}
