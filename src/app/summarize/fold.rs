//! What one event adds to the figures.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

use serde::Deserialize;

use crate::domain::event::MailFate;
use crate::domain::figures::{Dimension, Figures, OTHER, day_of};
use crate::domain::ids::{BrandId, RequestId};
use crate::domain::time::Timestamp;
use crate::store::summaries::{CountedEvent, Key, Place, UnderWay};

/// Domains that are named of one brand and day; the rest is counted as `other`.
const NAMED_AT_MOST: usize = 200;
/// Events may still come for so long after a request ended.
const LATE: Duration = Duration::from_secs(86_400);
/// No request is open for longer.
const OPEN_AT_MOST: Duration = Duration::from_secs(91 * 86_400);

const MAILED: i64 = 1;
const OPENED: i64 = 2;
const CONFIRMED: i64 = 4;
const DECLINED: i64 = 8;
const FAILED: i64 = 16;
const REPLACED: i64 = 32;

/// What of an event's body is counted by. What another version wrote differently is left out, never a hindrance.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Body {
    request: Option<RequestId>,
    address: Option<String>,
    form: Option<String>,
    source: Option<String>,
    mail: Option<MailFate>,
    link: Option<String>,
    confirmation_expires_at: Option<Timestamp>,
}

/// An event as far as it is counted.
pub(super) struct Told {
    kind: String,
    brand: BrandId,
    at: Timestamp,
    body: Body,
}

/// Reads what is counted; events of other kinds, and emptied ones, are left out.
pub(super) fn read(events: &[CountedEvent]) -> Vec<Told> {
    events
        .iter()
        .filter_map(|event| {
            let body = match (&event.body, event.kind.as_str()) {
                (Some(body), _) => serde_json::from_str(body).unwrap_or_default(),
                (None, "withdrawn") => Body::default(),
                (None, _) => return None,
            };
            Some(Told {
                kind: event.kind.clone(),
                brand: event.brand_id,
                at: event.at,
                body,
            })
        })
        .collect()
}

/// The requests that these events belong to, each once.
pub(super) fn requests(told: &[Told]) -> Vec<RequestId> {
    let all: HashSet<RequestId> = told.iter().filter_map(|one| one.body.request).collect();
    all.into_iter().collect()
}

/// Adds events up, in their order.
pub(super) struct Fold {
    folded_day: i64,
    under_way: HashMap<RequestId, UnderWay>,
    changed: HashSet<RequestId>,
    named: HashMap<Place, HashSet<String>>,
    figures: BTreeMap<Key, Figures>,
}

impl Fold {
    pub(super) fn new(folded_day: i64) -> Self {
        Self {
            folded_day,
            under_way: HashMap::new(),
            changed: HashSet::new(),
            named: HashMap::new(),
            figures: BTreeMap::new(),
        }
    }

    pub(super) fn know(&mut self, under_way: Vec<UnderWay>) {
        let known = under_way.into_iter().map(|one| (one.request_id, one));
        self.under_way.extend(known);
    }

    pub(super) fn name(&mut self, names: Vec<Key>) {
        for key in names {
            let place = (key.brand, key.dimension, key.day);
            self.named.entry(place).or_default().insert(key.name);
        }
    }

    /// Where domains may get a name.
    pub(super) fn places(&self, told: &[Told]) -> Vec<Place> {
        let mut places = HashSet::new();
        for one in told {
            let day = day_of(one.at);
            match one.kind.as_str() {
                "signed_up" => places.insert((one.brand, Dimension::Domain, day)),
                "mail_accepted" | "mail_failed" | "bounced" | "complained" => {
                    places.insert((one.brand, Dimension::Mail, day))
                }
                _ => false,
            };
        }
        places.into_iter().collect()
    }

    /// The name under which a domain is counted there.
    fn domain(&mut self, place: Place, domain: &str) -> String {
        if place.2 < self.folded_day {
            return OTHER.to_owned();
        }
        let named = self.named.entry(place).or_default();
        let is_named = named.contains(domain)
            || (named.len() < NAMED_AT_MOST && named.insert(domain.to_owned()));
        if is_named { domain } else { OTHER }.to_owned()
    }

    fn add(&mut self, place: Place, name: String, figures: Figures) {
        let (brand, dimension, day) = place;
        let key = Key {
            brand,
            dimension,
            day,
            name,
        };
        *self.figures.entry(key).or_default() += figures;
    }

    pub(super) fn count(&mut self, one: &Told) {
        let by_day = |figures| (one.brand, Dimension::All, day_of(one.at), figures);
        let own_day = match one.kind.as_str() {
            "signed_up" | "invited" => return self.begin(one),
            "withdrawn" => by_day(Figures {
                withdrawn: 1,
                ..Figures::default()
            }),
            "bounced" => by_day(Figures {
                bounced: 1,
                ..Figures::default()
            }),
            "complained" => by_day(Figures {
                complained: 1,
                ..Figures::default()
            }),
            _ => return self.go_on(one),
        };
        let (brand, dimension, day, figures) = own_day;
        self.add((brand, dimension, day), String::new(), figures);
        if one.kind != "withdrawn" {
            self.mail(one, figures);
        }
    }

    /// What became of a mail, by the domain of its recipient.
    fn mail(&mut self, one: &Told, figures: Figures) {
        let place = (one.brand, Dimension::Mail, day_of(one.at));
        let known = one.body.request.and_then(|id| self.under_way.get(&id));
        let domain = known.map_or_else(|| OTHER.to_owned(), |known| known.domain.clone());
        let name = self.domain(place, &domain);
        self.add(place, name, figures);
    }

    /// A request begins.
    fn begin(&mut self, one: &Told) {
        let Some(id) = one.body.request else {
            return;
        };
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let address = text(&one.body.address);
        let domain = address.rsplit_once('@').map_or(OTHER, |parts| parts.1);
        let invited = one.kind == "invited";
        let open_until = one.at.plus(OPEN_AT_MOST);
        let expires = one.body.confirmation_expires_at.unwrap_or(open_until);
        // A reminder of a campaign is told of the same request.
        if self.under_way.contains_key(&id) {
            return;
        }
        // The name is chosen once: what comes later is counted under the same.
        let mut domain = domain.to_lowercase();
        if !invited {
            domain = self.domain((one.brand, Dimension::Domain, day_of(one.at)), &domain);
        }
        let new = UnderWay {
            request_id: id,
            brand_id: one.brand,
            signed_up_at: one.at,
            invited: i64::from(invited),
            form: text(&one.body.form),
            source: text(&one.body.source),
            domain,
            seen: 0,
            forget_at: expires.min(open_until).plus(LATE),
        };
        let held_back = one.body.mail.is_some_and(|mail| mail != MailFate::Queued);
        self.under_way.insert(id, new);
        self.changed.insert(id);
        self.of_request(
            id,
            Figures {
                signed_up: 1,
                held_back: i64::from(held_back),
                ..Figures::default()
            },
        );
    }

    /// A request whose time was over is open again, as long as it is still known here.
    fn open_anew(&mut self, one: &Told) {
        let known = one.body.request.and_then(|id| self.under_way.get_mut(&id));
        let (Some(known), Some(until)) = (known, one.body.confirmation_expires_at) else {
            return;
        };
        let until = until.min(one.at.plus(OPEN_AT_MOST)).plus(LATE);
        known.forget_at = known.forget_at.max(until);
        self.changed.insert(known.request_id);
    }

    /// A request goes on, or ends.
    fn go_on(&mut self, one: &Told) {
        if one.kind == "mail_requested" {
            return self.open_anew(one);
        }
        let one_of = |mailed, failed| Figures {
            mailed,
            failed,
            ..Figures::default()
        };
        let bit = match one.kind.as_str() {
            "mail_accepted" => {
                self.mail(one, one_of(1, 0));
                MAILED
            }
            "mail_failed" => {
                self.mail(one, one_of(0, 1));
                FAILED
            }
            "link_opened" if one.body.link.as_deref() == Some("confirm") => OPENED,
            "confirmed" => CONFIRMED,
            "declined" => DECLINED,
            "replaced" | "address_changed" => REPLACED,
            _ => return,
        };
        let Some(known) = one.body.request.and_then(|id| self.under_way.get_mut(&id)) else {
            return;
        };
        if known.seen & bit != 0 {
            return;
        }
        known.seen |= bit;
        if bit & (CONFIRMED | DECLINED | REPLACED) != 0 {
            known.forget_at = known.forget_at.min(one.at.plus(LATE));
        }
        let (id, taken) = (known.request_id, one.at.since(known.signed_up_at));
        self.changed.insert(id);
        let is = |wanted| i64::from(bit == wanted);
        let mut figures = Figures {
            mailed: is(MAILED),
            opened: is(OPENED),
            declined: is(DECLINED),
            failed: is(FAILED),
            replaced: is(REPLACED),
            ..Figures::default()
        };
        if bit == CONFIRMED {
            figures.confirm_after(taken);
        }
        self.of_request(id, figures);
    }

    /// Counts under the day of the request's signup, in all its dimensions.
    fn of_request(&mut self, id: RequestId, figures: Figures) {
        let Some(known) = self.under_way.get(&id).cloned() else {
            return;
        };
        let place = |dimension| (known.brand_id, dimension, day_of(known.signed_up_at));
        if known.invited > 0 {
            return self.add(place(Dimension::Invited), String::new(), figures);
        }
        self.add(place(Dimension::All), String::new(), figures);
        self.add(place(Dimension::Form), known.form, figures);
        self.add(place(Dimension::Source), known.source, figures);
        let is_folded = day_of(known.signed_up_at) < self.folded_day;
        let domain = if is_folded {
            OTHER.to_owned()
        } else {
            known.domain
        };
        self.add(place(Dimension::Domain), domain, figures);
    }

    /// The figures to add, and the requests as they are now.
    pub(super) fn finish(mut self) -> (Vec<(Key, Figures)>, Vec<UnderWay>) {
        let changed = self.changed.iter();
        let under_way = changed.filter_map(|id| self.under_way.remove(id)).collect();
        (self.figures.into_iter().collect(), under_way)
    }
}
