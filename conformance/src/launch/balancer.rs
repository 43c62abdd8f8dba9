//! One address before several replicas of the built-in acquirer: each call goes to the next of them, so
//! what one of them kept to itself is missing at once.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use tokio::net::TcpListener;
use tokio_util::task::AbortOnDropHandle;
use url::Url;

use crate::wire::{Answer, Call, Pass, Unanswered, Wire, serve};

/// The balancer. It ends when dropped.
#[derive(Debug)]
pub(super) struct Balancer {
    base_url: Url,
    turns: Arc<Turns>,
    _listening: AbortOnDropHandle<()>,
}

#[derive(Debug)]
struct Turns {
    wire: Wire,
    /// Where the replicas listen; known once all of them do.
    replicas: OnceLock<Vec<Url>>,
    next: AtomicUsize,
}

impl Balancer {
    /// Listens on a free loopback port.
    ///
    /// # Errors
    /// When it cannot listen.
    pub(super) async fn start() -> Result<Self, String> {
        let wire = Wire::new(None).map_err(|error| error.to_string())?;
        let socket = TcpListener::bind(("127.0.0.1", 0)).await.map_err(|error| error.to_string())?;
        let address = socket.local_addr().map_err(|error| error.to_string())?;
        let base_url = Url::parse(&format!("http://{address}/")).map_err(|error| error.to_string())?;
        let turns = Arc::new(Turns { wire, replicas: OnceLock::new(), next: AtomicUsize::new(0) });
        let task = tokio::spawn(serve(socket, Arc::clone(&turns)));
        Ok(Self { base_url, turns, _listening: AbortOnDropHandle::new(task) })
    }

    /// Where everybody takes it for the acquirer.
    pub(super) fn base_url(&self) -> &Url {
        &self.base_url
    }

    /// Leads to these from now on.
    pub(super) fn lead_to(&self, replicas: Vec<Url>) {
        // Said once, by whoever has started them.
        let _ = self.turns.replicas.set(replicas);
    }
}

impl Pass for Turns {
    const NAME: &'static str = "the balancer";

    async fn pass(&self, call: Call) -> Result<Answer, Unanswered> {
        let nobody = Unanswered { why: "no replica listens yet".to_owned(), was_reached: false };
        let replicas = self.replicas.get().map_or(&[][..], Vec::as_slice);
        let first = self.next.fetch_add(1, Ordering::Relaxed);
        let mut last = nobody;
        for turn in 0..replicas.len() {
            let Some(replica) = replicas.get((first + turn) % replicas.len()) else { break };
            let url = format!("{}{}", replica.as_str().trim_end_matches('/'), call.target);
            match self.wire.send(url, &call).await {
                // A replica that is gone is passed by; one that took the call may have acted on it.
                Err(unanswered) if !unanswered.was_reached => last = unanswered,
                ended => return ended,
            }
        }
        Err(last)
    }
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::extract::OriginalUri;

    use super::*;

    /// Answers with its name and with what it was asked for.
    async fn replica(name: &'static str) -> (Url, AbortOnDropHandle<()>) {
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = Url::parse(&format!("http://{}/", socket.local_addr().unwrap())).unwrap();
        let says = move |OriginalUri(uri): OriginalUri| async move { format!("{name} {uri}") };
        let router = Router::new().fallback(says);
        let task = tokio::spawn(async move { axum::serve(socket, router).await.unwrap() });
        (url, AbortOnDropHandle::new(task))
    }

    #[tokio::test]
    async fn each_call_goes_to_the_next_and_passes_by_who_is_gone() {
        klarna_simulator::install_crypto_provider();
        let balancer = Balancer::start().await.unwrap();
        let (one, two, gone) = (replica("one").await, replica("two").await, replica("gone").await);
        let (unheard, task) = gone;
        drop(task);
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let url = balancer.base_url().join("v1/payments?a=%20b").unwrap();
        assert!(http.get(url.clone()).send().await.is_err(), "nobody is there yet");

        balancer.lead_to(vec![one.0, two.0, unheard]);
        let mut said = Vec::new();
        // By one connection: it is calls that are shared out.
        for _ in 0..6 {
            said.push(http.get(url.clone()).send().await.unwrap().text().await.unwrap());
        }
        said.sort();
        assert_eq!(said.iter().filter(|text| *text == "two /v1/payments?a=%20b").count(), 2, "{said:?}");
        assert_eq!(said.iter().filter(|text| *text == "one /v1/payments?a=%20b").count(), 4, "{said:?}");
    }
}
