//! The Partners of a scenario: each with a sandbox of its own at Klarna.

use klarna_schemas::ids::PartnerAccountId;
use klarna_schemas::simulator::control::{JournalQuery, PutSandbox};
use serde_json::Value;

use super::World;
use super::checks::finding;
use super::context::{Lease, RunContext};
use super::failure::Failure;
use super::journal::AUTHORIZE;
use super::orders;
use crate::adapter::PartnerBinding;

/// A Partner, leased for the scenario, and its fresh sandbox.
#[derive(Debug)]
pub(super) struct Seat {
    lease: Lease,
    pub(super) epoch: u64,
}

impl Seat {
    /// Opens a fresh sandbox for a leased Partner.
    pub(super) async fn take(run: &RunContext, lease: Lease, seed: u64) -> Result<Self, Failure> {
        let fresh = PutSandbox { seed: Some(seed), ..PutSandbox::default() };
        let sandbox = run.control.put_sandbox(&lease.partner().klarna_account, &fresh).await?;
        Ok(Self { lease, epoch: sandbox.epoch })
    }
}

impl World {
    /// The Partner whose turn it is.
    pub fn partner(&self) -> &PartnerBinding {
        self.seat().lease.partner()
    }

    /// Its account at Klarna.
    pub fn account(&self) -> &PartnerAccountId {
        &self.partner().klarna_account
    }

    pub(super) fn seat(&self) -> &Seat {
        // Seats are only ever added, and a turn is only ever given to one that is there.
        self.seats.get(self.turn).unwrap_or_else(|| unreachable!("a turn without a seat"))
    }

    /// Takes another Partner of the same acquirer, and gives it the turn.
    ///
    /// # Errors
    /// When the acquirer has one Partner only.
    pub async fn seat_another_partner(&mut self) -> Result<(), Failure> {
        if self.run.adapter.partners().len() <= self.seats.len() {
            let why = "the adapter names one Partner only: there is no other whose account could be called";
            return Err(Failure::NothingToJudge(why.to_owned()));
        }
        // Two scenarios that each hold one Partner and wait for a second would wait for ever.
        if !self.scenario.needs.exclusive {
            return Err(Failure::misused("two Partners in one scenario: tag it @exclusive"));
        }
        let lease = self.run.pool.lease().await;
        let seed = self.run.scenario_seed(&format!("{} {}", self.scenario.id, self.seats.len()));
        let seat = Seat::take(&self.run, lease, seed).await?;
        self.seats.push(seat);
        self.turn = self.seats.len() - 1;
        self.order = orders::sample(&self.run, &self.scenario.id, self.payments.len() + 1);
        Ok(())
    }

    /// Gives the turn back to the Partner that the scenario began with.
    pub fn back_to_first_partner(&mut self) {
        self.turn = 0;
        self.fenced = false;
    }

    /// Asks that each Partner's account at Klarna saw its own payments and no others; proved by
    /// order, see [`World::fence`].
    ///
    /// # Errors
    /// When a call stands in the wrong account.
    pub async fn must_keep_accounts_apart(&mut self) -> Result<(), Failure> {
        let turn = self.turn;
        for seat in 0..self.seats.len() {
            self.turn = seat;
            self.fenced = false;
            self.fence().await?;
        }
        let mut strays = Ok(());
        for seat in 0..self.seats.len() {
            self.turn = seat;
            strays = self.strays_in(seat).await;
            if strays.is_err() {
                break;
            }
        }
        self.turn = turn;
        strays
    }

    /// Asks that the initial authorize carries the acquirer's own API key.
    ///
    /// # Errors
    /// When it carries another.
    pub async fn must_use_own_api_key(&mut self) -> Result<(), Failure> {
        let call = self.initial_call().await?;
        let shown = call.entry.request.header("authorization").unwrap_or("none").to_owned();
        let own = self.run.acquirer.api_key_fingerprint();
        self.judged("api-key.own", 1);
        if shown.contains(&own) {
            return Ok(());
        }
        let mut finding = finding(
            "api-key.own",
            &self.scenario.duties,
            "authorize request, header Authorization",
            "the call carries another API key than the acquirer's",
        );
        finding.expected = Some(format!("the key with the fingerprint {own}"));
        finding.got = Some(shown);
        finding.exchanges = vec![call.entry.seq];
        self.weigh(finding, None).await
    }

    async fn strays_in(&self, seat: usize) -> Result<(), Failure> {
        let own: Vec<i64> =
            self.payments.iter().filter(|payment| payment.seat == seat).map(|one| one.order.amount).collect();
        let calls = JournalQuery { operation: Some(AUTHORIZE.to_owned()), ..JournalQuery::default() };
        for entry in self.entries(calls).await? {
            self.judged("partner.own-account", 1);
            let body = entry.request.json().unwrap_or_default();
            let amount = body.pointer("/request_payment_transaction/amount").and_then(Value::as_i64);
            if amount.is_some_and(|amount| own.contains(&amount)) {
                continue;
            }
            let mut finding = finding(
                "partner.own-account",
                &self.scenario.duties,
                format!("the account {}", self.account()),
                "an authorize stands here that is about another Partner's payment",
            );
            finding.expected = Some(format!("amounts of this Partner's orders: {own:?}"));
            finding.got = Some(amount.map_or_else(|| "no amount".to_owned(), |amount| amount.to_string()));
            finding.exchanges = vec![entry.seq];
            return Err(Failure::found(finding));
        }
        Ok(())
    }
}
