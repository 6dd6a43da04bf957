//! Mail providers that tell by webhook what became of mail that went out through them.

use std::fmt;

/// A provider whose webhooks are understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Provider {
    /// Through Amazon SNS.
    Ses,
    Postmark,
    Mailgun,
    Sendgrid,
    Brevo,
}

impl Provider {
    pub const ALL: [Self; 5] = [
        Self::Ses,
        Self::Postmark,
        Self::Mailgun,
        Self::Sendgrid,
        Self::Brevo,
    ];

    /// As it stands in addresses, settings and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ses => "ses",
            Self::Postmark => "postmark",
            Self::Mailgun => "mailgun",
            Self::Sendgrid => "sendgrid",
            Self::Brevo => "brevo",
        }
    }

    /// As people know it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ses => "Amazon SES",
            Self::Postmark => "Postmark",
            Self::Mailgun => "Mailgun",
            Self::Sendgrid => "SendGrid",
            Self::Brevo => "Brevo",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == text)
    }
}

impl fmt::Display for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
