//! Which payment account settles which currency.

use serde_json::json;

use crate::support::{ALPHA, Reply, Setup, order};

const SEK: &str = "krn:partner:global:account:payment-account:ALPHA001";
const EUR: &str = "krn:partner:global:account:payment-account:ALPHA002";

#[tokio::test]
async fn each_currency_goes_to_its_account() {
    let setup = Setup::new().await;
    setup.klarna.will([Reply::approved(), Reply::approved(), Reply::approved()]);
    let acquirer = setup
        .start_with(|settings| {
            settings.partners[0].klarna_payment_accounts = [("EUR".to_owned(), EUR.to_owned())].into();
        })
        .await;
    for (currency, account) in [("SEK", SEK), ("EUR", EUR), ("NOK", SEK)] {
        let mut order = order(&format!("tx-{currency}"));
        order["currency"] = currency.into();
        assert_eq!(acquirer.create(ALPHA, &order).await.1["status"], "approved");
        let call = setup.klarna.authorizes().pop().unwrap().json();
        assert_eq!(
            (&call["currency"], &call["acquiring_config"]["payment_account_id"]),
            (&currency.into(), &account.into())
        );
        let asked = json!({"currency": currency, "amount": 1, "locale": "sv-SE"});
        acquirer.payment_methods(ALPHA, &asked).await;
        let presentation = setup.klarna.presentations().pop().unwrap().asked();
        let named: Vec<_> =
            presentation.iter().filter(|(name, _)| name.contains("payment_account_id")).collect();
        assert_eq!(named[0].1, account);
    }
    acquirer.stop().await;
}

/// A currency without an account is refused before anything is stored or sent; a form does not offer Klarna.
#[tokio::test]
async fn a_currency_without_an_account_is_refused() {
    let setup = Setup::new().await;
    let acquirer = setup
        .start_with(|settings| {
            let alpha = &mut settings.partners[0];
            alpha.klarna_payment_account = None;
            alpha.klarna_payment_accounts = [("EUR".to_owned(), EUR.to_owned())].into();
        })
        .await;
    let (status, problem) = acquirer.create(ALPHA, &order("tx-1")).await;
    assert_eq!((status.as_u16(), &problem["errors"][0]["field"]), (400, &"currency".into()));
    let asked = json!({"currency": "SEK", "amount": 1, "locale": "sv-SE"});
    let methods: serde_json::Value = acquirer.payment_methods(ALPHA, &asked).await.json().await.unwrap();
    assert_eq!(methods, json!({"payment_methods": [{"type": "card", "name": "Card"}]}));
    assert!(setup.klarna.authorizes().is_empty() && setup.klarna.presentations().is_empty());
    // The reference is free still.
    setup.klarna.will([Reply::approved()]);
    let mut order = order("tx-1");
    order["currency"] = "EUR".into();
    assert_eq!(acquirer.create(ALPHA, &order).await.1["status"], "approved");
    acquirer.stop().await;
}
