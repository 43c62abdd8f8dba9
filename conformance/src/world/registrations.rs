//! The acquirer's signing keys and webhooks at Klarna: rotated, or lost.

use klarna_schemas::ids::{SigningKeyId, WebhookId};
use klarna_schemas::klarna::IDEMPOTENCY_KEY_HEADER;
use klarna_schemas::klarna::notification::{SigningKey, UpdateWebhook, Webhook};
use klarna_schemas::simulator::control::{JournalQuery, Registrations};
use reqwest::header::AUTHORIZATION;
use reqwest::{Method, StatusCode};
use secrecy::ExposeSecret as _;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::World;
use super::checks::finding;
use super::context::PATIENCE;
use super::failure::Failure;

/// The idempotency key by which the suite makes a signing key: always the same, so it is made once in a run.
const ANOTHER_KEY: &str = "5a1f7a3e-6c55-4a8e-9d0b-3f5e2a7c9b10";

/// Where Klarna's API has webhooks.
const WEBHOOKS: &str = "/v2/notification/webhooks";

/// Where it has signing keys.
const SIGNING_KEYS: &str = "/v2/notification/signing-keys";

/// Answer to a list of webhooks.
#[derive(Deserialize)]
struct Listed {
    webhooks: Vec<Webhook>,
}

impl World {
    /// Makes a signing key in the acquirer's account that no webhook of its own uses.
    pub(super) async fn have_another_signing_key(&self) -> Result<SigningKeyId, Failure> {
        let (status, body) = self.notification_api(Method::POST, SIGNING_KEYS, None::<&()>).await?;
        let key: SigningKey = read(status, &body)?;
        Ok(key.signing_key_id)
    }

    /// Gives every webhook of the acquirer another signing key, as in the middle of a rotation: the one
    /// before stays in the account. The teardown takes it back.
    ///
    /// # Errors
    /// When other scenarios run beside this one, or Klarna refuses.
    pub async fn rotate_signing_keys(&mut self) -> Result<(), Failure> {
        self.must_be_alone("the signing keys of all Partners are rotated")?;
        let another = self.have_another_signing_key().await?;
        for webhook in self.webhooks_at_klarna().await? {
            if webhook.signing_key_id == another {
                continue;
            }
            self.sign_with(&webhook.webhook_id, another.clone()).await?;
            self.rotated.push((webhook.webhook_id, webhook.signing_key_id));
        }
        if self.rotated.is_empty() {
            return Err(Failure::NothingToJudge("the acquirer has no webhook at Klarna".to_owned()));
        }
        Ok(())
    }

    /// Undoes what rotations of this scenario have done, where the acquirer has left it so.
    pub(super) async fn give_keys_back(&mut self) -> Result<(), Failure> {
        if self.rotated.is_empty() {
            return Ok(());
        }
        let there = self.webhooks_at_klarna().await?;
        for (webhook, key) in std::mem::take(&mut self.rotated) {
            // An acquirer that minds its webhooks may have made them anew meanwhile.
            if there.iter().any(|known| known.webhook_id == webhook) {
                self.sign_with(&webhook, key).await?;
            }
        }
        Ok(())
    }

    /// Lets Klarna lose what the acquirer has registered.
    ///
    /// # Errors
    /// When other scenarios run beside this one, or the simulator refuses.
    pub async fn klarna_forgets(&mut self, what: Registrations) -> Result<(), Failure> {
        self.must_be_alone("what is lost is lost for all Partners")?;
        let run = &self.run;
        let so_far = run.control.account_journal(&run.acquirer_account, &JournalQuery::default()).await?;
        self.forgotten_at = Some(so_far.entries.last().map_or(0, |entry| entry.seq));
        run.control.forget_registrations(&run.acquirer_account, what).await?;
        Ok(())
    }

    /// Asks that the acquirer made the webhook anew that Klarna had lost, or whose key it had lost, within
    /// the time that it claims.
    ///
    /// # Errors
    /// When it did not.
    pub async fn must_register_again(&mut self) -> Result<(), Failure> {
        let lost = self.forgotten_at;
        let lost = lost.ok_or_else(|| Failure::misused("no step before this one lets Klarna forget"))?;
        let Some(claimed) = self.run.registers_within() else {
            return Err(Failure::NothingToJudge(
                "the adapter does not claim timing.registers_within_ms".to_owned(),
            ));
        };
        self.judged("subscription.registered-again", 1);
        let deadline = Instant::now() + claimed;
        let mut after = lost;
        let mut came = Vec::new();
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let query = JournalQuery {
                after: Some(after),
                min: Some(1),
                wait_ms: Some(u64::try_from(left.as_millis()).unwrap_or(u64::MAX)),
                ..JournalQuery::default()
            };
            let page = self.run.control.account_journal(&self.run.acquirer_account, &query).await?;
            let ready = |status: u16| StatusCode::from_u16(status).is_ok_and(|status| status.is_success());
            let made = page.entries.iter().find(|entry| {
                matches!(entry.operation.as_str(), "webhook.create" | "webhook.update")
                    && entry.response.as_ref().is_some_and(|answer| ready(answer.status))
            });
            if made.is_some() {
                return Ok(());
            }
            after = page.entries.last().map_or(after, |entry| entry.seq);
            came.extend(page.entries.into_iter().map(|entry| entry.operation));
            if left.is_zero() {
                break;
            }
        }
        let mut finding = finding(
            "subscription.registered-again",
            &self.scenario.duties,
            "the acquirer's signing keys and webhooks at Klarna",
            "Klarna had lost them, and the acquirer did not register its webhook again",
        );
        finding.expected = Some(format!("a webhook made or mended within {} ms", claimed.as_millis()));
        finding.got =
            Some(if came.is_empty() { "no call".to_owned() } else { format!("only {}", came.join(", ")) });
        self.weigh(finding, None).await
    }

    fn must_be_alone(&self, why: &str) -> Result<(), Failure> {
        if self.scenario.needs.exclusive {
            return Ok(());
        }
        Err(Failure::misused(&format!("{why}: tag it @exclusive")))
    }

    async fn webhooks_at_klarna(&self) -> Result<Vec<Webhook>, Failure> {
        let (status, body) = self.notification_api(Method::GET, WEBHOOKS, None::<&()>).await?;
        Ok(read::<Listed>(status, &body)?.webhooks)
    }

    async fn sign_with(&self, webhook: &WebhookId, key: SigningKeyId) -> Result<(), Failure> {
        let change = UpdateWebhook { signing_key_id: Some(key), ..UpdateWebhook::default() };
        let path = format!("{WEBHOOKS}/{webhook}");
        let (status, body) = self.notification_api(Method::PATCH, &path, Some(&change)).await?;
        read::<Webhook>(status, &body).map(drop)
    }

    /// A call to Klarna's notification API in the acquirer's place.
    async fn notification_api<B: Serialize>(
        &self,
        method: Method,
        path: &str,
        body: Option<&B>,
    ) -> Result<(StatusCode, Vec<u8>), Failure> {
        let mut url = self.run.control.base().clone();
        url.set_path(path);
        let key = self.run.acquirer.klarna_api_key().expose_secret();
        let mut request = self.run.browser.call(method.clone(), url).timeout(PATIENCE);
        request = request.header(AUTHORIZATION, format!("Basic {key}"));
        if method == Method::POST {
            request = request.header(IDEMPOTENCY_KEY_HEADER, ANOTHER_KEY);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().await.map_err(|error| broken(&error.without_url().to_string()))?;
        let status = answer.status();
        let body = answer.bytes().await.map_err(|error| broken(&error.without_url().to_string()))?;
        Ok((status, body.to_vec()))
    }
}

fn broken(what: &str) -> Failure {
    Failure::Broken(format!("signing keys and webhooks in the acquirer's account: {what}"))
}

fn read<T: for<'a> Deserialize<'a>>(status: StatusCode, body: &[u8]) -> Result<T, Failure> {
    if !status.is_success() {
        return Err(broken(status.as_str()));
    }
    serde_json::from_slice(body).map_err(|error| broken(&error.to_string()))
}
