//! Puts the parts together, starts them and stops them.

use std::net::SocketAddr;
use std::sync::Arc;

use secrecy::ExposeSecret as _;
use tokio::net::TcpListener;
use tokio::sync::{Notify, broadcast, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use url::Url;

use crate::config::Settings;
use crate::http::auth::Keys;
use crate::http::{self, Api, WEBHOOKS_PATH};
use crate::klarna::client::{ClientError, KlarnaClient};
use crate::klarna::subscribe::{Subscriber, Subscription};
use crate::payments::service::PaymentService;
use crate::store::{self, NotAKey, Sealer, StoreError, StoredSigningKey};
use crate::workers::Workers;
use crate::workers::notify::Notifier;
use crate::{chance, clock, telemetry};

/// Changes that a waiting customer may lag behind before he has to look again.
const CHANGES_KEPT: usize = 1024;

/// Why a server cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address is taken, or not this machine's.
    #[error("cannot listen on {address}: {source}; choose another with --listen, port 0 takes a free one")]
    Listen {
        /// Which address.
        address: SocketAddr,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The database cannot be opened.
    #[error("cannot open the database: {0}")]
    Store(#[from] StoreError),
    /// What is secret in the database cannot be encrypted.
    #[error("database_key {0}")]
    DatabaseKey(#[from] NotAKey),
    /// The HTTP clients cannot be set up.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The public URL cannot be made from the address.
    #[error("the public URL is no URL: {0}")]
    PublicUrl(#[from] url::ParseError),
}

/// A running acquirer.
#[derive(Debug)]
pub struct Server {
    base_url: Url,
    stop: CancellationToken,
    served: JoinHandle<()>,
}

impl Server {
    /// Starts: database, address, workers, registration at Klarna, HTTP.
    pub async fn start(settings: Settings) -> Result<Self, StartError> {
        // One provider for the process; a second start finds it in place.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let settings = Arc::new(settings);
        let sealer = Sealer::new(&settings.database_key)?;
        let store = store::open(settings.database.expose_secret(), sealer).await?;
        let listen_error = |source| StartError::Listen { address: settings.listen, source };
        let listener = TcpListener::bind(settings.listen).await.map_err(listen_error)?;
        let address = listener.local_addr().map_err(listen_error)?;
        let base_url = Url::parse(&format!("http://{address}"))?;
        for key in &settings.registration.signing_keys {
            let key = StoredSigningKey { id: key.id.clone(), key: key.secret.clone() };
            store.keep_signing_key(&key, clock::now()).await?;
        }
        let public_url = settings.public_url.clone().unwrap_or_else(|| base_url.clone());

        let stop = CancellationToken::new();
        let tasks = TaskTracker::new();
        let owner = chance::new_id("run");
        let payments = Arc::new(PaymentService {
            store: store.clone(),
            klarna: KlarnaClient::new(&settings.klarna)?,
            settings: Arc::clone(&settings),
            public_url: public_url.clone(),
            owner: owner.clone(),
            work: Arc::default(),
            changes: broadcast::Sender::new(CHANGES_KEPT),
            tasks: tasks.clone(),
            stop: stop.clone(),
        });
        let notifier =
            Arc::new(Notifier::new(Arc::clone(&settings), store.clone(), Arc::clone(&payments.work))?);
        let doubt = Arc::new(Notify::new());
        let (subscription, mut subscribed) = watch::channel(Subscription::Trying);
        let registration = Subscriber {
            klarna: payments.klarna.clone(),
            store: store.clone(),
            webhook_url: Url::parse(&format!(
                "{}{WEBHOOKS_PATH}",
                public_url.as_str().trim_end_matches('/')
            ))?,
            settings: settings.registration.clone(),
            lease: settings.outbox.lease,
            doubt: Arc::clone(&doubt),
            state: subscription,
        };
        let metrics = telemetry::metrics_handle();
        let router = http::router(Api {
            payments: Arc::clone(&payments),
            keys: Arc::new(Keys::new(&settings.partners)),
            subscription: subscribed.clone(),
            doubt,
            metrics: metrics.clone(),
        });

        let background = TaskTracker::new();
        background.spawn(Workers { payments, notifier }.run());
        if settings.registration.signing_keys.is_empty() {
            background.spawn(registration.run(stop.clone()));
        } else {
            registration.state.send_replace(Subscription::ByHand);
        }
        background.spawn(telemetry::keep_metrics(metrics, store.clone(), stop.clone()));
        background.close();
        let http_settings = settings.http.clone();
        let served = tokio::spawn({
            let stop = stop.clone();
            async move {
                let patience = http_settings.stop;
                http::serve::serve(listener, router, http_settings, stop).await;
                background.wait().await;
                tasks.close();
                if tokio::time::timeout(patience, tasks.wait()).await.is_err() {
                    tracing::warn!("some calls are still under way; somebody else takes them up");
                }
                match store.release(&owner).await {
                    Ok(0) => {}
                    Ok(released) => tracing::info!(released, "unfinished work was given back"),
                    Err(error) => tracing::warn!(%error, "unfinished work waits until its lease ends"),
                }
                store.close().await;
            }
        });
        tracing::info!(%base_url, %public_url, "listening");
        // Ready means ready for step-ups too, if Klarna answers; it may not, and then payments are
        // served all the same.
        let tried = subscribed.wait_for(|state| *state != Subscription::Trying);
        if tokio::time::timeout(settings.registration.ready_wait, tried).await.is_err() {
            tracing::warn!("Klarna has not answered the registration yet");
        }
        Ok(Self { base_url, stop, served })
    }

    /// Where it listens.
    pub fn base_url(&self) -> &Url {
        &self.base_url
    }

    /// Stops: no new work, what is under way may end, the database is closed.
    pub async fn stop(self) {
        self.stop.cancel();
        if let Err(error) = self.served.await {
            tracing::error!(%error, "the server broke");
        }
    }
}
