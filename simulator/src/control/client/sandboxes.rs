//! Sandboxes: what is in one, its clock, its snapshots.

use klarna_schemas::ids::PartnerAccountId;
use klarna_schemas::simulator::control::{
    ClockView, Intent, MakeSnapshot, MintSessionToken, MintedSessionToken, PartnerKey, PresentationWish,
    PutSandbox, SandboxView, Sandboxes, SetClock, SnapshotView, Snapshots,
};
use reqwest::Method;

use super::{ControlClient, ControlError, PATIENCE, encode, sandbox};

impl ControlClient {
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

    /// All sandboxes, by account.
    pub async fn sandboxes(&self) -> Result<Sandboxes, ControlError> {
        self.send(Method::GET, "sandboxes", None::<&()>, PATIENCE).await
    }

    /// Delete a sandbox and all that is in it.
    pub async fn delete_sandbox(&self, account: &PartnerAccountId) -> Result<(), ControlError> {
        self.order(Method::DELETE, &sandbox(account, ""), None::<&()>).await
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

    /// Move a sandbox's clock.
    pub async fn set_clock(
        &self,
        account: &PartnerAccountId,
        body: &SetClock,
    ) -> Result<ClockView, ControlError> {
        self.send(Method::POST, &sandbox(account, "/clock"), Some(body), PATIENCE * 6).await
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
}
