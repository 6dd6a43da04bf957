//! The table itself. A change here changes the command line, docs/policy.md and the pages; and it is a new policy version.

use super::{Need, Outreach, ProofKey, Row, Rule, Source, Verdict, Window};

const fn demanded(key: &'static str, about: &'static str) -> ProofKey {
    ProofKey {
        key,
        about,
        need: Need::Demanded,
    }
}

const fn one_of(key: &'static str, about: &'static str) -> ProofKey {
    ProofKey {
        key,
        about,
        need: Need::OneOf,
    }
}

const fn optional(key: &'static str, about: &'static str) -> ProofKey {
    ProofKey {
        key,
        about,
        need: Need::Optional,
    }
}

const DATE: ProofKey = demanded("date", "the day, YYYY-MM-DD");
const TWO_YEARS: Window = Window::Months(24);

const fn accepted(
    rule: Rule,
    source: Source,
    name: &'static str,
    outreach: Outreach,
    window: Window,
) -> Row {
    Row {
        rule,
        source,
        name,
        verdict: Verdict::Accept,
        outreach,
        window,
        conditions: "",
        proof: &[],
        told: "",
        ours: false,
    }
}

const fn held(rule: Rule, source: Source, name: &'static str) -> Row {
    Row {
        verdict: Verdict::ConfirmFirst,
        ..accepted(rule, source, name, Outreach::OneToOne, Window::Open)
    }
}

const fn refused(rule: Rule, source: Source, name: &'static str, outreach: Outreach) -> Row {
    Row {
        verdict: Verdict::Refuse,
        ..accepted(rule, source, name, outreach, Window::Open)
    }
}

/// Every source, in the order of [`Source`].
pub const SOURCES: [Row; 20] = [
    Row {
        conditions: "The form's origin is the brand's own. Explicit where the person ticked the box, or after double opt-in.",
        proof: &[
            demanded("form", "the form's id"),
            demanded("version", "the form's version"),
            demanded("page", "the URL of the page that it stood on"),
            demanded("time", "when, such as 2026-11-23T17:00:00Z"),
            demanded("wording", "the wording that was shown"),
            optional(
                "box",
                "the box of consent: ticked, unticked, preticked or none",
            ),
        ],
        told: "The person signed up at the brand's own form",
        ..accepted(
            Rule::A1,
            Source::WebsiteForm,
            "website_form",
            Outreach::OwnAct,
            Window::Open,
        )
    },
    Row {
        conditions: "Within 2 years, from this brand.",
        proof: &[demanded("order", "the order number"), DATE],
        told: "The person bought from this brand",
        ..accepted(
            Rule::A2,
            Source::Purchase,
            "purchase",
            Outreach::Auto,
            TWO_YEARS,
        )
    },
    Row {
        conditions: "Concluded within 2 years, with this brand.",
        proof: &[demanded("contract", "the contract's id"), DATE],
        told: "The person concluded a written agreement with this brand",
        ..accepted(
            Rule::A3,
            Source::WrittenAgreement,
            "written_agreement",
            Outreach::Auto,
            TWO_YEARS,
        )
    },
    Row {
        conditions: "Within 2 years.",
        proof: &[
            one_of("receipt", "the donation's receipt"),
            one_of("assignment", "the volunteer's assignment"),
            DATE,
        ],
        told: "The person donated to the brand or volunteered for it",
        ..accepted(
            Rule::A4,
            Source::DonationOrVolunteering,
            "donation_or_volunteering",
            Outreach::Auto,
            TWO_YEARS,
        )
    },
    Row {
        conditions: "Signed up for and active in the brand's service, organisation or club: last activity within 12 months, or as many as the brand sets.",
        proof: &[
            demanded("account", "the account's id"),
            demanded("joined", "the day of joining"),
            demanded("last_active", "the day of the last activity"),
        ],
        told: "The person belongs to the brand's service, organisation or club and was last active",
        ..accepted(
            Rule::A5,
            Source::ActiveMember,
            "active_member",
            Outreach::Auto,
            Window::Activity,
        )
    },
    Row {
        conditions: "A paper or electronic form made for this newsletter. Explicit where the stored wording names the newsletter.",
        proof: &[
            one_of("scan", "the scan's SHA-256, 64 hexadecimal digits"),
            one_of("form", "the form's id"),
            DATE,
            optional("wording", "the stored wording"),
            optional("newsletter", "the newsletter's name"),
        ],
        told: "The person filled in a form for the newsletter",
        ..accepted(
            Rule::A6,
            Source::NewsletterForm,
            "newsletter_form",
            Outreach::Auto,
            Window::Open,
        )
    },
    Row {
        conditions: "Answered this brand's own ad.",
        proof: &[
            one_of("ad", "the ad's id"),
            one_of("lead", "the lead's id"),
            DATE,
        ],
        told: "The person answered this brand's ad",
        ..accepted(
            Rule::A7,
            Source::AdResponse,
            "ad_response",
            Outreach::OwnAct,
            Window::Open,
        )
    },
    Row {
        conditions: "Bought, rented, borrowed, any third party's list, whatever it advertises.",
        told: "The address comes from a list that was bought, rented or borrowed",
        ..refused(
            Rule::U1,
            Source::BoughtOrRentedList,
            "bought_or_rented_list",
            Outreach::None,
        )
    },
    Row {
        conditions: "A list of members or of an organisation, whatever was promised at collection.",
        told: "The address comes from a list of members or of an organisation",
        ..refused(
            Rule::U2,
            Source::MembershipList,
            "membership_list",
            Outreach::None,
        )
    },
    Row {
        conditions: "Business contacts brought from a former company.",
        told: "The address was brought along from a former company",
        ..refused(
            Rule::U3,
            Source::PreviousEmployer,
            "previous_employer",
            Outreach::OneToOne,
        )
    },
    Row {
        conditions: "A form on another brand's website.",
        told: "The address was given on another brand's website",
        ..refused(
            Rule::U4,
            Source::OtherBrandForm,
            "other_brand_form",
            Outreach::None,
        )
    },
    Row {
        conditions: "As the source of the address.",
        told: "The address comes from a vendor of leads or of enriched data",
        ..refused(
            Rule::U5,
            Source::LeadVendorOrEnrichment,
            "lead_vendor_or_enrichment",
            Outreach::None,
        )
    },
    Row {
        conditions: "Wrote to you one-to-one; have them convert on a form. The proof is context, not consent.",
        proof: &[
            optional("message_id", "the mail's Message-ID"),
            optional("date", "the day of the mail, YYYY-MM-DD"),
        ],
        told: "The person wrote a mail to the brand",
        ..held(Rule::U6, Source::DirectEmail, "direct_email")
    },
    Row {
        conditions: "Friends, family, former colleagues; accepted only by another source with its own proof.",
        told: "The person is known to somebody at the brand",
        ..held(
            Rule::O1,
            Source::PersonalAcquaintance,
            "personal_acquaintance",
        )
    },
    Row {
        conditions: "Came to your booth: badge scan, business card handed over, form.",
        proof: &[
            demanded("event", "the event"),
            DATE,
            demanded("kind", "badge, card or form"),
        ],
        told: "The person came to the brand's booth",
        ..accepted(
            Rule::O2a,
            Source::EventBooth,
            "event_booth",
            Outreach::Auto,
            Window::Open,
        )
    },
    Row {
        conditions: "Given to the organiser, not to the brand. For one import an operator may choose confirm_first, with outreach one_to_one; then the proof is demanded.",
        proof: &[
            demanded("event", "the event"),
            demanded("organizer", "its organiser"),
        ],
        told: "The address was given to the organiser of an event",
        ..refused(
            Rule::O2b,
            Source::EventOrganizerList,
            "event_organizer_list",
            Outreach::OneToOne,
        )
    },
    Row {
        conditions: "A list from an employer, for a benefit that it provides; one-to-one, then double opt-in.",
        proof: &[
            demanded("employer", "the employer"),
            demanded("benefit", "the benefit"),
            demanded("date", "the list's day, YYYY-MM-DD"),
        ],
        told: "An employer listed the person for a benefit",
        ..held(Rule::O3, Source::EmployerList, "employer_list")
    },
    Row {
        conditions: "Implicit consent carries over at most as it stood, and the original's window keeps running. Explicit to the old brand is implicit for the new one until re-confirmed. The notice of the change, with the chance to re-confirm, is sent first. Unproven original: confirm_first.",
        proof: &[
            demanded("document", "the document of the transfer"),
            demanded("old_brand", "the brand that the person knew"),
            demanded(
                "original_source",
                "the source at the old brand, by its name here",
            ),
            demanded(
                "original_date",
                "the day of it; of an active_member the last activity",
            ),
            optional("original_kind", "of event_booth: badge, card or form"),
            optional("deal", "share or asset; under de an unknown one is asset"),
            optional(
                "notice_sent",
                "the day on which a notice was sent by other means, such as a letter: kept, and it opens nothing",
            ),
        ],
        told: "The address came over from another brand by merger or acquisition",
        ..accepted(
            Rule::O4,
            Source::MergerOrAcquisition,
            "merger_or_acquisition",
            Outreach::Auto,
            Window::Original,
        )
    },
    Row {
        conditions: "While only verbal: convert on a paper form (A6), or on the booth's form or QR code (A1).",
        told: "The person was met and agreed in words only",
        ..refused(
            Rule::O5,
            Source::MetInPerson,
            "met_in_person",
            Outreach::OneToOne,
        )
    },
    Row {
        conditions: "Listed for classification.",
        told: "Nobody knows where the address came from",
        ours: true,
        ..refused(Rule::D1, Source::Unknown, "unknown", Outreach::None)
    },
];
