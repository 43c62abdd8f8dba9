//! Webhooks of an acquirer account: who is told what (contract `webhooks-and-network-data.md` A.1).

use indexmap::IndexMap;
use jiff::Timestamp;
use klarna_schemas::ids::{SigningKeyId, WebhookId};
use klarna_schemas::klarna::notification::{CreateWebhook, UpdateWebhook, Webhook, WebhookStatus};
use secrecy::SecretString;
use url::{Host, Url};

use super::SigningKeys;
use crate::config::WebhookSettings;
use crate::engine::IdSource;
use crate::pattern::fits;

/// An account's webhooks.
#[derive(Debug, Default)]
pub(crate) struct Subscriptions {
    webhooks: IndexMap<WebhookId, Subscription>,
}

/// One webhook and the secret it signs with.
#[derive(Debug, Clone)]
pub(crate) struct Subscription {
    pub(crate) webhook: Webhook,
    pub(crate) secret: SecretString,
    /// The key that it had before, or another one of the account.
    pub(crate) other_key: Option<(SigningKeyId, SecretString)>,
}

/// Why a webhook cannot be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SubscriptionRefusal {
    /// A field does not validate: its name and why.
    Invalid(&'static str, String),
    /// The signing key is not there.
    NoSuchKey(SigningKeyId),
    /// There is no webhook of this id.
    NoSuchWebhook(WebhookId),
    /// The same URL and event types stand already.
    Duplicate(WebhookId),
}

impl Subscriptions {
    /// Makes a webhook.
    pub(crate) fn create(
        &mut self,
        asked: CreateWebhook,
        keys: &SigningKeys,
        urls: UrlRules<'_>,
        ids: &mut IdSource,
        now: Timestamp,
    ) -> Result<Webhook, SubscriptionRefusal> {
        urls.check(&asked.url).map_err(|reason| SubscriptionRefusal::Invalid("url", reason))?;
        let secret = keys
            .secret(&asked.signing_key_id)
            .ok_or_else(|| SubscriptionRefusal::NoSuchKey(asked.signing_key_id.clone()))?;
        if let Some(twin) = self.twin(None, &asked.url, &asked.event_types) {
            return Err(SubscriptionRefusal::Duplicate(twin));
        }
        let webhook = Webhook {
            webhook_id: WebhookId(format!("krn:partner:global:notification:webhook:{}", ids.uuid("webhook"))),
            url: asked.url,
            event_types: asked.event_types,
            event_version: asked.event_version,
            signing_key_id: asked.signing_key_id,
            status: asked.status.unwrap_or(WebhookStatus::Enabled),
            created_at: Some(now),
        };
        self.webhooks.insert(
            webhook.webhook_id.clone(),
            Subscription { webhook: webhook.clone(), secret, other_key: None },
        );
        Ok(webhook)
    }

    /// Changes a webhook: what is left out stays as it is. Deliveries that have begun keep their bytes
    /// and the key that signed them.
    pub(crate) fn update(
        &mut self,
        id: &WebhookId,
        asked: UpdateWebhook,
        keys: &SigningKeys,
        urls: UrlRules<'_>,
    ) -> Result<Webhook, SubscriptionRefusal> {
        let mut held =
            self.webhooks.get(id).cloned().ok_or_else(|| SubscriptionRefusal::NoSuchWebhook(id.clone()))?;
        if let Some(url) = asked.url {
            urls.check(&url).map_err(|reason| SubscriptionRefusal::Invalid("url", reason))?;
            held.webhook.url = url;
        }
        if let Some(key) = asked.signing_key_id {
            let secret = keys.secret(&key).ok_or_else(|| SubscriptionRefusal::NoSuchKey(key.clone()))?;
            if key != held.webhook.signing_key_id {
                held.other_key = Some((held.webhook.signing_key_id, held.secret));
            }
            held.secret = secret;
            held.webhook.signing_key_id = key;
        }
        held.webhook.event_types = asked.event_types.unwrap_or(held.webhook.event_types);
        held.webhook.event_version = asked.event_version.unwrap_or(held.webhook.event_version);
        held.webhook.status = asked.status.unwrap_or(held.webhook.status);
        if let Some(twin) = self.twin(Some(id), &held.webhook.url, &held.webhook.event_types) {
            return Err(SubscriptionRefusal::Duplicate(twin));
        }
        let webhook = held.webhook.clone();
        self.webhooks.insert(id.clone(), held);
        Ok(webhook)
    }

    /// Another webhook than `but` with this URL and these event types, in any order.
    fn twin(&self, but: Option<&WebhookId>, url: &str, event_types: &[String]) -> Option<WebhookId> {
        let sorted = |types: &[String]| {
            let mut types = types.to_vec();
            types.sort_unstable();
            types
        };
        let wanted = sorted(event_types);
        let same = |held: &&Subscription| {
            Some(&held.webhook.webhook_id) != but
                && held.webhook.url == url
                && sorted(&held.webhook.event_types) == wanted
        };
        self.webhooks.values().find(same).map(|held| held.webhook.webhook_id.clone())
    }

    pub(crate) fn list(&self) -> Vec<Webhook> {
        self.webhooks.values().map(|held| held.webhook.clone()).collect()
    }

    pub(crate) fn read(&self, id: &WebhookId) -> Option<Webhook> {
        self.webhooks.get(id).map(|held| held.webhook.clone())
    }

    /// A webhook and the secret that it signs with.
    pub(crate) fn subscription(&self, id: &WebhookId) -> Option<Subscription> {
        self.webhooks.get(id).cloned()
    }

    pub(crate) fn delete(&mut self, id: &WebhookId) -> bool {
        self.webhooks.shift_remove(id).is_some()
    }

    /// Loses all webhooks.
    pub(crate) fn forget(&mut self) {
        self.webhooks.clear();
    }

    /// The enabled webhooks that want an event.
    pub(crate) fn wanting(&self, event_type: &str, keys: &SigningKeys) -> Vec<Subscription> {
        let with_other_key = |held: &Subscription| Subscription {
            other_key: held.other_key.clone().or_else(|| keys.other_than(&held.webhook.signing_key_id)),
            ..held.clone()
        };
        self.webhooks.values().filter(|held| wants(&held.webhook, event_type)).map(with_other_key).collect()
    }

    /// Which of the given events no enabled webhook wants.
    pub(crate) fn uncovered(&self, event_types: &[&'static str]) -> Vec<&'static str> {
        let covered = |event: &str| self.webhooks.values().any(|held| wants(&held.webhook, event));
        event_types.iter().copied().filter(|event| !covered(event)).collect()
    }
}

fn wants(webhook: &Webhook, event_type: &str) -> bool {
    webhook.status == WebhookStatus::Enabled
        && webhook.event_types.iter().any(|pattern| fits(pattern, event_type))
}

/// Where webhooks may go: https anywhere, plain http on loopback and where the tester allows it; or, where
/// that is asked for, only where Klarna's own proxy lets them through (contract, decisions and A.5).
#[derive(Debug, Clone, Copy)]
pub(crate) struct UrlRules<'a> {
    /// Hosts that may be called by plain http.
    pub(crate) allow_http: &'a [String],
    /// Whether it is https on one of Klarna's ports, and nothing else.
    pub(crate) strict: bool,
}

/// The ports that Klarna's proxy lets through.
const PORTS: [u16; 2] = [443, 8443];

impl<'a> From<&'a WebhookSettings> for UrlRules<'a> {
    fn from(settings: &'a WebhookSettings) -> Self {
        Self { allow_http: &settings.allow_http, strict: settings.strict_urls }
    }
}

impl UrlRules<'_> {
    fn check(self, text: &str) -> Result<(), String> {
        let url = Url::parse(text).map_err(|error| format!("is no URL: {error}"))?;
        let Some(host) = url.host() else { return Err("names no host".to_owned()) };
        if self.strict {
            let port = url.port_or_known_default().unwrap_or_default();
            let sound = url.scheme() == "https" && PORTS.contains(&port);
            let why = "must be https on port 443 or 8443: webhooks.strict_urls is set";
            return if sound { Ok(()) } else { Err(why.to_owned()) };
        }
        let loopback = match &host {
            Host::Domain(name) => *name == "localhost" || name.ends_with(".localhost"),
            Host::Ipv4(address) => address.is_loopback(),
            Host::Ipv6(address) => address.is_loopback(),
        };
        let name = host.to_string();
        let allowed = || self.allow_http.iter().any(|allowed| allowed.eq_ignore_ascii_case(&name));
        match url.scheme() {
            "https" => Ok(()),
            "http" if loopback || allowed() => Ok(()),
            "http" => Err(format!(
                "must be https; plain http goes to loopback only, unless the simulator runs with \
                 --allow-http-webhooks {name}"
            )),
            other => Err(format!("must be https, not {other}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(allow_http: &[String]) -> UrlRules<'_> {
        UrlRules { allow_http, strict: false }
    }

    fn webhook(event_types: &[&str], status: WebhookStatus) -> Webhook {
        Webhook {
            webhook_id: "w".into(),
            url: "https://a.example".to_owned(),
            event_types: event_types.iter().map(|&name| name.to_owned()).collect(),
            event_version: "v2".to_owned(),
            signing_key_id: "k".into(),
            status,
            created_at: None,
        }
    }

    #[test]
    fn wildcards_match_by_prefix() {
        let completed = "payment.request.state-change.completed";
        let enabled = |pattern| webhook(&[pattern], WebhookStatus::Enabled);
        for pattern in ["payment.*", "payment.request.*", "payment.request.state-change.*", completed] {
            assert!(wants(&enabled(pattern), completed), "{pattern}");
        }
        for pattern in ["payment.transaction.*", "payment.request.state-change", "identity.*"] {
            assert!(!wants(&enabled(pattern), completed), "{pattern}");
        }
        assert!(!wants(&webhook(&["payment.*"], WebhookStatus::Disabled), completed));
    }

    #[test]
    fn plain_http_goes_to_loopback_only() {
        for good in ["https://a.example/x", "http://127.0.0.1:1/x", "http://[::1]/x", "http://localhost/x"] {
            assert_eq!(rules(&[]).check(good), Ok(()), "{good}");
        }
        for bad in ["http://a.example/x", "ftp://a.example", "nonsense", "http://127.0.0.1.example/"] {
            assert!(rules(&[]).check(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn plain_http_goes_to_the_hosts_that_are_allowed_and_to_no_others() {
        let allowed = ["acquirer".to_owned(), "10.0.0.7".to_owned()];
        for good in ["http://acquirer:8081/klarna", "http://ACQUIRER/", "http://10.0.0.7/x"] {
            assert_eq!(rules(&allowed).check(good), Ok(()), "{good}");
        }
        for bad in ["http://acquirer.example/", "http://10.0.0.70/", "ftp://acquirer/"] {
            assert!(rules(&allowed).check(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn strictly_it_is_https_on_klarnas_ports() {
        let allow_http = ["acquirer".to_owned()];
        let strict = UrlRules { allow_http: &allow_http, strict: true };
        for good in ["https://a.example/x", "https://a.example:443/", "https://a.example:8443/x"] {
            assert_eq!(strict.check(good), Ok(()), "{good}");
        }
        for bad in
            ["https://a.example:8080/", "http://127.0.0.1/x", "http://acquirer/", "https://a.example:80/"]
        {
            assert!(strict.check(bad).is_err(), "{bad}");
        }
    }
}
