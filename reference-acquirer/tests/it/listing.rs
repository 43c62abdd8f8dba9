//! `GET /v1/payments`: pages, filters, cursors.

use http::StatusCode;
use klarna_schemas::catalogue;
use reference_acquirer::config::Settings;
use serde_json::Value;

use crate::support::{ALPHA, Acquirer, BETA, Database, Reply, Setup, client, on_both, order};

on_both! {
    every_payment_is_on_one_page_newest_first
    filters_leave_out_what_does_not_fit
}

async fn start(setup: &Setup, database: &Database) -> Acquirer {
    let url = database.url();
    setup.start_with(|settings: &mut Settings| settings.database = url.into()).await
}

async fn list(acquirer: &Acquirer, key: &str, query: &[(&str, &str)]) -> (StatusCode, Value) {
    let url = format!("{}/v1/payments", acquirer.base_url);
    let response = client().get(url).query(query).bearer_auth(key).send().await.unwrap();
    let status = response.status();
    let body: Value = response.json().await.unwrap();
    let schema = if status.is_success() { "acquirer/payment-list" } else { "acquirer/problem" };
    assert_eq!(catalogue::check(schema, &body), Ok(Vec::new()), "{body:#}");
    (status, body)
}

fn references(page: &Value) -> Vec<String> {
    let payments = page["payments"].as_array().unwrap();
    payments.iter().map(|payment| payment["reference"].as_str().unwrap().to_owned()).collect()
}

async fn every_payment_is_on_one_page_newest_first(database: &Database) {
    let setup = Setup::new().await;
    let acquirer = start(&setup, database).await;
    setup.klarna.will((0..8).map(|_| Reply::declined()));
    for number in 0..7 {
        acquirer.create(ALPHA, &order(&format!("tx-{number}"))).await;
    }
    acquirer.create(BETA, &order("betas")).await;
    let mut seen = Vec::new();
    let mut cursor: Option<String> = None;
    let mut pages = 0;
    loop {
        let mut query = vec![("limit", "3")];
        query.extend(cursor.as_deref().map(|cursor| ("cursor", cursor)));
        let (_, page) = list(&acquirer, ALPHA, &query).await;
        seen.extend(references(&page));
        pages += 1;
        if pages == 1 {
            // What comes meanwhile moves nothing.
            setup.klarna.will([Reply::declined()]);
            acquirer.create(ALPHA, &order("late")).await;
        }
        match page["next_cursor"].as_str() {
            Some(next) => cursor = Some(next.to_owned()),
            None => break,
        }
    }
    assert_eq!(seen, ["tx-6", "tx-5", "tx-4", "tx-3", "tx-2", "tx-1", "tx-0"]);
    assert_eq!(pages, 3);
    assert_eq!(references(&list(&acquirer, BETA, &[]).await.1), ["betas"]);
    // A cursor is a place, and shows nobody another's payments.
    let (_, page) = list(&acquirer, BETA, &[("cursor", &cursor.unwrap())]).await;
    assert!(references(&page).iter().all(|reference| reference == "betas"));
    acquirer.stop().await;
}

async fn filters_leave_out_what_does_not_fit(database: &Database) {
    let setup = Setup::new().await;
    let acquirer = start(&setup, database).await;
    setup.klarna.will([Reply::approved(), Reply::declined(), Reply::step_up()]);
    for reference in ["approved", "declined", "step"] {
        acquirer.create(ALPHA, &order(reference)).await;
    }
    setup.klarna.send_event("e-1", "COMPLETED", setup.klarna.authorizes().last().unwrap()).await;
    // Nothing is scripted for the final call, so it fails in all attempts.
    setup.partner.await_notifications(3).await;
    let all = list(&acquirer, ALPHA, &[]).await.1;
    let created = |index: usize| all["payments"][index]["created_at"].as_str().unwrap().to_owned();
    let (newest, oldest) = (created(0), created(2));
    for (query, expected) in [
        (vec![("status", "approved")], vec!["approved"]),
        (vec![("status", "failed")], vec!["step"]),
        (vec![("status", "pending")], vec![]),
        (vec![("reference", "declined")], vec!["declined"]),
        (vec![("reference", "declined"), ("status", "approved")], vec![]),
        (vec![("created_from", newest.as_str())], vec!["step"]),
        (vec![("created_to", newest.as_str())], vec!["declined", "approved"]),
        (vec![("created_from", oldest.as_str()), ("created_to", oldest.as_str())], vec![]),
        (vec![("created_from", "2020-01-01T00:00:00+01:00")], vec!["step", "declined", "approved"]),
    ] {
        assert_eq!(references(&list(&acquirer, ALPHA, &query).await.1), expected, "{query:?}");
    }
    for (name, value) in [
        ("status", "paid"),
        ("reference", "a\0b"),
        ("created_from", "now"),
        ("created_to", ""),
        ("limit", "0"),
        ("limit", "101"),
        ("cursor", "\0"),
        ("cursor", "MQ"),
        ("page", "2"),
    ] {
        let (status, problem) = list(&acquirer, ALPHA, &[(name, value)]).await;
        assert_eq!(
            (status, &problem["errors"][0]["field"]),
            (StatusCode::BAD_REQUEST, &name.into()),
            "{value:?}"
        );
    }
    acquirer.stop().await;
}
