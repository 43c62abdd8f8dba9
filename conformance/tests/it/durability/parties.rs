//! Who stands around the acquirers: a balancer before them, and a Partner that listens.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use http::{HeaderMap, StatusCode};
use serde_json::Value;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};

/// One address before many: each connection goes to the next that takes it, in turn. That of a run
/// (`launch/balancer.rs`) shares out calls, and gives up none that was taken; here whoever is killed takes
/// its connections with it, and nobody makes up for it.
#[derive(Debug, Clone)]
pub(super) struct Balancer {
    pub(super) url: String,
    behind: Arc<Mutex<Vec<SocketAddr>>>,
}

impl Balancer {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let behind: Arc<Mutex<Vec<SocketAddr>>> = Arc::default();
        let turn = Arc::new(AtomicUsize::new(0));
        let known = Arc::clone(&behind);
        tokio::spawn(async move {
            while let Ok((mut caller, _)) = listener.accept().await {
                let (known, turn) = (Arc::clone(&known), Arc::clone(&turn));
                tokio::spawn(async move {
                    let mut behind = known.lock().unwrap().clone();
                    let first = turn.fetch_add(1, Ordering::Relaxed) % behind.len().max(1);
                    behind.rotate_left(first);
                    for address in behind {
                        if let Ok(mut called) = TcpStream::connect(address).await {
                            // However it ends, both ends see it.
                            let _ = copy_bidirectional(&mut caller, &mut called).await;
                            return;
                        }
                    }
                });
            }
        });
        Self { url, behind }
    }

    pub(super) fn lead_to(&self, addresses: Vec<SocketAddr>) {
        *self.behind.lock().unwrap() = addresses;
    }
}

/// What a Partner was told: by id, the body, the same each time.
#[derive(Debug, Clone, Default)]
pub(super) struct Ears(Arc<Mutex<BTreeMap<String, Value>>>);

impl Ears {
    /// Listens, and answers where.
    pub(super) async fn start() -> (Self, String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/ears", listener.local_addr().unwrap());
        let ears = Self::default();
        let router = Router::new().fallback(hear).with_state(ears.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        (ears, url)
    }

    /// Of each of its payments: the outcomes that it was told, by different ids.
    pub(super) fn ends(&self) -> BTreeMap<String, Vec<String>> {
        let mut ends: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for told in self.0.lock().unwrap().values() {
            let text = |name: &str| told["data"][name].as_str().unwrap().to_owned();
            ends.entry(text("reference")).or_default().push(text("status"));
        }
        ends
    }
}

async fn hear(State(ears): State<Ears>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let id = headers["webhook-id"].to_str().unwrap().to_owned();
    let told: Value = serde_json::from_slice(&body).unwrap();
    let mut all = ears.0.lock().unwrap();
    if all.get(&id).is_some_and(|earlier| *earlier != told) {
        // Nobody would see a panic here; a second outcome of this name is seen.
        all.insert(format!("{id} again"), told);
    } else {
        all.insert(id, told);
    }
    StatusCode::NO_CONTENT
}
