//! What Klarna decides, what troubles its calls and webhooks, and how it has evolved.

use klarna_schemas::ids::PartnerAccountId;
use klarna_schemas::simulator::control::{
    ArmFault, FaultsView, ForgetRegistrations, QueuedOutcome, Registrations, ReleaseWebhooks, SandboxView,
    SendWebhook, SetEvolution, WebhooksSent, WebhooksView,
};
use klarna_schemas::simulator::rules::{Explain, Explanation, RulesFile, RulesFileView, RulesView};
use reqwest::Method;

use super::{ControlClient, ControlError, PATIENCE, account, sandbox};

impl ControlClient {
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

    /// Let Klarna evolve in these ways, and in no others.
    pub async fn evolve(
        &self,
        account: &PartnerAccountId,
        kinds: &SetEvolution,
    ) -> Result<SetEvolution, ControlError> {
        self.send(Method::PUT, &sandbox(account, "/evolution"), Some(kinds), PATIENCE).await
    }

    /// In which ways Klarna has evolved.
    pub async fn evolution(&self, account: &PartnerAccountId) -> Result<SetEvolution, ControlError> {
        self.send(Method::GET, &sandbox(account, "/evolution"), None::<&()>, PATIENCE).await
    }

    /// Arm a fault for the calls to come in a sandbox.
    pub async fn arm_fault(
        &self,
        account: &PartnerAccountId,
        fault: &ArmFault,
    ) -> Result<SandboxView, ControlError> {
        self.send(Method::POST, &sandbox(account, "/faults"), Some(fault), PATIENCE).await
    }

    /// Look at the faults that are armed in a sandbox, and how many calls each still meets.
    pub async fn armed_faults(&self, account: &PartnerAccountId) -> Result<FaultsView, ControlError> {
        self.send(Method::GET, &sandbox(account, "/faults"), None::<&()>, PATIENCE).await
    }

    /// Lift the faults of a sandbox; calls that stall are let go.
    pub async fn lift_faults(&self, account: &PartnerAccountId) -> Result<SandboxView, ControlError> {
        self.send(Method::DELETE, &sandbox(account, "/faults"), None::<&()>, PATIENCE).await
    }

    /// Arm a fault for the calls to come in an acquirer account: signing keys and webhooks.
    pub async fn arm_account_fault(&self, acquirer: &str, fault: &ArmFault) -> Result<(), ControlError> {
        self.order(Method::POST, &account(acquirer, "/faults"), Some(fault)).await
    }

    /// Look at the faults that are armed in an acquirer account.
    pub async fn armed_account_faults(&self, acquirer: &str) -> Result<FaultsView, ControlError> {
        self.send(Method::GET, &account(acquirer, "/faults"), None::<&()>, PATIENCE).await
    }

    /// Lift the faults of an acquirer account.
    pub async fn lift_account_faults(&self, acquirer: &str) -> Result<(), ControlError> {
        self.order(Method::DELETE, &account(acquirer, "/faults"), None::<&()>).await
    }

    /// Send a webhook out of turn, or let the next one misbehave.
    pub async fn send_webhook(
        &self,
        account: &PartnerAccountId,
        webhook: &SendWebhook,
    ) -> Result<WebhooksSent, ControlError> {
        self.send(Method::POST, &sandbox(account, "/webhooks"), Some(webhook), PATIENCE * 2).await
    }

    /// Look at the misbehaviours that wait for their webhooks, and at the webhooks that are held.
    pub async fn waiting_webhooks(&self, account: &PartnerAccountId) -> Result<WebhooksView, ControlError> {
        self.send(Method::GET, &sandbox(account, "/webhooks"), None::<&()>, PATIENCE).await
    }

    /// Send the webhooks that are held.
    pub async fn release_webhooks(
        &self,
        account: &PartnerAccountId,
        which: &ReleaseWebhooks,
    ) -> Result<WebhooksSent, ControlError> {
        self.send(Method::POST, &sandbox(account, "/webhooks/release"), Some(which), PATIENCE * 2).await
    }

    /// Let Klarna forget what an acquirer account has registered.
    pub async fn forget_registrations(
        &self,
        acquirer: &str,
        what: Registrations,
    ) -> Result<(), ControlError> {
        self.order(Method::POST, &account(acquirer, "/forget"), Some(&ForgetRegistrations { what })).await
    }
}
