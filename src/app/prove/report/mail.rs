//! A sent mail as the report shows it: the headers that matter, and the text that people read.

use mail_parser::MessageParser;

use super::words::legible;

/// Who, to whom, when, what; and what lets a mail server's log, or its signature, be compared.
const HEADERS: [&str; 7] = [
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "Auto-Submitted",
    "DKIM-Signature",
];

pub(super) struct MailView {
    pub(super) headers: Vec<(String, String)>,
    pub(super) text: String,
}

/// None if the bytes are no mail.
pub(super) fn view(bytes: &[u8]) -> Option<MailView> {
    let message = MessageParser::default().parse(bytes)?;
    let mut headers = Vec::new();
    for wanted in HEADERS {
        for (name, raw) in message.headers_raw() {
            if !name.eq_ignore_ascii_case(wanted) {
                continue;
            }
            let value = match message.subject() {
                Some(subject) if wanted == "Subject" => subject.to_owned(),
                // Folded lines are one line (RFC 5322, section 2.2.3).
                _ => raw.split_whitespace().collect::<Vec<_>>().join(" "),
            };
            headers.push((wanted.to_owned(), legible(&value)));
        }
    }
    let text = message.body_text(0).unwrap_or_default();
    Some(MailView {
        headers,
        text: legible(text.trim_end()),
    })
}
