//! Every route on one screen.

use actix_web::web::{self, ServiceConfig, get, head, post};

use super::{Web, admin, api, assets, cors, demo, error, health, hooks, public};

pub fn configure(routes: &mut ServiceConfig, shared: &web::Data<Web>) {
    let (form, inbox, confirm) = ("/f/{form}", "/i/{token}", "/c/{token}");
    if shared.ceiling {
        // First, so that finding it costs no more than finding the form.
        routes.route("/ceiling/{form}", post().to(public::form::ceiling));
    }
    routes
        // Forms
        .route(form, get().to(public::form::show))
        .route(form, post().to(public::form::submit))
        .route(form, cors::preflight_of_form())
        .route("/f/{form}/definition", get().to(public::form::definition))
        .route("/f/{form}/challenge", get().to(public::form::challenge))
        .route("/f/{form}/embed", get().to(public::embed::show))
        .route("/f/{form}/qr.svg", get().to(public::qr::picture))
        .route("/f/{form}/poster", get().to(public::qr::poster))
        .route("/f/{form}/kiosk.js", get().to(public::kiosk::worker))
        .route("/f/{form}/clear.svg", get().to(public::kiosk::clear))
        .route("/f/{form}/entries", post().to(public::kiosk::entries))
        .route("/embed.js", get().to(public::embed::script))
        // Check your inbox
        .route(inbox, get().to(public::inbox::show))
        .route("/i/{token}/status", get().to(public::inbox::status))
        .route("/i/{token}/events", get().to(public::inbox::events))
        .route("/i/{token}/resend", post().to(public::inbox::resend))
        .route("/i/{token}/code", post().to(public::inbox::code))
        .route("/i/{token}/address", post().to(public::inbox::address))
        .route("/i/{token}/{action}", cors::preflight_of_inbox())
        // The links of the mail
        .route(confirm, get().to(public::confirm::show))
        .route(confirm, head().to(public::confirm::show))
        .route(confirm, post().to(public::confirm::submit))
        .route("/c/{token}/decline", get().to(public::decline::show))
        .route("/c/{token}/decline", head().to(public::decline::show))
        .route("/c/{token}/decline", post().to(public::decline::submit))
        .route("/c/{token}/fresh", post().to(public::confirm::fresh))
        .route("/c/{token}/receipt", get().to(public::receipt::show))
        .route("/a/{token}", get().to(public::about::show))
        .route("/a/{token}", head().to(public::about::show))
        // Leaving and choosing
        .route("/u/{token}", get().to(public::unsubscribe::show))
        .route("/u/{token}", head().to(public::unsubscribe::show))
        .route("/u/{token}", post().to(public::unsubscribe::submit))
        .route("/p", get().to(public::prefer::lost_ask))
        .route("/p", head().to(public::prefer::lost_ask))
        .route("/p", post().to(public::prefer::lost))
        .route("/p/{token}", get().to(public::prefer::show))
        .route("/p/{token}", head().to(public::prefer::show))
        .route("/p/{token}", post().to(public::prefer::submit))
        .route("/p/{token}/data.json", get().to(public::prefer::json))
        .route("/p/{token}/report.zip", get().to(public::prefer::report))
        .route("/p/{token}/erase", get().to(public::prefer::erase_ask))
        .route("/p/{token}/erase", head().to(public::prefer::erase_ask))
        .route("/p/{token}/erase", post().to(public::prefer::erase))
        // Evidence
        .route("/log/{path:.*}", get().to(public::log::show))
        .route("/verify", get().to(public::verify::show))
        // What pages load
        .route("/static/{name}", get().to(assets::file))
        .route("/theme/{name}", get().to(assets::theme))
        // Operators
        .configure(admin::routes::configure)
        // Programs
        .configure(api::configure)
        // Mail providers
        .route("/hooks/{provider}", post().to(hooks::take))
        // Machines
        .route("/livez", get().to(health::live))
        .route("/readyz", get().to(health::ready))
        .route("/metrics", get().to(health::metrics))
        .default_service(web::to(error::no_such_page));
    if shared.demo.is_some() {
        routes
            .route("/inbox", get().to(demo::show))
            .route("/inbox.json", get().to(demo::list))
            .route("/inbox/{index}/html", get().to(demo::html))
            .route("/inbox/{index}/raw", get().to(demo::raw));
    }
}
