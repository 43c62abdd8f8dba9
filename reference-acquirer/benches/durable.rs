//! Durable payments per second on SQLite, against what a bare loop of commits reaches on the same disk
//! in the same run: `cargo bench -p reference-acquirer --bench durable [-- SECONDS]`.
//!
//! A payment is counted when the Partner is told `approved` over HTTP, after the acquirer has called a
//! Klarna that answers at once; by then all of it is committed with `synchronous = FULL`, as the bare
//! loop's rows are. The two are measured in turns, so that a disk that is slow for a while is so for both.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a measurement may be blunt, and is to be read"
)]

use std::path::Path;
use std::str::FromStr as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::response::{IntoResponse as _, Response};
use http::header::CONTENT_TYPE;
use reference_acquirer::config::{self, Sources};
use reference_acquirer::server::Server;
use serde_json::json;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _};
use tokio::net::TcpListener;

const KEY: &str = "bench-key";

/// Partners at once.
const PARTNERS: usize = 64;

/// How often each is measured.
const TURNS: u32 = 3;

fn main() {
    let seconds = std::env::args().find_map(|arg| arg.parse().ok()).unwrap_or(3);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(measure(Duration::from_secs(seconds)));
}

async fn measure(time: Duration) {
    // Beside the program: what is temporary is often kept in memory, where a commit costs nothing.
    let folder = tempfile::tempdir_in(std::env::current_exe().unwrap().parent().unwrap()).unwrap();
    let klarna = klarna().await;
    let server = acquirer(folder.path(), &klarna).await;
    let (mut commits, mut payments) = (0.0, 0.0);
    for turn in 1..=TURNS {
        let bare = bare_commits(&folder.path().join("bare.db"), time).await;
        let made = payments_made(&server, turn, time).await;
        println!("turn {turn}: {bare:.0} bare commits/s, {made:.0} durable payments/s");
        commits += bare;
        payments += made;
    }
    server.stop().await;
    println!("payments per bare commit: {:.2}", payments / commits);
}

/// One row a transaction, as fast as they go.
async fn bare_commits(file: &Path, time: Duration) -> f64 {
    let options = SqliteConnectOptions::from_str(&format!("sqlite://{}", file.display())).unwrap();
    let options = options.create_if_missing(true).journal_mode(SqliteJournalMode::Wal);
    let mut connection = options.synchronous(SqliteSynchronous::Full).connect().await.unwrap();
    sqlx::query("CREATE TABLE IF NOT EXISTS rows (id INTEGER PRIMARY KEY, text TEXT)")
        .execute(&mut connection)
        .await
        .unwrap();
    let (began, mut count) = (Instant::now(), 0.0);
    while began.elapsed() < time {
        let mut transaction = connection.begin().await.unwrap();
        sqlx::query("INSERT INTO rows (text) VALUES ('a row')").execute(&mut *transaction).await.unwrap();
        transaction.commit().await.unwrap();
        count += 1.0;
    }
    count / began.elapsed().as_secs_f64()
}

async fn payments_made(server: &Server, turn: u32, time: Duration) -> f64 {
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = server.base_url().join("v1/payments").unwrap();
    let count = AtomicU64::new(0);
    let began = Instant::now();
    let partners = (0..PARTNERS).map(|partner| {
        let (http, url, count) = (&http, &url, &count);
        async move {
            for number in 0.. {
                let order = order(&format!("{turn}-{partner}-{number}"));
                let request =
                    http.post(url.clone()).bearer_auth(KEY).header(CONTENT_TYPE, "application/json");
                let answer = request.body(order).send().await.unwrap();
                assert_eq!(answer.status(), 201, "{:?}", answer.text().await);
                if began.elapsed() >= time {
                    return;
                }
                count.fetch_add(1, Ordering::Relaxed);
            }
        }
    });
    futures::future::join_all(partners).await;
    let count = u32::try_from(count.load(Ordering::Relaxed)).unwrap();
    f64::from(count) / time.as_secs_f64()
}

fn order(reference: &str) -> String {
    json!({"reference": reference, "amount": 45900, "currency": "SEK", "mode": "redirect",
        "purchase_reference": reference, "return_url": "https://shop.test/back",
        "order_lines": [{"name": "Shoe", "quantity": 1, "total_amount": 45900}],
        "customer": {"given_name": "Alva", "family_name": "Ek", "email": "customer+se@klarna.com",
            "phone": "+46700000000"},
        "billing_address": {"street_address": "Gatan 1", "postal_code": "11122", "city": "Stockholm",
            "country": "SE"}})
    .to_string()
}

async fn acquirer(folder: &Path, klarna: &str) -> Server {
    let file = folder.join("acquirer.toml");
    let text = format!(
        r#"
        listen = "127.0.0.1:0"
        database = "sqlite://{folder}/acquirer.db"
        database_key = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
        [klarna]
        base_url = "{klarna}"
        api_key = "klarna_test_api_local"
        [logs]
        filter = "error"
        [[partners]]
        name = "bench"
        api_key = "{KEY}"
        klarna_partner_account = "krn:partner:global:account:test:ALPHA001"
        "#,
        folder = folder.display(),
    );
    std::fs::write(&file, text).unwrap();
    Server::start(config::load(&Sources { file: Some(file), ..Sources::default() }).unwrap()).await.unwrap()
}

/// Approves whatever it is asked.
async fn klarna() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(approve)).await });
    url
}

async fn approve(_read_whole: Bytes) -> Response {
    let answer = json!({"payment_transaction_response": {"result": "APPROVED",
        "payment_transaction": {"payment_transaction_id": "krn:payment:eu1:transaction:1"}}});
    ([(CONTENT_TYPE, "application/json")], answer.to_string()).into_response()
}
