//! Network data: dropped, or written again.

use serde_json::{Value, json};

use super::{authorize, between};

#[tokio::test]
async fn network_data_is_dropped_or_written_again() {
    let body =
        json!({"currency": "SEK", "klarna_network_data": "{ \"b\":1.0,\"a\":\"\\u00e9\"}"}).to_string();
    let (klarna, proxy, http) = between("network-data-dropped").await;
    authorize(&proxy, &http, &body, None, None).await;
    assert_eq!(serde_json::from_slice::<Value>(&klarna.last().body).unwrap(), json!({"currency": "SEK"}));
    let (klarna, proxy, http) = between("network-data-reserialised").await;
    authorize(&proxy, &http, &body, Some("token"), None).await;
    assert_eq!(klarna.last().json()["klarna_network_data"], "{\"a\":\"é\",\"b\":1}");
}
