//! When a page was served: a token in its buttons, so that a press at once, and one by whoever never saw the page, can be told.

use std::time::Duration;

use crate::domain::brand::Brand;
use crate::domain::ids::RequestId;
use crate::domain::keys::Keys;
use crate::domain::time::Timestamp;
use crate::domain::token::Purpose;
use crate::web::Web;
use crate::web::extract::fields::Fields;

/// The field that holds it.
pub const FIELD: &str = "opened";
/// How long such a page may stay open.
const OPEN_FOR: Duration = Duration::from_secs(7 * 86_400);

/// That a page about a request is served at this moment.
pub fn now(shared: &Web, brand: &Brand, request: RequestId) -> String {
    let at = shared.app.clock.now();
    served_at(&shared.app.keys, brand.number, request, at)
}

/// That it was served at an instant.
pub fn served_at(keys: &Keys, brand: u16, request: RequestId, at: Timestamp) -> String {
    keys.sign(Purpose::PageOpened, brand, request.0, at.plus(OPEN_FOR))
}

/// When the page of this button was served, if the press says so truly.
pub fn at(shared: &Web, request: RequestId, fields: &Fields) -> Option<Timestamp> {
    let now = shared.app.clock.now();
    let text = fields.one(FIELD)?;
    let token = shared
        .app
        .keys
        .verify(Purpose::PageOpened, text, now)
        .ok()?;
    (token.subject == request.0).then(|| token.expires_at.minus(OPEN_FOR))
}
