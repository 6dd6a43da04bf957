//! Every page and deed of the operators, with what each asks of whoever comes to it. The guard reads this table; so does the
//! test that sends each role to each route.

use actix_web::middleware::from_fn;
use actix_web::web::{self, ServiceConfig, get, post};

use super::campaigns::new::{self, draft};
use super::campaigns::{deeds, list, mail, one};
use super::contact::{act, add};
use super::wizard::{columns, file, source, trial};
use super::{
    account, as_sent, brand, contact, contacts, delivery, edit_form, evidence, forms, guard, held,
    hold, imports, keys, operators, overview, passkeys, policy, sealed, settings, sign_in,
    suppressions, webhooks,
};
use crate::domain::operator::Need;

/// A route as the guard and the tests see it.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    pub method: &'static str,
    pub path: &'static str,
    pub need: Need,
}

macro_rules! table {
    ($($need:ident $method:ident $path:literal => $handler:path;)+) => {
        pub const TABLE: &[Entry] = &[$(Entry {
            method: stringify!($method),
            path: concat!("/admin", $path),
            need: Need::$need,
        },)+];

        pub fn configure(routes: &mut ServiceConfig) {
            let pages = web::scope("/admin").wrap(from_fn(guard::admit));
            routes.service(pages$(.route($path, $method().to($handler)))+);
        }
    };
}

table! {
    // The way in
    Nothing get "/sign-in" => sign_in::show;
    Nothing post "/sign-in" => sign_in::submit;
    Nothing get "/sign-in/code" => sign_in::show_factor;
    Nothing post "/sign-in/code" => sign_in::submit_factor;
    Nothing post "/sign-in/passkey/begin" => passkeys::ask;
    Nothing post "/sign-in/passkey" => passkeys::sign;
    Own post "/sign-out" => sign_in::end;
    // About oneself
    Own get "/account" => account::show;
    Own post "/account/password" => account::change_password;
    Own post "/account/codes/begin" => account::offer_codes;
    Own post "/account/codes" => account::set_up_codes;
    Own post "/account/codes/remove" => account::remove_codes;
    Own post "/account/passkeys/begin" => passkeys::begin;
    Own post "/account/passkeys" => passkeys::add;
    Own post "/account/passkeys/remove" => passkeys::remove;
    Own post "/account/sessions/end" => account::end_session;
    // How things stand
    Look get "" => overview::show;
    // Contacts
    Look get "/contacts" => contacts::list;
    Look post "/contacts" => contacts::search;
    Take post "/contacts/list" => contacts::take_list;
    Look get "/contacts/held" => held::show;
    Look get "/contacts/{brand}/{contact}" => contact::show;
    Look post "/contacts/{brand}/{contact}/verify" => contact::verify;
    Take post "/contacts/{brand}/{contact}/bundle" => contact::take_bundle;
    Change post "/contacts/{brand}/{contact}/ask-again" => act::ask_again;
    Change post "/contacts/{brand}/{contact}/note" => add::note;
    Change post "/contacts/{brand}/{contact}/proof" => add::proof;
    Change post "/contacts/{brand}/{contact}/withdraw" => act::withdraw;
    Change post "/contacts/{brand}/{contact}/erase" => act::erase;
    Rule post "/contacts/{brand}/{contact}/hold" => hold::place;
    Rule post "/contacts/{brand}/{contact}/hold/lift" => hold::lift;
    Look get "/contacts/{brand}/{contact}/mail/{position}/{part}" => as_sent::mail;
    Look get "/shown/{version}" => as_sent::form_shown;
    // Forms
    Look get "/forms" => forms::list;
    Look get "/forms/{form}" => forms::show;
    Look get "/forms/{form}/page" => forms::page;
    Look get "/forms/{form}/mail/{part}" => forms::mail;
    Look get "/forms/{form}/versions/{old}/{new}" => forms::diff;
    Change get "/forms/{form}/edit" => edit_form::show;
    Change post "/forms/{form}/edit" => edit_form::save;
    Change post "/forms/{form}/retire" => forms::retire;
    Change get "/new-form" => edit_form::show_new;
    Change post "/new-form" => edit_form::save_new;
    Change post "/preview-form/{part}" => edit_form::preview;
    // Settings
    Look get "/settings" => settings::show;
    Change get "/settings/brands/{brand}" => brand::show;
    Change post "/settings/brands/{brand}" => brand::save;
    Rule get "/settings/new-brand" => brand::show_new;
    Rule post "/settings/new-brand" => brand::save_new;
    Look get "/settings/suppressions" => suppressions::show;
    Look post "/settings/suppressions" => suppressions::find;
    Change post "/settings/suppressions/add" => suppressions::add;
    Change post "/settings/suppressions/lift" => suppressions::lift;
    Rule get "/settings/keys" => keys::list;
    Rule post "/settings/keys" => keys::add;
    Rule post "/settings/keys/{name}/revoke" => keys::revoke;
    Rule get "/settings/webhooks" => webhooks::list;
    Rule post "/settings/webhooks" => webhooks::add;
    Rule get "/settings/webhooks/{id}" => webhooks::show;
    Rule post "/settings/webhooks/{id}" => webhooks::change;
    Rule get "/settings/operators" => operators::list;
    Rule post "/settings/operators" => operators::add;
    Rule get "/settings/operators/{name}" => operators::show;
    Rule post "/settings/operators/{name}" => operators::change;
    Look get "/evidence" => evidence::show;
    Look get "/evidence/checkpoints" => evidence::checkpoints;
    Look get "/evidence/timestamps" => evidence::timestamps;
    Take get "/evidence/sealed" => sealed::show;
    Take post "/evidence/sealed" => sealed::open;
    Take post "/evidence/verify" => evidence::verify;
    Change post "/evidence/timestamp" => evidence::timestamp;
    Look get "/delivery" => delivery::show;
    Change post "/delivery/retry" => delivery::retry;
    Change post "/delivery/release" => delivery::release;
    Look get "/policy" => policy::show;
    Look post "/policy" => policy::explain;
    // Lists that are brought
    Look get "/imports" => imports::list::list;
    Look get "/imports/{brand}/{id}" => imports::show;
    Look get "/imports/{brand}/{id}/rows" => imports::rows::show;
    Take get "/imports/{brand}/{id}/report" => imports::report;
    Change post "/imports/{brand}/{id}/take-back" => imports::take_back;
    Change post "/imports/{brand}/{id}/resume" => imports::resume;
    Change get "/new-import" => file::show;
    Change post "/new-import" => file::submit;
    Change post "/new-import/{brand}/{id}/remove" => file::remove;
    Change get "/new-import/{brand}/{id}/columns" => columns::show;
    Change post "/new-import/{brand}/{id}/columns" => columns::submit;
    Change get "/new-import/{brand}/{id}/source" => source::show;
    Change post "/new-import/{brand}/{id}/source" => source::submit;
    Change get "/new-import/{brand}/{id}/trial" => trial::show;
    Change post "/new-import/{brand}/{id}/trial" => trial::submit;
    Change post "/new-import/{brand}/{id}/start" => trial::start;
    // Asking people
    Look get "/campaigns" => list::list;
    Look get "/campaigns/{brand}/{id}" => one::show;
    Look get "/campaigns/{brand}/{id}/mail" => mail::show;
    Look get "/campaigns/{brand}/{id}/mail.html" => mail::html;
    Change post "/campaigns/{brand}/{id}/pause" => deeds::pause;
    Change post "/campaigns/{brand}/{id}/resume" => deeds::resume;
    Change post "/campaigns/{brand}/{id}/cancel" => deeds::cancel;
    Change post "/campaigns/{brand}/{id}/release" => deeds::release;
    Change get "/new-campaign" => new::show;
    Change post "/new-campaign" => new::submit;
    Change get "/new-campaign/{brand}/{id}" => draft::look_over;
    Change get "/new-campaign/{brand}/{id}/mail.html" => draft::html;
    Change post "/new-campaign/{brand}/{id}/start" => draft::start;
    Change post "/new-campaign/{brand}/{id}/remove" => draft::remove;
}
