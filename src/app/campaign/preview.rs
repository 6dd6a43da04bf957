//! The very mail that a person of the campaign would get.

use super::again;
use super::judge::Judged;
use crate::app::App;
use crate::domain::brand::Brand;
use crate::domain::campaign::Plan;
use crate::domain::ids::{ContactId, RequestId};
use crate::domain::policy::Source;
use crate::domain::token::Purpose;
use crate::mail::compose::{Ask, ComposeProblem, ConfirmationMail};
use crate::store::{StoreError, contacts};

/// Why there is no preview.
#[derive(Debug, thiserror::Error)]
pub enum NoPreview {
    #[error("the form is gone")]
    Form,
    #[error(transparent)]
    Compose(#[from] ComposeProblem),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl App {
    /// The mail as it would leave now, to a contact, or to the brand's own address where nobody would be asked. Its links belong
    /// to no request, and do not work.
    pub async fn preview_campaign(
        &self,
        brand: &Brand,
        plan: &Plan,
        contact: Option<ContactId>,
    ) -> Result<Vec<u8>, NoPreview> {
        let form = self.form_of(brand, &plan.form).ok_or(NoPreview::Form)?;
        let content = form.content(&form.current).ok_or(NoPreview::Form)?;
        let now = self.clock.now();
        let (to, language, source) = self.example(brand, plan, contact).await?;
        let request = RequestId(self.random.uuid_v7(now));
        let expires_at = now.plus(plan.answer_within());
        let token = |purpose| self.keys.sign(purpose, brand.number, request.0, expires_at);
        let confirm = format!("/c/{}", token(Purpose::Confirm));
        let ask = Ask {
            kind: plan.kind,
            again: again(plan, expires_at),
            reminder: false,
            old_brand: plan.old_brand.clone(),
            note: plan.note.clone(),
            source,
        };
        let purposes = [plan.purpose.clone()];
        let code = self.keys.code(self.keys.current_id(), request.0);
        let domain = brand.declared.from_address.rsplit('@').next();
        let mail = ConfirmationMail {
            brand,
            content,
            language: &language,
            purposes: &purposes,
            name: None,
            to: &to,
            decline_url: self.url(&format!("{confirm}/decline")),
            confirm_url: self.url(&confirm),
            about_url: self.url(&format!("/a/{}", token(Purpose::About))),
            code: code.unwrap_or_default(),
            asked_at: now,
            asked_from: None,
            by_tablet: false,
            no_page_left: false,
            expires_at,
            message_id: format!("{}@{}", request.0, domain.unwrap_or("localhost")),
            now,
            ask: Some(&ask),
            reminder: false,
            unsubscribe_url: None,
        };
        Ok(mail.compose()?)
    }

    /// Address, language and source of somebody.
    async fn example(
        &self,
        brand: &Brand,
        plan: &Plan,
        contact: Option<ContactId>,
    ) -> Result<(String, String, Option<Source>), StoreError> {
        let mut conn = self.store.read().await?;
        let ids: Vec<_> = contact.iter().map(|id| (brand.id, *id)).collect();
        let found = contacts::find_all(&mut conn, &ids).await?;
        let now = self.clock.now();
        let judged = self
            .judge_contacts(&mut conn, brand, plan, found, now)
            .await?;
        Ok(match judged.into_iter().next() {
            Some(Judged {
                contact, judgement, ..
            }) => (contact.address, contact.language, judgement.source),
            None => (brand.declared.from_address.clone(), "en".to_owned(), None),
        })
    }
}
