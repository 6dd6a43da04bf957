//! What a brand sets of the policy, and what is set for one import.

use serde::{Deserialize, Serialize};

use super::overlay::Overlays;
use super::{Overlay, Zone};
use crate::domain::brand::{BrandDeclaration, RoleAddresses};

/// What becomes of lists from organisers of events (rule O2b).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrganizerLists {
    #[default]
    Refuse,
    /// An operator chose so for one import.
    ConfirmFirst,
}

/// The settings under which addresses are judged. The default is a brand that set nothing, in UTC.
#[derive(Clone, Debug)]
pub struct Terms {
    pub zone: Zone,
    pub overlays: Overlays,
    pub role_addresses: RoleAddresses,
    /// Who answers for role addresses; without a name they stay refused.
    pub responsible: Option<String>,
    pub organizer_lists: OrganizerLists,
    pub active_within_months: u16,
    pub hold_until_confirmed: bool,
    /// Scheme and host of the brand's own pages. None known: a page that is claimed to be the brand's is taken for it.
    pub origins: Vec<String>,
}

/// Months since the last activity within which a member is active, where the brand sets none.
pub const ACTIVE_WITHIN_MONTHS: u16 = 12;

/// As long as the longest window of the table.
pub const ACTIVE_WITHIN_AT_MOST: u16 = 24;

impl Default for Terms {
    fn default() -> Self {
        Self {
            zone: Zone::default(),
            overlays: Overlays::new(),
            role_addresses: RoleAddresses::Refuse,
            responsible: None,
            organizer_lists: OrganizerLists::Refuse,
            active_within_months: ACTIVE_WITHIN_MONTHS,
            hold_until_confirmed: false,
            origins: Vec::new(),
        }
    }
}

impl Terms {
    /// A brand's own terms. `origins` are those of its forms, which stand beside the brand.
    pub fn of(brand: &BrandDeclaration, origins: Vec<String>) -> Self {
        Self {
            zone: Zone::of(&brand.time_zone),
            overlays: brand.overlays.clone(),
            role_addresses: brand.role_addresses,
            responsible: brand.responsible.clone(),
            organizer_lists: OrganizerLists::Refuse,
            active_within_months: brand.active_within_months,
            hold_until_confirmed: brand.hold_until_confirmed,
            origins,
        }
    }

    pub fn with_overlays(mut self, more: impl IntoIterator<Item = Overlay>) -> Self {
        self.overlays.extend(more);
        self
    }

    /// Whether role addresses are loosened, and by whom.
    pub(super) fn answers_for_roles(&self) -> Option<&str> {
        let name = self.responsible.as_deref().map(str::trim)?;
        (self.role_addresses == RoleAddresses::ConfirmFirst && !name.is_empty()).then_some(name)
    }
}
