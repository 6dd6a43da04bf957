//! Who asks: the key that a request brings, and that it has the scope which the route needs. A handler that takes a `Key`
//! runs for nobody else.

use std::future::{Ready, ready};
use std::marker::PhantomData;
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::{FromRequest, HttpMessage, HttpRequest, web};
use uuid::Uuid;

use super::problem::ApiProblem;
use crate::app::acted::Acting;
use crate::domain::api_key::{ApiKey, Scope};
use crate::domain::brand::Brand;
use crate::domain::ids::{BrandId, OperatorId};
use crate::domain::operator::{Operator, Role};
use crate::store::StoreError;
use crate::web::Web;
use crate::web::extract::client::circumstances;

/// The scope that a route needs.
pub trait Needs {
    const SCOPE: Scope;
}

macro_rules! needs {
    ($($name:ident),+ $(,)?) => {$(
        #[derive(Debug)]
        pub struct $name;

        impl Needs for $name {
            const SCOPE: Scope = Scope::$name;
        }
    )+};
}

needs! {
    SignupsWrite,
    WithdrawalsWrite,
    UseWrite,
    PermissionsRead,
    ContactsRead,
    ContactsErase,
    ContactsWrite,
    LinksRead,
    EvidenceRead,
    EventsRead,
    CatalogRead,
    CatalogWrite,
    ImportsRead,
    ImportsWrite,
    CampaignsRead,
    CampaignsWrite,
    SuppressionsRead,
    SuppressionsWrite,
    HoldsRead,
    HoldsWrite,
    OutboxRead,
    OutboxWrite,
    FiguresRead,
    PolicyRead,
    LogRead,
    LogWrite,
    WebhooksRead,
    WebhooksWrite,
}

/// A key that holds, has the scope, and has not asked too much within this minute.
#[derive(Debug)]
pub struct Key<S> {
    pub key: ApiKey,
    scope: PhantomData<S>,
}

impl<S> Key<S> {
    /// A brand by its name, if the key sees it: of others it does not learn that they are there.
    pub fn brand(&self, shared: &Web, slug: &str) -> Result<Arc<Brand>, ApiProblem> {
        let catalog = shared.app.catalog();
        let found = catalog.brand_by_slug(slug);
        found
            .filter(|brand| self.key.sees(brand.id))
            .cloned()
            .ok_or_else(|| ApiProblem::invalid("brand", "There is no such brand."))
    }

    /// All brands that the key sees.
    pub fn brands(&self, shared: &Web) -> Vec<Arc<Brand>> {
        let catalog = shared.app.catalog();
        let all = catalog.brands.iter();
        all.filter(|brand| self.key.sees(brand.id))
            .cloned()
            .collect()
    }

    /// What one of these brands has under the id of a path; `none` says that there is no such thing.
    pub async fn find<T, Found>(
        &self,
        shared: &Web,
        id: &str,
        none: &'static str,
        look: impl Fn(BrandId, Uuid) -> Found,
    ) -> Result<(Arc<Brand>, T), ApiProblem>
    where
        Found: Future<Output = Result<Option<T>, StoreError>>,
    {
        let none = || ApiProblem::not_found(none);
        let id = Uuid::try_parse(id).map_err(|_| none())?;
        for brand in self.brands(shared) {
            if let Some(found) = look(brand.id, id).await? {
                return Ok((brand, found));
            }
        }
        Err(none())
    }

    /// Who does it, for the log: the key stands in an operator's place.
    pub fn acting(&self, request: &HttpRequest, shared: &Web) -> Acting {
        Acting {
            operator: Operator {
                id: OperatorId(self.key.id.0),
                name: format!("API key {}", self.key.name),
                role: Role::Owner,
                brands: self.key.brand.into_iter().collect(),
            },
            circumstances: circumstances(request, &shared.app.config.trusted_proxies),
        }
    }

    /// Passes only a key for all brands: what is asked for concerns all of them.
    pub fn needs_all_brands(&self) -> Result<(), ApiProblem> {
        match self.key.brand {
            None => Ok(()),
            Some(_) => Err(ApiProblem::not_for_one_brand()),
        }
    }

    /// Takes further requests' worth from the key's quota: for those that cost more than one.
    pub fn take(&self, request: &HttpRequest, shared: &Web, units: u32) -> Result<(), ApiProblem> {
        take(&self.key, request, shared, units)
    }
}

/// Finds out whose request it is, and keeps it with the request; whoever brings no key is nobody.
pub async fn find(request: &HttpRequest) -> Result<(), ApiProblem> {
    let (Some(shared), Some(secret)) = (request.app_data::<web::Data<Web>>(), bearer(request))
    else {
        return Ok(());
    };
    if let Some(key) = shared.app.key_of(secret).await? {
        request.extensions_mut().insert(key);
    }
    Ok(())
}

impl<S: Needs> FromRequest for Key<S> {
    type Error = ApiProblem;
    type Future = Ready<Result<Self, ApiProblem>>;

    // It is ready at once, and first among what a handler takes: a body is read for those only who may send one.
    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(let_in::<S>(request))
    }
}

fn let_in<S: Needs>(request: &HttpRequest) -> Result<Key<S>, ApiProblem> {
    let unauthenticated = |detail| Err(ApiProblem::unauthenticated(detail));
    let Some(shared) = request.app_data::<web::Data<Web>>() else {
        return Err(ApiProblem::unavailable("The server is starting."));
    };
    let known = request.extensions().get::<ApiKey>().cloned();
    let Some(key) = known else {
        return match bearer(request) {
            Some(_) => unauthenticated("The key is unknown, expired or revoked."),
            None => unauthenticated("Send a key as Authorization: Bearer KEY."),
        };
    };
    take(&key, request, shared, 1)?;
    if !key.may(S::SCOPE) {
        return Err(ApiProblem::forbidden(S::SCOPE.as_str()));
    }
    Ok(Key {
        key,
        scope: PhantomData,
    })
}

fn take(key: &ApiKey, request: &HttpRequest, shared: &Web, units: u32) -> Result<(), ApiProblem> {
    let (app, in_all) = (&shared.app, shared.app.config.requests_a_minute);
    let quota = shared.used.take(key.id, units, in_all, app.clock.now());
    request.extensions_mut().insert(quota);
    if quota.is_kept {
        Ok(())
    } else {
        Err(ApiProblem::quota_exceeded(quota.resets_in))
    }
}

/// The token of RFC 6750, section 2.1; the scheme's name is not case-sensitive.
fn bearer(request: &HttpRequest) -> Option<&str> {
    let value = request
        .headers()
        .get(header::AUTHORIZATION)?
        .to_str()
        .ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then(|| token.trim())
        .filter(|token| !token.is_empty())
}
