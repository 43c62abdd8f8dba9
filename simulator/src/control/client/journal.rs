//! What happened: journals, and findings.

use std::time::Duration;

use futures::Stream;
use klarna_schemas::ids::PartnerAccountId;
use klarna_schemas::simulator::control::{Findings, JournalExport, JournalQuery};
use klarna_schemas::simulator::journal::JournalPage;
use reqwest::Method;
use serde::Serialize;

use super::follow::{self, Followed};
use super::{ControlClient, ControlError, PATIENCE, account, encode, sandbox, with_query};

/// The query of an export: the journal's, and how it is written out.
#[derive(Serialize)]
struct Exported<'a> {
    #[serde(flatten)]
    query: &'a JournalQuery,
    #[serde(flatten)]
    export: JournalExport,
}

impl ControlClient {
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

    /// Follow a sandbox's journal: each entry as it is written down, until you drop the stream or the sandbox is
    /// gone. `query.after` reads on behind what you have; a stream takes no `limit`, `min` and `wait_ms`.
    pub async fn follow_journal(
        &self,
        account: &PartnerAccountId,
        query: &JournalQuery,
    ) -> Result<impl Stream<Item = Result<Followed, ControlError>> + Send + use<>, ControlError> {
        self.follow(&sandbox(account, "/journal/stream"), query).await
    }

    /// The same for the journal of an acquirer account.
    pub async fn follow_account_journal(
        &self,
        acquirer: &str,
        query: &JournalQuery,
    ) -> Result<impl Stream<Item = Result<Followed, ControlError>> + Send + use<>, ControlError> {
        self.follow(&account(acquirer, "/journal/stream"), query).await
    }

    /// Write a sandbox's journal out: the text of a file.
    pub async fn export_journal(
        &self,
        account: &PartnerAccountId,
        query: &JournalQuery,
        export: JournalExport,
    ) -> Result<String, ControlError> {
        self.export(&sandbox(account, "/journal/export"), query, export).await
    }

    /// The same for the journal of an acquirer account.
    pub async fn export_account_journal(
        &self,
        acquirer: &str,
        query: &JournalQuery,
        export: JournalExport,
    ) -> Result<String, ControlError> {
        self.export(&account(acquirer, "/journal/export"), query, export).await
    }

    /// Read the journal of what belongs to no account: unknown paths, refused keys.
    pub async fn lobby_journal(&self, query: &JournalQuery) -> Result<JournalPage, ControlError> {
        self.read_journal("journal", query).await
    }

    /// The same, entry by entry as they are written down.
    pub async fn follow_lobby_journal(
        &self,
        query: &JournalQuery,
    ) -> Result<impl Stream<Item = Result<Followed, ControlError>> + Send + use<>, ControlError> {
        self.follow("journal/stream", query).await
    }

    /// The same: the text of a file.
    pub async fn export_lobby_journal(
        &self,
        query: &JournalQuery,
        export: JournalExport,
    ) -> Result<String, ControlError> {
        self.export("journal/export", query, export).await
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

    async fn read_journal(&self, path: &str, query: &JournalQuery) -> Result<JournalPage, ControlError> {
        let wait = Duration::from_millis(query.wait_ms.unwrap_or(0)) + PATIENCE;
        self.send(Method::GET, &with_query(path, query), None::<&()>, wait).await
    }

    async fn follow(
        &self,
        path: &str,
        query: &JournalQuery,
    ) -> Result<impl Stream<Item = Result<Followed, ControlError>> + Send + use<>, ControlError> {
        let (url, response) = self.open(Method::GET, &with_query(path, query), None::<&()>, None).await?;
        Ok(follow::entries(url, response))
    }

    async fn export(
        &self,
        path: &str,
        query: &JournalQuery,
        export: JournalExport,
    ) -> Result<String, ControlError> {
        let path = with_query(path, &Exported { query, export });
        let (url, bytes) = self.exchange(Method::GET, &path, None::<&()>, PATIENCE * 6).await?;
        String::from_utf8(bytes.into())
            .map_err(|error| ControlError::Unreadable { url, detail: error.to_string() })
    }
}
