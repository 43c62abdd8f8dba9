//! A client for the control API. It speaks HTTP only, so it fits a simulator in any process.

use std::time::Duration;

use klarna_schemas::ids::{PartnerAccountId, PaymentRequestId, PaymentTransactionId};
use klarna_schemas::klarna::transaction::PaymentChargeback;
use klarna_schemas::money::MinorUnits;
use klarna_schemas::simulator::control::{
    ActAsCustomer, ArmFault, ChargeBack, ClockView, CustomerAct, CustomerActed, EndPaymentRequest, Findings,
    ForgetRegistrations, Intent, JournalQuery, MakeSnapshot, MintSessionToken, MintedSessionToken,
    PartnerKey, PaymentRequestEnded, PresentationWish, PutSandbox, QueuedOutcome, Registrations,
    ReleaseWebhooks, RequestEnd, SandboxView, SendWebhook, SetClock, SetEvolution, SnapshotView, Snapshots,
    WebhooksSent,
};
use klarna_schemas::simulator::journal::JournalPage;
use klarna_schemas::simulator::rules::{Explain, Explanation, RulesFile, RulesFileView, RulesView};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Method;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;
use serde::de::DeserializeOwned;
use url::Url;

/// How long a call may take beyond the time that it was asked to wait.
const PATIENCE: Duration = Duration::from_secs(10);

/// Speaks to one simulator's control API.
#[derive(Debug, Clone)]
pub struct ControlClient {
    base: Url,
    token: Option<SecretString>,
    http: reqwest::Client,
}

/// Why a control call failed.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// The simulator could not be reached, or broke off.
    #[error("the simulator at {url} does not answer: {source}")]
    Unreachable {
        /// What was called.
        url: String,
        /// What went wrong below.
        #[source]
        source: reqwest::Error,
    },
    /// The simulator refused the call.
    #[error("the simulator refused {method} {url} with {status}: {detail}")]
    Refused {
        /// HTTP method.
        method: String,
        /// What was called.
        url: String,
        /// HTTP status.
        status: u16,
        /// Its explanation.
        detail: String,
    },
    /// The simulator answered something that this release cannot read.
    #[error("the simulator at {url} answered something unreadable: {detail}")]
    Unreadable {
        /// What was called.
        url: String,
        /// Why it could not be read.
        detail: String,
    },
}

impl ControlClient {
    /// A client for the simulator at `base`, e.g. `http://127.0.0.1:8080`.
    ///
    /// # Errors
    /// When the HTTP client cannot be built.
    pub fn new(base: Url) -> Result<Self, reqwest::Error> {
        Self::trusting(base, None)
    }

    /// The same, for a simulator that listens by TLS: `authority` is what it prints as `ca_file`, as PEM.
    ///
    /// # Errors
    /// When the HTTP client cannot be built, or the authority cannot be read.
    pub fn trusting(base: Url, authority: Option<&str>) -> Result<Self, reqwest::Error> {
        crate::install_crypto_provider();
        let mut http = reqwest::Client::builder().no_proxy();
        if let Some(authority) = authority {
            http = http.tls_certs_only([reqwest::Certificate::from_pem(authority.as_bytes())?]);
        }
        Ok(Self { base, token: None, http: http.build()? })
    }

    /// The same, with the token that guards the control API.
    #[must_use]
    pub fn with_token(self, token: Option<SecretString>) -> Self {
        Self { token, ..self }
    }

    /// Where the simulator is.
    pub fn base(&self) -> &Url {
        &self.base
    }

    /// Create a sandbox, or reset it into a new epoch.
    pub async fn put_sandbox(
        &self,
        account: &PartnerAccountId,
        body: &PutSandbox,
    ) -> Result<SandboxView, ControlError> {
        self.send(Method::PUT, &sandbox(account, ""), Some(body), PATIENCE).await
    }

    /// Look at a sandbox.
    pub async fn sandbox(&self, account: &PartnerAccountId) -> Result<SandboxView, ControlError> {
        self.send(Method::GET, &sandbox(account, ""), None::<&()>, PATIENCE).await
    }

    /// Say what the Partner is about to ask; binds to the sandbox's next new payment.
    pub async fn declare_intent(
        &self,
        account: &PartnerAccountId,
        intent: &Intent,
    ) -> Result<SandboxView, ControlError> {
        self.send(Method::PUT, &sandbox(account, "/intent"), Some(intent), PATIENCE).await
    }

    /// Say what payment forms shall show of Klarna.
    pub async fn set_presentation(
        &self,
        account: &PartnerAccountId,
        wish: &PresentationWish,
    ) -> Result<SandboxView, ControlError> {
        self.send(Method::PUT, &sandbox(account, "/presentation"), Some(wish), PATIENCE).await
    }

    /// Mint a session token that a Partner can bring.
    pub async fn mint_session_token(
        &self,
        account: &PartnerAccountId,
        body: &MintSessionToken,
    ) -> Result<MintedSessionToken, ControlError> {
        self.send(Method::POST, &sandbox(account, "/session-tokens"), Some(body), PATIENCE).await
    }

    /// Make a key with which the Partner itself calls Klarna.
    pub async fn make_partner_key(&self, account: &PartnerAccountId) -> Result<PartnerKey, ControlError> {
        self.send::<(), _>(Method::POST, &sandbox(account, "/keys"), None, PATIENCE).await
    }

    /// Queue outcomes for the authorize calls to come.
    pub async fn queue_outcomes(
        &self,
        account: &PartnerAccountId,
        outcomes: &[QueuedOutcome],
    ) -> Result<SandboxView, ControlError> {
        self.send(Method::POST, &sandbox(account, "/outcomes"), Some(&outcomes), PATIENCE).await
    }

    /// Lay the sandbox's own rules down, in the place of those before.
    pub async fn put_rules(
        &self,
        account: &PartnerAccountId,
        rules: &RulesFile,
    ) -> Result<RulesView, ControlError> {
        self.send(Method::PUT, &sandbox(account, "/rules"), Some(rules), PATIENCE).await
    }

    /// Look at the rules that hold in a sandbox, and how often each has served.
    pub async fn rules(&self, account: &PartnerAccountId) -> Result<RulesView, ControlError> {
        self.send(Method::GET, &sandbox(account, "/rules"), None::<&()>, PATIENCE).await
    }

    /// Let Klarna evolve in these ways, and in no others.
    pub async fn evolve(
        &self,
        account: &PartnerAccountId,
        kinds: &SetEvolution,
    ) -> Result<SetEvolution, ControlError> {
        self.send(Method::PUT, &sandbox(account, "/evolution"), Some(kinds), PATIENCE).await
    }

    /// Take a snapshot of a sandbox.
    pub async fn take_snapshot(
        &self,
        account: &PartnerAccountId,
        name: Option<String>,
    ) -> Result<SnapshotView, ControlError> {
        self.send(Method::POST, &sandbox(account, "/snapshots"), Some(&MakeSnapshot { name }), PATIENCE).await
    }

    /// Look at a sandbox's snapshots.
    pub async fn snapshots(&self, account: &PartnerAccountId) -> Result<Snapshots, ControlError> {
        self.send(Method::GET, &sandbox(account, "/snapshots"), None::<&()>, PATIENCE).await
    }

    /// Forget a snapshot.
    pub async fn drop_snapshot(&self, account: &PartnerAccountId, name: &str) -> Result<(), ControlError> {
        let path = sandbox(account, &format!("/snapshots/{}", encode(name)));
        self.order(Method::DELETE, &path, None::<&()>).await
    }

    /// Go back to a snapshot, in a new epoch.
    pub async fn restore(&self, account: &PartnerAccountId, name: &str) -> Result<SandboxView, ControlError> {
        let path = sandbox(account, &format!("/snapshots/{}/restore", encode(name)));
        self.send(Method::POST, &path, None::<&()>, PATIENCE).await
    }

    /// Ask what would be decided on a call, and why, without making it.
    pub async fn explain(
        &self,
        account: &PartnerAccountId,
        call: &Explain,
    ) -> Result<Explanation, ControlError> {
        self.send(Method::POST, &sandbox(account, "/explain"), Some(call), PATIENCE).await
    }

    /// Look at the rules file.
    pub async fn rules_file(&self) -> Result<RulesFileView, ControlError> {
        self.send(Method::GET, "rules", None::<&()>, PATIENCE).await
    }

    /// Read the rules file again now.
    pub async fn reload_rules(&self) -> Result<RulesFileView, ControlError> {
        self.send(Method::POST, "rules/reload", None::<&()>, PATIENCE).await
    }

    /// Do what the customer does.
    pub async fn act_as_customer(
        &self,
        account: &PartnerAccountId,
        payment_request_id: &PaymentRequestId,
        act: CustomerAct,
    ) -> Result<CustomerActed, ControlError> {
        let payment_request_id = payment_request_id.clone();
        let body = ActAsCustomer::new(payment_request_id, act);
        self.act(account, &body).await
    }

    /// The same, with all that the customer may say.
    pub async fn act(
        &self,
        account: &PartnerAccountId,
        body: &ActAsCustomer,
    ) -> Result<CustomerActed, ControlError> {
        self.send(Method::POST, &sandbox(account, "/customer"), Some(body), PATIENCE).await
    }

    /// End a Payment Request from Klarna's side.
    pub async fn end_payment_request(
        &self,
        account: &PartnerAccountId,
        payment_request_id: &PaymentRequestId,
        act: RequestEnd,
    ) -> Result<PaymentRequestEnded, ControlError> {
        let body = EndPaymentRequest { payment_request_id: payment_request_id.clone(), act };
        self.send(Method::POST, &sandbox(account, "/payment-requests"), Some(&body), PATIENCE).await
    }

    /// Take money of a transaction back for the customer.
    pub async fn charge_back(
        &self,
        account: &PartnerAccountId,
        payment_transaction_id: &PaymentTransactionId,
        amount: MinorUnits,
    ) -> Result<PaymentChargeback, ControlError> {
        let path = sandbox(
            account,
            &format!("/transactions/{}/chargeback", encode(payment_transaction_id.as_str())),
        );
        self.send(Method::POST, &path, Some(&ChargeBack { amount }), PATIENCE).await
    }

    /// Arm a fault for the calls to come in a sandbox.
    pub async fn arm_fault(
        &self,
        account: &PartnerAccountId,
        fault: &ArmFault,
    ) -> Result<SandboxView, ControlError> {
        self.send(Method::POST, &sandbox(account, "/faults"), Some(fault), PATIENCE).await
    }

    /// Lift the faults of a sandbox; calls that stall are let go.
    pub async fn lift_faults(&self, account: &PartnerAccountId) -> Result<SandboxView, ControlError> {
        self.send(Method::DELETE, &sandbox(account, "/faults"), None::<&()>, PATIENCE).await
    }

    /// Send a webhook out of turn, or let the next one misbehave.
    pub async fn send_webhook(
        &self,
        account: &PartnerAccountId,
        webhook: &SendWebhook,
    ) -> Result<WebhooksSent, ControlError> {
        self.send(Method::POST, &sandbox(account, "/webhooks"), Some(webhook), PATIENCE * 2).await
    }

    /// Send the webhooks that are held.
    pub async fn release_webhooks(
        &self,
        account: &PartnerAccountId,
        which: &ReleaseWebhooks,
    ) -> Result<WebhooksSent, ControlError> {
        self.send(Method::POST, &sandbox(account, "/webhooks/release"), Some(which), PATIENCE * 2).await
    }

    /// Arm a fault for the calls to come in an acquirer account: signing keys and webhooks.
    pub async fn arm_account_fault(&self, acquirer: &str, fault: &ArmFault) -> Result<(), ControlError> {
        self.order(Method::POST, &account(acquirer, "/faults"), Some(fault)).await
    }

    /// Lift the faults of an acquirer account.
    pub async fn lift_account_faults(&self, acquirer: &str) -> Result<(), ControlError> {
        self.order(Method::DELETE, &account(acquirer, "/faults"), None::<&()>).await
    }

    /// Let Klarna forget what an acquirer account has registered.
    pub async fn forget_registrations(
        &self,
        acquirer: &str,
        what: Registrations,
    ) -> Result<(), ControlError> {
        self.order(Method::POST, &account(acquirer, "/forget"), Some(&ForgetRegistrations { what })).await
    }

    /// Move a sandbox's clock.
    pub async fn set_clock(
        &self,
        account: &PartnerAccountId,
        body: &SetClock,
    ) -> Result<ClockView, ControlError> {
        self.send(Method::POST, &sandbox(account, "/clock"), Some(body), PATIENCE * 6).await
    }

    /// Read a sandbox's journal, or await entries in it.
    pub async fn journal(
        &self,
        account: &PartnerAccountId,
        query: &JournalQuery,
    ) -> Result<JournalPage, ControlError> {
        self.read_journal(&sandbox(account, "/journal"), query).await
    }

    /// Read the journal of an acquirer account, given by its id.
    pub async fn account_journal(
        &self,
        acquirer: &str,
        query: &JournalQuery,
    ) -> Result<JournalPage, ControlError> {
        self.read_journal(&account(acquirer, "/journal"), query).await
    }

    /// What the rulebook found; of one payment, if one is named.
    pub async fn findings(
        &self,
        account: &PartnerAccountId,
        payment: Option<&str>,
    ) -> Result<Findings, ControlError> {
        let query = payment.map(|payment| format!("?payment={}", encode(payment))).unwrap_or_default();
        self.send(Method::GET, &sandbox(account, &format!("/findings{query}")), None::<&()>, PATIENCE).await
    }

    /// What the rulebook found in an acquirer account's calls without a Partner account in their path.
    pub async fn account_findings(&self, acquirer: &str) -> Result<Findings, ControlError> {
        self.send(Method::GET, &account(acquirer, "/findings"), None::<&()>, PATIENCE).await
    }

    /// What the rulebook found in calls whose key opens no account.
    pub async fn lobby_findings(&self) -> Result<Findings, ControlError> {
        self.send(Method::GET, "findings", None::<&()>, PATIENCE).await
    }

    /// Read the journal of what belongs to no account: unknown paths, refused keys.
    pub async fn lobby_journal(&self, query: &JournalQuery) -> Result<JournalPage, ControlError> {
        self.read_journal("journal", query).await
    }

    async fn read_journal(&self, path: &str, query: &JournalQuery) -> Result<JournalPage, ControlError> {
        let pairs = serde_json::to_value(query).unwrap_or_default();
        let mut text = url::form_urlencoded::Serializer::new(String::new());
        for (name, value) in pairs.as_object().into_iter().flatten() {
            text.append_pair(name, &value.as_str().map_or_else(|| value.to_string(), str::to_owned));
        }
        let wait = Duration::from_millis(query.wait_ms.unwrap_or(0)) + PATIENCE;
        self.send(Method::GET, &format!("{path}?{}", text.finish()), None::<&()>, wait).await
    }

    /// A call whose answer, 204, says nothing more.
    async fn order<B: Serialize + ?Sized>(
        &self,
        method: Method,
        path: &str,
        body: Option<&B>,
    ) -> Result<(), ControlError> {
        self.exchange(method, path, body, PATIENCE).await.map(drop)
    }

    async fn send<B: Serialize + ?Sized, T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<&B>,
        patience: Duration,
    ) -> Result<T, ControlError> {
        let (url, bytes) = self.exchange(method, path, body, patience).await?;
        serde_json::from_slice(&bytes)
            .map_err(|error| ControlError::Unreadable { url, detail: error.to_string() })
    }

    /// Makes a call: its URL and what a success carried.
    async fn exchange<B: Serialize + ?Sized>(
        &self,
        method: Method,
        path: &str,
        body: Option<&B>,
        patience: Duration,
    ) -> Result<(String, bytes::Bytes), ControlError> {
        let url = format!("{}/_simulator/v1/{path}", self.base.as_str().trim_end_matches('/'));
        let mut request = self.http.request(method.clone(), &url).timeout(patience);
        if let Some(token) = &self.token {
            request = request.bearer_auth(token.expose_secret());
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let unreachable = |source| ControlError::Unreachable { url: url.clone(), source };
        let response = request.send().await.map_err(unreachable)?;
        let status = response.status();
        let bytes = response.bytes().await.map_err(unreachable)?;
        if !status.is_success() {
            let detail = String::from_utf8_lossy(&bytes).into_owned();
            return Err(ControlError::Refused {
                method: method.to_string(),
                url,
                status: status.as_u16(),
                detail,
            });
        }
        Ok((url, bytes))
    }
}

fn encode(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

fn sandbox(account: &PartnerAccountId, rest: &str) -> String {
    format!("sandboxes/{}{rest}", encode(account.as_str()))
}

fn account(acquirer: &str, rest: &str) -> String {
    format!("accounts/{}{rest}", encode(acquirer))
}
