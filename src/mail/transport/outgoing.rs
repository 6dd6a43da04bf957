//! One mail, checked before a single byte of it is sent.
//!
//! The checks make header injection and SMTP smuggling (CVE-2023-51764) impossible whatever the layers
//! above do: servers disagree about what a bare CR or LF means, so none ever leaves this process.

use memchr::{memmem, memrchr};

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

/// What is looked for in a message, each found so many times.
#[derive(Default)]
struct Found {
    cr: usize,
    lf: usize,
    crlf: usize,
    nul: usize,
    dots: usize,
}

/// Bytes that are counted together: no more than a byte can count.
const BLOCK: usize = 240;

impl Found {
    /// Without a branch for any byte, so that many are looked at at once: each message passes here, and most of its lines are short.
    fn of(bytes: &[u8]) -> Self {
        let mut found = Self::default();
        let behind = bytes.get(1..).unwrap_or_default();
        for (block, behind) in bytes.chunks(BLOCK).zip(behind.chunks(BLOCK)) {
            let (mut crlf, mut dots) = (0_u8, 0_u8);
            for (byte, next) in block.iter().zip(behind) {
                crlf += u8::from(*byte == b'\r') & u8::from(*next == b'\n');
                dots += u8::from(*byte == b'\n') & u8::from(*next == b'.');
            }
            found.crlf += usize::from(crlf);
            found.dots += usize::from(dots);
        }
        for block in bytes.chunks(BLOCK) {
            let (mut cr, mut lf, mut nul) = (0_u8, 0_u8, 0_u8);
            for byte in block {
                cr += u8::from(*byte == b'\r');
                lf += u8::from(*byte == b'\n');
                nul += u8::from(*byte == 0);
            }
            found.cr += usize::from(cr);
            found.lf += usize::from(lf);
            found.nul += usize::from(nul);
        }
        found.dots += usize::from(bytes.first() == Some(&b'.'));
        found
    }
}

/// Whether a line of the message begins with a dot; an error where its lines are such that servers disagree about them.
fn check_lines(message: &str) -> Result<bool, &'static str> {
    let bytes = message.as_bytes();
    if !message.ends_with("\r\n") {
        return Err("the message does not end with CRLF");
    }
    let found = Found::of(bytes);
    if found.lf > found.crlf {
        return Err("the message holds a bare LF");
    }
    if found.cr > found.crlf {
        return Err("the message holds a bare CR");
    }
    if found.nul > 0 {
        return Err("the message holds a NUL");
    }
    // From the start of a line to the last end of a line that lies near enough: all lines between are short enough.
    let mut start = 0;
    while start < bytes.len() {
        let near = &bytes[start..bytes.len().min(start + MAX_LINE)];
        let end = memrchr(b'\n', near).ok_or("the message has a line of more than 998 octets")?;
        start += end + 1;
    }
    Ok(found.dots > 0)
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
    let end = memmem::find(message.as_bytes(), b"\r\n\r\n");
    end.map_or(message, |end| &message[..end])
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The same rule, a line at a time.
    fn by_line(message: &str) -> Result<bool, ()> {
        let mut has_dots = false;
        let mut rest = message;
        while !rest.is_empty() {
            let end = rest.find("\r\n").ok_or(())?;
            let line = &rest[..end];
            if line.len() > 998 || line.contains(['\r', '\n', '\0']) {
                return Err(());
            }
            has_dots |= line.starts_with('.');
            rest = &rest[end + 2..];
        }
        if message.is_empty() {
            Err(())
        } else {
            Ok(has_dots)
        }
    }

    proptest! {
        #[test]
        fn lines_are_judged_as_when_each_is_looked_at_by_itself(
            parts in proptest::collection::vec(
                prop_oneof![
                    8 => Just("\r\n".to_owned()),
                    1 => Just("\r\n.".to_owned()),
                    1 => prop_oneof![Just("\r"), Just("\n"), Just("\0"), Just("\n\r"), Just("\r\r\n")].prop_map(str::to_owned),
                    8 => "[a-z.ü ]{0,90}",
                    2 => (990_usize..1_002).prop_map(|length| "x".repeat(length)),
                ],
                0..30,
            ),
            ends in any::<bool>(),
        ) {
            let message = parts.concat() + if ends { "\r\n" } else { "" };
            prop_assert_eq!(check_lines(&message).map_err(|_| ()), by_line(&message));
        }
    }

    #[test]
    fn a_line_has_998_octets_at_most_wherever_it_stands() {
        for before in [0, 1, 239, 240, 241, 1_500] {
            let short = "x\r\n".repeat(before);
            for (length, is_fine) in [(998, true), (999, false)] {
                let message = format!("{short}{}\r\n{short}", "y".repeat(length));
                assert_eq!(check_lines(&message).is_ok(), is_fine, "{before} {length}");
            }
        }
    }

    #[test]
    fn a_dot_is_seen_at_the_start_of_every_line_and_nowhere_else() {
        for before in 0..500 {
            let text = "x".repeat(before);
            assert_eq!(check_lines(&format!("{text}\r\n.\r\n")), Ok(true));
            assert_eq!(check_lines(&format!("{text}.\r\n")), Ok(before == 0));
            assert_eq!(check_lines(&format!("{text}\r\n..\r\n")), Ok(true));
            assert!(check_lines(&format!("{text}\r.\r\n")).is_err());
            assert!(check_lines(&format!("{text}\n.\r\n")).is_err());
        }
    }
}
