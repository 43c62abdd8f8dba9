//! An acquirer with short timers, between a fake Klarna and a fake Partner.

use std::path::PathBuf;

use http::StatusCode;
use reference_acquirer::config::{self, Settings, Sources};
use reference_acquirer::server::Server;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::database::DATABASE_KEY;
use super::klarna::client;
use super::{FakeKlarna, FakePartner, partner};

/// Keys of the two Partners; only alpha has ears.
pub(crate) const ALPHA: &str = "alpha-test-key";
pub(crate) const BETA: &str = "beta-test-key";

/// The neighbours and a folder for the database; outlives the acquirers that use it.
pub(crate) struct Setup {
    pub(crate) klarna: FakeKlarna,
    pub(crate) partner: FakePartner,
    folder: TempDir,
}

pub(crate) struct Acquirer {
    pub(crate) base_url: String,
    server: Server,
}

impl Setup {
    pub(crate) async fn new() -> Self {
        Self {
            klarna: FakeKlarna::start().await,
            partner: FakePartner::start().await,
            folder: tempfile::tempdir().unwrap(),
        }
    }

    pub(crate) fn config_file(&self) -> PathBuf {
        self.write_config("acquirer.toml", &self.database())
    }

    /// The same with another database.
    pub(crate) fn config_file_on(&self, database: &str) -> PathBuf {
        self.write_config("elsewhere.toml", database)
    }

    fn write_config(&self, name: &str, database: &str) -> PathBuf {
        let file = self.folder.path().join(name);
        let text = format!(
            r#"
            listen = "127.0.0.1:0"
            database = "{database}"
            database_key = "{DATABASE_KEY}"
            [klarna]
            base_url = "{klarna}"
            api_key = "klarna_test_api_local"
            timeout_ms = 5000
            retry = {{ attempts = 4, first_ms = 1, max_ms = 5 }}
            [outbox]
            poll_ms = 5
            [notifications]
            retry = {{ first_ms = 1, max_ms = 5 }}
            [klarna.withdraw]
            attempts = 3
            first_ms = 1
            max_ms = 5
            [klarna.operations]
            attempts = 4
            first_ms = 1
            max_ms = 5
            [registration]
            check_gap_ms = 1
            retry = {{ first_ms = 1, max_ms = 5 }}
            [return]
            wait_ms = 15000
            [logs]
            filter = "warn"
            [[partners]]
            name = "alpha"
            api_key = "{ALPHA}"
            klarna_partner_account = "krn:partner:global:account:test:ALPHA001"
            klarna_payment_account = "krn:partner:global:account:payment-account:ALPHA001"
            notification_url = "{ears}"
            notification_secret = "{secret}"
            [[partners]]
            name = "beta"
            api_key = "{BETA}"
            klarna_partner_account = "krn:partner:global:account:test:BETA0001"
            "#,
            klarna = self.klarna.base_url,
            ears = self.partner.url,
            secret = partner::secret(),
        );
        std::fs::write(&file, text).unwrap();
        file
    }

    pub(crate) fn database(&self) -> String {
        format!("sqlite://{}", self.folder.path().join("acquirer.db").display())
    }

    pub(crate) fn settings(&self) -> Settings {
        config::load(&Sources { file: Some(self.config_file()), ..Sources::default() }).unwrap()
    }

    pub(crate) async fn start(&self) -> Acquirer {
        self.start_with(|_| {}).await
    }

    pub(crate) async fn start_with(&self, change: impl FnOnce(&mut Settings)) -> Acquirer {
        let mut settings = self.settings();
        change(&mut settings);
        let server = Server::start(settings).await.unwrap();
        Acquirer { base_url: server.base_url().as_str().trim_end_matches('/').to_owned(), server }
    }
}

impl Acquirer {
    pub(crate) async fn create(&self, key: &str, order: &Value) -> (StatusCode, Value) {
        let response = client()
            .post(format!("{}/v1/payments", self.base_url))
            .bearer_auth(key)
            .header("content-type", "application/json")
            .body(order.to_string())
            .send()
            .await
            .unwrap();
        (response.status(), response.json().await.unwrap())
    }

    /// Posts to `/v1/payments/{what}`.
    pub(crate) async fn post(&self, key: &str, what: &str, body: &Value) -> (StatusCode, Value) {
        let response = self.posting(key, what, body).send().await.unwrap();
        (response.status(), response.json().await.unwrap())
    }

    /// The request that [`Self::post`] makes, for more to be added.
    pub(crate) fn posting(&self, key: &str, what: &str, body: &Value) -> reqwest::RequestBuilder {
        client()
            .post(format!("{}/v1/payments/{what}", self.base_url))
            .bearer_auth(key)
            .header("content-type", "application/json")
            .body(body.to_string())
    }

    /// The raw answer to a request for the payment methods.
    pub(crate) async fn payment_methods(&self, key: &str, wanted: &Value) -> reqwest::Response {
        client()
            .post(format!("{}/v1/payment-methods", self.base_url))
            .bearer_auth(key)
            .header("content-type", "application/json")
            .body(wanted.to_string())
            .send()
            .await
            .unwrap()
    }

    pub(crate) async fn read(&self, key: &str, payment_id: &str) -> (StatusCode, Value) {
        let url = format!("{}/v1/payments/{payment_id}", self.base_url);
        let response = client().get(url).bearer_auth(key).send().await.unwrap();
        (response.status(), response.json().await.unwrap())
    }

    pub(crate) async fn stop(self) {
        self.server.stop().await;
    }
}

/// An order with every field, but for network data and session token.
pub(crate) fn order(reference: &str) -> Value {
    json!({
        "reference": reference,
        "amount": 45900,
        "currency": "SEK",
        "purchase_reference": "ORDER-5501",
        "order_lines": [
            {"name": "Trail shoe", "quantity": 1, "unit_price": 41000, "total_amount": 41000,
             "total_tax_amount": 8200, "reference": "sku-1", "product_url": "https://shop.test/p/1",
             "image_url": "https://shop.test/p/1.png"},
            {"name": "Parcel", "quantity": 1, "total_amount": 4900},
        ],
        "customer": {"given_name": "Alva", "family_name": "Ek", "email": "customer+se@klarna.com",
            "phone": "+46700000000", "date_of_birth": "1990-01-31"},
        "billing_address": {"street_address": "Gatan 1", "street_address2": "lgh 2", "postal_code": "11122",
            "city": "Stockholm", "region": "AB", "country": "SE"},
        "shipping_address": {"street_address": "Vägen 9", "postal_code": "41101", "city": "Göteborg",
            "country": "SE"},
        "return_url": "https://shop.test/back?order=1",
        "app_return_url": "shopapp://back",
        "mode": "redirect",
    })
}
