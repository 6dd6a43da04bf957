//! The mail to the operator: implicit consent is about to end. Numbers and where to look, and nobody's address.

use lettre::Message;
use lettre::message::header::{ContentTransferEncoding, ContentType};
use lettre::message::{Body, Mailbox, SinglePart};

use super::compose::{AutoSubmitted, ComposeProblem, one_line, parse, system_time};
use crate::domain::brand::Brand;
use crate::domain::time::Timestamp;

/// What a notice says.
pub struct LapseNotice<'a> {
    pub brand: &'a Brand,
    pub to: &'a str,
    pub contacts: i64,
    pub first_until: Timestamp,
    /// Within so many days it was looked.
    pub within_days: u64,
    /// Where the operators' pages are.
    pub admin_url: String,
    pub message_id: String,
    pub now: Timestamp,
}

impl LapseNotice<'_> {
    pub fn compose(&self) -> Result<Vec<u8>, ComposeProblem> {
        let declared = &self.brand.declared;
        let from = Mailbox::new(Some(declared.name.clone()), parse(&declared.from_address)?);
        let body = Body::new_with_encoding(self.text(), ContentTransferEncoding::QuotedPrintable);
        let part = SinglePart::builder()
            .header(ContentType::TEXT_PLAIN)
            .body(body.unwrap_or_else(Body::new));
        let message = Message::builder()
            .from(from)
            .to(Mailbox::new(None, parse(self.to)?))
            .date(system_time(self.now))
            .message_id(Some(format!("<{}>", self.message_id)))
            .header(AutoSubmitted)
            .subject(one_line(&self.subject()))
            .singlepart(part)
            .map_err(|_| ComposeProblem::Message)?;
        Ok(message.formatted())
    }

    fn people(&self) -> String {
        match self.contacts {
            1 => "1 contact".to_owned(),
            many => format!("{many} contacts"),
        }
    }

    fn subject(&self) -> String {
        let name = &self.brand.declared.name;
        format!(
            "{name}: implicit consent of {} is about to end",
            self.people()
        )
    }

    fn text(&self) -> String {
        let slug = &self.brand.declared.slug;
        let (people, days) = (self.people(), self.within_days);
        format!(
            "Implicit consent of {people} of the brand \"{}\" ends within {days} days, the first at {} UTC.\r\n\
             From then on they may not be mailed, unless they confirm or act anew before.\r\n\r\n\
             Who they are:\r\n\
             countersign lapsing --brand {slug} --within {days}\r\n\r\n\
             To ask them whether they stay, those whom the policy lets be asked:\r\n\
             countersign campaign start NAME --brand {slug} --kind reconfirmation --purpose PURPOSE --form FORM --dry-run\r\n\r\n\
             {}\r\n\r\n\
             This mail comes at most once a day for a brand: when more of them come up, and else once a week.\r\n\
             It is sent because [notice] email is set; countersign gives no legal advice.\r\n",
            self.brand.declared.name,
            self.first_until.to_the_minute().trim_end_matches(" UTC"),
            self.admin_url,
        )
    }
}
