//! Every route on one screen.

use actix_web::web::{self, ServiceConfig, get, post};
use actix_web::{Route, guard};

use super::{Web, admin, api, assets, cors, demo, error, health, hooks, public};

/// GET and HEAD, which every server answers (RFC 9110, section 9.1): monitors and checkers of links ask by it.
fn look() -> Route {
    web::route().guard(guard::Any(guard::Get()).or(guard::Head()))
}

pub fn configure(routes: &mut ServiceConfig, shared: &web::Data<Web>) {
    let (form, inbox, confirm) = ("/f/{form}", "/i/{token}", "/c/{token}");
    if shared.ceiling {
        // First, so that finding it costs no more than finding the form.
        routes.route("/ceiling/{form}", post().to(public::form::ceiling));
    }
    routes
        // Forms
        .route(form, look().to(public::form::show))
        .route(form, post().to(public::form::submit))
        .route(form, cors::preflight_of_form())
        .route("/f/{form}/definition", look().to(public::form::definition))
        .route("/f/{form}/challenge", look().to(public::form::challenge))
        .route("/f/{form}/embed", look().to(public::embed::show))
        .route("/f/{form}/qr.svg", look().to(public::qr::picture))
        .route("/f/{form}/poster", look().to(public::qr::poster))
        .route("/f/{form}/kiosk.js", look().to(public::kiosk::worker))
        .route("/f/{form}/clear.svg", look().to(public::kiosk::clear))
        .route("/f/{form}/entries", post().to(public::kiosk::entries))
        .route("/embed.js", look().to(public::embed::script))
        // Check your inbox
        .route(inbox, look().to(public::inbox::show))
        .route("/i/{token}/status", look().to(public::inbox::status))
        .route("/i/{token}/events", get().to(public::inbox::events))
        .route("/i/{token}/resend", post().to(public::inbox::resend))
        .route("/i/{token}/code", post().to(public::inbox::code))
        .route("/i/{token}/address", post().to(public::inbox::address))
        .route("/i/{token}/{action}", cors::preflight_of_inbox())
        // The links of the mail
        .route(confirm, look().to(public::confirm::show))
        .route(confirm, post().to(public::confirm::submit))
        .route("/c/{token}/decline", look().to(public::decline::show))
        .route("/c/{token}/decline", post().to(public::decline::submit))
        .route("/c/{token}/fresh", post().to(public::confirm::fresh))
        .route("/c/{token}/receipt", get().to(public::receipt::show))
        .route("/a/{token}", look().to(public::about::show))
        // Leaving and choosing
        .route("/u/{token}", look().to(public::unsubscribe::show))
        .route("/u/{token}", post().to(public::unsubscribe::submit))
        .route("/p", look().to(public::prefer::lost_ask))
        .route("/p", post().to(public::prefer::lost))
        .route("/p/{token}", look().to(public::prefer::show))
        .route("/p/{token}", post().to(public::prefer::submit))
        .route("/p/{token}/data.json", get().to(public::prefer::json))
        .route("/p/{token}/report.zip", get().to(public::prefer::report))
        .route("/p/{token}/erase", look().to(public::prefer::erase_ask))
        .route("/p/{token}/erase", post().to(public::prefer::erase))
        // Evidence
        .route("/log/{path:.*}", look().to(public::log::show))
        .route("/verify", look().to(public::verify::show))
        // What pages load
        .route("/static/{name}", look().to(assets::file))
        .route("/theme/{name}", look().to(assets::theme))
        // Operators
        .configure(admin::routes::configure)
        // Programs
        .configure(api::configure)
        // Mail providers
        .route("/hooks/{provider}", post().to(hooks::take))
        // Machines
        .route("/livez", look().to(health::live))
        .route("/readyz", look().to(health::ready))
        .route("/metrics", look().to(health::metrics))
        .default_service(web::to(error::no_such_page));
    if shared.demo.is_some() {
        routes
            .route("/inbox", look().to(demo::show))
            .route("/inbox.json", look().to(demo::list))
            .route("/inbox/{index}/html", look().to(demo::html))
            .route("/inbox/{index}/raw", look().to(demo::raw));
    }
}
