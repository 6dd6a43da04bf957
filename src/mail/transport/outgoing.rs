//! One mail, checked before a single byte of it is sent.
//!
//! The checks make header injection and SMTP smuggling (CVE-2023-51764) impossible whatever the layers
//! above do: servers disagree about what a bare CR or LF means, so none ever leaves this process.

use memchr::{memchr, memchr_iter};

use super::{Envelope, Outcome, Phase};

/// RFC 5321, section 4.5.3.1.6 and RFC 5322, section 2.1.1: 1,000 octets with the CRLF.
const MAX_LINE: usize = 1_000;
/// RFC 5321, section 4.5.3.1.3, without the angle brackets.
const MAX_ADDRESS: usize = 254;
const MAX_LOCAL_PART: usize = 64;
/// Dots that are doubled without a larger buffer.
const DOTS: usize = 64;
/// A line with a dot alone is the end. The CRLF that must stand before that dot is the message's own last one: with another the server
/// would get one empty line more than we signed and stored.
const END: &str = ".\r\n";
/// Bytes that a message takes in when it is sent.
pub const MORE: usize = END.len();

/// Why a mail cannot be sent as it is; it is never tried again.
#[derive(Debug)]
pub struct Refusal {
    pub reply: String,
    pub phase: Phase,
}

impl From<Refusal> for Outcome {
    fn from(Refusal { reply, phase }: Refusal) -> Self {
        Self::Rejected { reply, phase }
    }
}

/// A mail that can be sent as it is.
pub struct Mail {
    pub(super) from: String,
    pub(super) to: String,
    /// What DATA carries: the message with its dots doubled, and the end of data.
    pub(super) data: String,
    /// The message, where dots were doubled in it.
    message: Option<String>,
    /// The message needs BODY=8BITMIME (RFC 6152).
    pub(super) is_eight_bit: bool,
    /// The recipient or a header field needs SMTPUTF8 (RFC 6531, section 3.4).
    pub(super) is_international: bool,
}

impl Mail {
    /// Takes the message over; with [`MORE`] bytes to spare it is not copied.
    pub fn checked(envelope: &Envelope, message: Vec<u8>) -> Result<Self, Refusal> {
        if !(envelope.from.is_empty() || is_sendable(&envelope.from) && envelope.from.is_ascii()) {
            return Err(refusal("the sender cannot be sent", Phase::MailFrom));
        }
        if !is_sendable(&envelope.to) {
            return Err(refusal("the recipient cannot be sent", Phase::Recipient));
        }
        let in_data = |why| refusal(why, Phase::Data);
        let text = String::from_utf8(message).map_err(|_| in_data("the message is not UTF-8"))?;
        let has_dots = check_lines(&text).map_err(in_data)?;
        let is_eight_bit = !text.is_ascii();
        let is_international = !envelope.to.is_ascii() || !header_of(&text).is_ascii();
        let (mut data, message) = if has_dots {
            (with_dots_doubled(&text), Some(text))
        } else {
            (text, None)
        };
        data.push_str(END);
        Ok(Self {
            from: envelope.from.clone(),
            to: envelope.to.clone(),
            data,
            message,
            is_eight_bit,
            is_international,
        })
    }

    /// The message as it was given.
    pub fn message(&self) -> &[u8] {
        match &self.message {
            Some(message) => message.as_bytes(),
            None => self.data.strip_suffix(END).unwrap_or(&self.data).as_bytes(),
        }
    }
}

/// Whether a line of the message begins with a dot; an error where its lines are such that servers disagree about them.
fn check_lines(message: &str) -> Result<bool, &'static str> {
    let bytes = message.as_bytes();
    if !message.ends_with("\r\n") {
        return Err("the message does not end with CRLF");
    }
    let (mut lines, mut start, mut has_dots) = (0, 0, false);
    for end in memchr_iter(b'\n', bytes) {
        let line = &bytes[start..=end];
        if !line.ends_with(b"\r\n") {
            return Err("the message holds a bare LF");
        }
        if line.len() > MAX_LINE {
            return Err("the message has a line of more than 998 octets");
        }
        has_dots |= line[0] == b'.';
        lines += 1;
        start = end + 1;
    }
    // Every line has one at its end.
    if memchr_iter(b'\r', bytes).count() > lines {
        return Err("the message holds a bare CR");
    }
    if memchr(0, bytes).is_some() {
        return Err("the message holds a NUL");
    }
    Ok(has_dots)
}

/// The message as DATA carries it, but for the end: a dot at the start of a line gets another (RFC 5321, section 4.5.2).
fn with_dots_doubled(message: &str) -> String {
    let mut data = String::with_capacity(message.len() + DOTS);
    for line in message.split_inclusive('\n') {
        if line.starts_with('.') {
            data.push('.');
        }
        data.push_str(line);
    }
    data
}

/// The lines before the first empty one.
fn header_of(message: &str) -> &str {
    if message.starts_with("\r\n") {
        return "";
    }
    message.split("\r\n\r\n").next().unwrap_or(message)
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

fn refusal(why: &str, phase: Phase) -> Refusal {
    Refusal {
        reply: format!("not sent: {why}"),
        phase,
    }
}
