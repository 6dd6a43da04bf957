//! Who runs the installation, and what each of them may do.

use super::ids::{BrandId, OperatorId};

/// What an operator is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Everything, other operators and keys included.
    Owner,
    /// The daily work: contacts, forms, lists, campaigns.
    Editor,
    /// Looks on: figures, forms, campaigns and contacts, but takes no data along.
    Viewer,
    /// Reads evidence and takes it along; changes nothing.
    Auditor,
}

/// What a page or a deed asks of whoever comes to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Nothing: the way in.
    Nothing,
    /// Somebody signed in, about themselves.
    Own,
    /// Looks at something.
    Look,
    /// Takes personal data along: bundles, lists.
    Take,
    /// Changes something about contacts, forms, lists or campaigns.
    Change,
    /// Changes who may do what, or how the installation runs.
    Rule,
}

impl Role {
    pub const ALL: [Self; 4] = [Self::Owner, Self::Editor, Self::Viewer, Self::Auditor];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Editor => "editor",
            Self::Viewer => "viewer",
            Self::Auditor => "auditor",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == text)
    }

    /// In words, for whoever gives the role.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Owner => "everything, other operators and keys included",
            Self::Editor => "contacts, forms, lists and campaigns",
            Self::Viewer => "looks on; takes no list and no evidence along",
            Self::Auditor => "reads evidence and takes it along; changes nothing",
        }
    }

    pub const fn may(self, need: Need) -> bool {
        match need {
            Need::Nothing | Need::Own | Need::Look => true,
            Need::Take => matches!(self, Self::Owner | Self::Editor | Self::Auditor),
            Need::Change => matches!(self, Self::Owner | Self::Editor),
            Need::Rule => matches!(self, Self::Owner),
        }
    }
}

macro_rules! deeds {
    ($($name:ident = $word:literal, $says:literal;)+) => {
        /// What operators do that is kept in the log.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Deed {
            $($name,)+
        }

        impl Deed {
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $word,)+
                }
            }

            pub fn parse(text: &str) -> Option<Self> {
                match text {
                    $($word => Some(Self::$name),)+
                    _ => None,
                }
            }

            /// The words between who did it and to what.
            pub const fn says(self) -> &'static str {
                match self {
                    $(Self::$name => $says,)+
                }
            }
        }
    };
}

deeds! {
    SignedIn = "signed_in", "signed in";
    RecoveryCodeUsed = "recovery_code_used", "signed in with a recovery code";
    SignedInWithPasskey = "signed_in_with_passkey", "signed in with a passkey";
    FactorRefused = "factor_refused", "knew the password and gave a wrong second factor";
    PasskeyRefused = "passkey_refused", "was refused with a passkey whose counter went back";
    SignedOut = "signed_out", "signed out";
    SessionEnded = "session_ended", "ended a session";
    PasswordChanged = "password_changed", "changed the password";
    CodesSetUp = "codes_set_up", "set up one-time codes";
    CodesRemoved = "codes_removed", "removed the one-time codes";
    PasskeyAdded = "passkey_added", "added a passkey";
    PasskeyRemoved = "passkey_removed", "removed a passkey";
    OperatorAdded = "operator_added", "added an operator";
    OperatorChanged = "operator_changed", "changed what an operator may do";
    OperatorDisabled = "operator_disabled", "disabled an operator";
    FactorsReset = "factors_reset", "took away an operator's second factors";
    BundleTaken = "bundle_taken", "took an evidence bundle along";
    SealOpened = "seal_opened", "opened sealed evidence";
    StoryTaken = "story_taken", "read the story of a contact on the command line";
    ProofTaken = "proof_taken", "took a file of proof along";
    BackupTaken = "backup_taken", "made a copy of the database";
    ListTaken = "list_taken", "took a list along";
    ContactAskedAgain = "contact_asked_again", "sent a confirmation mail again";
    ContactWithdrawn = "contact_withdrawn", "withdrew a contact on request";
    HoldPlaced = "hold_placed", "placed a legal hold on a contact";
    HoldLifted = "hold_lifted", "lifted a legal hold";
    ContactErased = "contact_erased", "erased a contact on request";
    NoteWritten = "note_written", "wrote a note about a contact";
    ProofAdded = "proof_added", "added proof to what an import claimed of a contact";
    FormChanged = "form_changed", "changed a form";
    FormRetired = "form_retired", "retired a form";
    Declared = "declared", "changed brands and forms";
    ListBrought = "list_brought", "brought a list";
    ListRemoved = "list_removed", "removed a list that was not taken in";
    ImportStarted = "import_started", "started an import";
    ImportTakenBack = "import_taken_back", "took an import back";
    CampaignStarted = "campaign_started", "started a campaign";
    CampaignPaused = "campaign_paused", "paused a campaign";
    CampaignResumed = "campaign_resumed", "let a campaign go on";
    CampaignCancelled = "campaign_cancelled", "cancelled a campaign";
    RequestReleased = "request_released", "released a request to one person";
    TimestampAsked = "timestamp_asked", "asked for a timestamp";
    LogVerified = "log_verified", "had the whole log checked";
    MailRetried = "mail_retried", "had failed mails tried again";
    MailReleased = "mail_released", "let held mails go";
    RestoredAccepted = "restored_accepted", "took the restored database as it is";
    SuppressionAdded = "suppression_added", "kept the brand from a mailbox";
    SuppressionLifted = "suppression_lifted", "lifted a suppression";
    KeyAdded = "key_added", "added an API key";
    KeyRevoked = "key_revoked", "revoked an API key";
    WebhookChanged = "webhook_changed", "changed a webhook";
    WebhookTested = "webhook_tested", "sent a test message to a webhook";
}

/// Somebody signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operator {
    pub id: OperatorId,
    pub name: String,
    pub role: Role,
    /// The brands that they work for; empty for all of them.
    pub brands: Vec<BrandId>,
}

impl Operator {
    /// Whoever is kept to some brands rules nothing: what is ruled holds for all brands.
    pub fn may(&self, need: Need) -> bool {
        self.role.may(need) && (need != Need::Rule || self.brands.is_empty())
    }

    pub fn works_for(&self, brand: BrandId) -> bool {
        self.brands.is_empty() || self.brands.contains(&brand)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn an_auditor_takes_evidence_along_and_changes_nothing_and_a_viewer_only_looks() {
        let of = |role: Role| {
            [Need::Look, Need::Take, Need::Change, Need::Rule].map(|need| role.may(need))
        };
        assert_eq!(of(Role::Owner), [true; 4]);
        assert_eq!(of(Role::Editor), [true, true, true, false]);
        assert_eq!(of(Role::Viewer), [true, false, false, false]);
        assert_eq!(of(Role::Auditor), [true, true, false, false]);
    }

    #[test]
    fn an_owner_who_is_kept_to_a_brand_rules_nothing_and_sees_no_other_brand() {
        let brand = |number| BrandId(Uuid::from_u128(number));
        let operator = Operator {
            id: OperatorId(Uuid::nil()),
            name: "olga".to_owned(),
            role: Role::Owner,
            brands: vec![brand(1)],
        };
        assert!(operator.may(Need::Change) && !operator.may(Need::Rule));
        assert!(operator.works_for(brand(1)) && !operator.works_for(brand(2)));
    }
}
