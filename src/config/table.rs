//! The table of settings: the commented file of `init`, the environment's names and the check come from it.

/// What a setting holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Text,
    Number,
    Flag,
    /// A list of texts; in the environment separated by commas.
    List,
    /// A text that is never shown; may also be given as a file (`…_file`, `…_FILE`).
    Secret,
}

/// One setting.
pub struct Setting {
    pub section: &'static str,
    pub key: &'static str,
    pub kind: Kind,
    /// As it would stand in the file; empty means that there is none.
    pub default: &'static str,
    pub about: &'static str,
}

macro_rules! settings {
    ($($section:ident . $key:ident : $kind:ident = $default:literal, $about:literal;)+) => {
        /// Every setting there is.
        pub const SETTINGS: &[Setting] = &[$(Setting {
            section: stringify!($section),
            key: stringify!($key),
            kind: Kind::$kind,
            default: $default,
            about: $about,
        }),+];
    };
}

settings! {
    server.listen: Text = "127.0.0.1:8080", "Address and port to listen on. Put a TLS proxy in front.";
    server.base_url: Text = "", "The public address, such as https://confirm.example.org. All links are made from it, never from the Host header.";
    server.trusted_proxies: List = "", "Networks whose X-Forwarded-For is believed, such as 10.0.0.0/8. Empty: the header is ignored.";
    server.workers: Number = "2", "Threads that serve requests.";
    server.any_domain: Flag = "false", "Accept addresses at reserved or unknown domains. For trying out only.";
    database.url: Secret = "sqlite://countersign.db", "sqlite://PATH or postgres://USER:PASSWORD@HOST/NAME; it may lie in a file of its own: url_file.";
    secrets.root: Secret = "", "The root secret, base64 of 32 random bytes. `countersign init` makes one.";
    secrets.previous: Secret = "", "Earlier root secrets, newest first, separated by spaces. They still verify what they signed.";
    smtp.host: Text = "localhost", "The SMTP server that takes the mail.";
    smtp.port: Number = "587", "Its port: 587 for STARTTLS, 465 for TLS from the start.";
    smtp.tls: Text = "required", "required (STARTTLS or nothing), implicit (TLS from the start), or plain (to a loopback address only).";
    smtp.user: Text = "", "User name; empty means no login.";
    smtp.password: Secret = "", "Its password.";
    smtp.oauth_token_url: Text = "", "For XOAUTH2 (Microsoft 365, Google): the token endpoint.";
    smtp.oauth_client_id: Text = "", "For XOAUTH2: the client's id.";
    smtp.oauth_client_secret: Secret = "", "For XOAUTH2: the client's secret.";
    smtp.oauth_refresh_token: Secret = "", "For XOAUTH2: the refresh token.";
    smtp.oauth_scope: Text = "", "For XOAUTH2: the scope, if the endpoint wants one.";
    smtp.hello_name: Text = "", "The name given in EHLO; by default the host of base_url.";
    smtp.max_sessions: Number = "8", "Connections at once.";
    smtp.ca_file: Text = "", "A PEM file with further certificate authorities.";
    delivery.per_domain_an_hour: Number = "0", "Mails an hour to one recipient domain; 0 is no limit.";
    delivery.retry_for_hours: Number = "72", "How long a mail is tried again.";
    delivery.max_tries: Number = "40", "How often a mail is tried at most within that time; 72 hours hold 27 tries at most.";
    notice.email: Text = "", "Whom to tell by mail that implicit consent is about to lapse: numbers and where to look, at most once a day for each brand. Empty: nobody.";
    dkim.domain: Text = "", "Sign mails for this domain; empty means no signature.";
    dkim.selector: Text = "", "The selector under which the public key stands in DNS.";
    dkim.key: Secret = "", "The private key, PEM: Ed25519 or RSA of 2,048 bits or more.";
    budget.per_form_minutes: Number = "10", "One mail per form and mailbox in this many minutes.";
    budget.per_mailbox_a_day: Number = "3", "Mails per mailbox and day over all forms of a brand.";
    budget.resend_seconds: Number = "60", "The shortest time between a mail and its resend.";
    budget.per_network_an_hour: Number = "60", "Signups, and presses on \u{201c}send again\u{201d}, an hour that may cause a mail, of one client (an IPv4 address or IPv6 /64): so many at once, and evenly as many again within the hour after that; so at most twice as many in any hour. The other limits by the hour count alike. 0 is no limit.";
    budget.per_kiosk_an_hour: Number = "240", "The same for the tablets of a form with kiosk = true, per form and client: a fair has one address. Beyond it mails are held, up to a day. 0 is no limit.";
    budget.per_key_an_hour: Number = "2000", "Signups an hour that an API key can cause mail for without naming the person's address in the network; where it names one, per_network_an_hour holds. 0 is no limit.";
    budget.per_form_an_hour: Number = "2000", "Mails an hour of one form; beyond it mails are held, for a day at most (or half of the time to answer, where that is shorter). Where more wait than that, signups are recorded and cause no mail. 0 is no limit.";
    budget.per_installation_an_hour: Number = "10000", "Mails an hour in all; beyond it mails are held, as long as those of one form. 0 is no limit.";
    breaker.on: Flag = "true", "Hold confirmation mails when suddenly few of them are confirmed: then somebody signs up people who did not ask.";
    breaker.window_minutes: Number = "60", "The mails of this time are compared with the week before; they are held for about as long.";
    breaker.young_minutes: Number = "5", "Mails younger than this do not count as unconfirmed yet.";
    breaker.mails_at_least: Number = "300", "Fewer mails in the window never trip it.";
    breaker.fall_percent: Number = "50", "It trips when the confirmed share has fallen by so much of what is usual.";
    breaker.warm_up_mails: Number = "1000", "It waits until the week before the window has so many mails.";
    retention.unconfirmed_days: Number = "90", "Contacts that never confirmed are removed so many days after their last request ended unanswered, whether they signed up, or a campaign asked whom a list had brought; with all that is known of them. Of a signup that needs hold_until_confirmed = true in the brand: without it a signup gives implicit consent (A1), which stays until it is withdrawn. An operator's suppression of the mailbox does not keep them. 0 keeps them, and those below.";
    retention.unasked_days: Number = "365", "Contacts that a list brought, that have no consent, and that nobody asked, are removed so many days after the last list that named them; no sooner than unconfirmed_days. Whoever waits in a campaign that is under way stays. 0 keeps them.";
    retention.circumstances_days: Number = "730", "Network addresses and browsers are removed from events that are so many days old, addresses that lists name too (of lists that an earlier version took in they stand in the event itself, and stay). 0 keeps them as long as the events.";
    bounce.domain: Text = "", "The domain of the envelope senders: mails leave as bounce+TOKEN@DOMAIN, and what comes back there tells what became of them. Empty: they leave under the brand's own address.";
    bounce.listen: Text = "", "Address and port to take such mail on, by LMTP or SMTP, such as 127.0.0.1:2525. Empty: none is taken here; `countersign bounce` reads it from a pipe.";
    bounce.feedback: List = "", "Addresses that mail providers send their feedback reports (complaints) to, such as fbl@example.org: [bounce] listen takes mail for them too. A complaint is believed only by what of ours the report holds.";
    bounce.soft_limit: Number = "5", "A mail that comes back for the time being so many times in a row counts as one that came back for good.";
    leaving.mailed_link_days: Number = "7", "How long a link to the preferences works that somebody asked for by mail. It opens everything: choosing, their data, erasing.";
    leaving.program_link_days: Number = "90", "How long a link to the preferences works that programs get for mails that they send. Leaving, pausing and the language work at once; to agree to anything, to take data along or to be erased, people have a link sent to them first.";
    campaign.asked_again_months: Number = "12", "Who was asked again by time (a brand's \u{201c}When it asks again\u{201d}) and did not answer is left alone for so many calendar months, or for the brand's own term where that is shorter.";
    hook.ses_topics: List = "", "Amazon SES: the SNS topics, by their ARNs, whose messages to /hooks/ses count.";
    hook.ses_certificates: List = "", "PEM files of the certificates that SNS signs with, where this machine cannot fetch them. Empty: they are fetched from the SNS of the topic's region.";
    hook.ses_gateway: Text = "", "Where SNS is asked for certificates and told that a subscription is wanted, where this machine reaches the internet only through a gateway that passes such requests on. Empty: sns.REGION.amazonaws.com.";
    hook.postmark_secret: Secret = "", "Postmark: the password that comes with each post to /hooks/postmark, of 20 characters or more.";
    hook.postmark_networks: List = "", "Networks that Postmark's posts come from, besides. Empty: any.";
    hook.mailgun_key: Secret = "", "Mailgun: the HTTP webhook signing key; posts go to /hooks/mailgun.";
    hook.sendgrid_key: Text = "", "SendGrid: the verification key of the signed Event Webhook, which posts to /hooks/sendgrid.";
    hook.brevo_secret: Secret = "", "Brevo: the token or password that comes with each post to /hooks/brevo, of 20 characters or more.";
    hook.brevo_networks: List = "", "Networks that Brevo's posts come from, besides. Empty: any.";
    scanner.read_seconds: Number = "2", "A press sooner than this after its page is treated as a program's.";
    scanner.both_links_seconds: Number = "10", "Both links of a mail opened within this time from one network mark a scanner.";
    scanner.people_a_minute: Number = "5", "Links of this many people opened from one network within a minute mark a scanner.";
    api.requests_a_minute: Number = "600", "Requests a minute of one API key, in each web process. A list of addresses counts once for each hundred.";
    webhook.within_seconds: Number = "15", "How long a webhook's receiver may take to answer.";
    webhook.allow_private: Flag = "false", "Let webhooks go to this machine and to private networks, and without TLS.";
    upload.folder: Text = "", "Where lists lie that operators bring in the pages, each until it is taken in, and for a day where nobody goes on with it; by default beside the SQLite database, or beside this file. Web processes on several machines share it.";
    upload.megabytes: Number = "512", "The longest list that may be brought in the pages, in megabytes of 1,048,576 bytes.";
    upload.at_most: Number = "20", "Lists that may lie there at once.";
    ledger.origin: Text = "", "The name of the log of evidence, fixed at the first start; by default base_url without https:// and with /log.";
    ledger.published: Flag = "true", "Serve the log under /log/. It shows how many events there are and when, and nothing of whom.";
    ledger.head_file: Text = "", "A file that keeps the log's newest head outside the database, so that an older copy that was put back, or a log whose end was cut off, is noticed. By default it lies beside an SQLite database (….log-head). On PostgreSQL there is none until it is named here: on this machine's disk, where no restore of the database puts an older one.";
    timestamp.authorities: List = "", "Time-stamping authorities (RFC 3161) that stamp the log, each as NAME=URL. The name is yours to choose; its stamps are kept under it.";
    timestamp.policies: List = "", "The policy that an authority must stamp under, as NAME=1.2.3; by default its own.";
    timestamp.roots: List = "", "A PEM file of the root certificates that an authority's chain must lead to, as NAME=PATH. Without it the root of its first stamp is kept to, on trust.";
    timestamp.every_minutes: Number = "60", "How often the log is stamped, if it has grown since.";
    timestamp.within_seconds: Number = "15", "How long an authority may take to answer.";
    timestamp.allow_private: Flag = "false", "Let authorities be on this machine or in a private network.";
    witness.witnesses: List = "", "Witnesses (C2SP tlog-witness) that cosign the log, each as its key and its submission URL with a space between: NAME+ID+KEY https://witness.example/.";
    witness.within_seconds: Number = "10", "How long a witness may take to answer.";
    witness.allow_private: Flag = "false", "Let witnesses be on this machine or in a private network.";
    log.format: Text = "readable", "readable or json.";
    log.level: Text = "info", "error, warn, info or debug.";
    metrics.token: Secret = "", "Who asks /metrics must send this as a bearer token. Empty: it answers on [telemetry] listen only, or, where base_url is on this machine, to this machine.";
    telemetry.listen: Text = "", "Address and port of their own for /livez, /readyz and /metrics, in every role, such as 127.0.0.1:9464; a worker is seen there only. Keep it inside your network. The public address has no /metrics then.";
    telemetry.otlp_endpoint: Text = "", "Where traces go, by OTLP over HTTP (protobuf): a whole URL, such as http://127.0.0.1:4318/v1/traces. Empty: none are made.";
    telemetry.otlp_headers: Secret = "", "Headers that go with them, such as a token: NAME=VALUE, with commas between them.";
    telemetry.sample_ratio: Text = "1", "Which part of traces is made, from 0 to 1.";
    telemetry.service_name: Text = "countersign", "What this server is called there.";
    telemetry.accept_traceparent: Flag = "false", "Go on with the trace that a request brings (traceparent). Only where a proxy of yours sets or removes that header: whoever sends it decides what is sampled.";
}

/// The setting of this name.
pub(super) fn find(section: &str, key: &str) -> Option<&'static Setting> {
    SETTINGS
        .iter()
        .find(|setting| setting.section == section && setting.key == key)
}

/// The name of a setting in the environment.
pub fn environment_name(section: &str, key: &str) -> String {
    format!("COUNTERSIGN_{section}_{key}").to_uppercase()
}
