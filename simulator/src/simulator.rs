//! Starting and stopping a simulator, on a runtime and threads of its own.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::middleware::from_fn_with_state;
use klarna_schemas::klarna::authorize::AuthorizationResult;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tower_http::catch_panic::CatchPanicLayer;
use url::Url;

use crate::api::recording;
use crate::authority::{Authority, TlsError};
use crate::config::{ConfigError, DefaultOutcome, Settings, UnknownAccounts};
use crate::control::client::ControlClient;
use crate::notify::Courier;
use crate::server::Tls;
use crate::world::{Tally, World};
use crate::{api, control, icons, journey, openapi, qr_code, server};

/// Threads of the simulator's own runtime.
const THREADS: usize = 2;

/// A running simulator. Dropping it stops it; [`Simulator::shutdown`] waits for the end.
#[derive(Debug)]
pub struct Simulator {
    base_url: Url,
    ca_file: Option<PathBuf>,
    tally: Arc<Tally>,
    control: ControlClient,
    stopping: CancellationToken,
    thread: Option<std::thread::JoinHandle<()>>,
}

/// What a simulator shall be like.
#[derive(Debug, Clone, Default)]
pub struct SimulatorBuilder {
    settings: Option<Settings>,
    listen: Option<SocketAddr>,
    public_url: Option<Url>,
    seed: Option<u64>,
    unknown_accounts: Option<UnknownAccounts>,
    default_outcome: Option<AuthorizationResult>,
    allow_http: Vec<String>,
    rules: Option<PathBuf>,
    control_token: Option<SecretString>,
    tls: bool,
}

/// Why a simulator could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The settings cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The address cannot be listened on.
    #[error(
        "the simulator cannot listen on {address}: {source}\nhint: is another one running there? Port 0 takes a free one"
    )]
    Listen {
        /// Which address.
        address: SocketAddr,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// TLS cannot be spoken.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The runtime, or the HTTP client that sends webhooks, could not be made.
    #[error("the simulator could not start: {0}")]
    Runtime(String),
}

impl Simulator {
    /// A simulator on a free loopback port, unless told otherwise.
    pub fn builder() -> SimulatorBuilder {
        SimulatorBuilder::default()
    }

    /// Where it listens.
    pub fn base_url(&self) -> &Url {
        &self.base_url
    }

    /// The file of the authority that vouches for it, where it listens by TLS.
    pub fn ca_file(&self) -> Option<&Path> {
        self.ca_file.as_deref()
    }

    /// What the rulebook has found since the start, in all sandboxes.
    pub fn tally(&self) -> Arc<Tally> {
        self.tally.clone()
    }

    /// A client for its control API.
    pub fn control(&self) -> ControlClient {
        self.control.clone()
    }

    /// Stops it and waits until it has.
    pub async fn shutdown(mut self) {
        self.stopping.cancel();
        if let Some(thread) = self.thread.take() {
            // A panic of that thread has been printed; there is nothing left to stop.
            let _ended = tokio::task::spawn_blocking(move || thread.join()).await;
        }
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.stopping.cancel();
    }
}

impl SimulatorBuilder {
    /// Starts from these settings instead of the defaults.
    #[must_use]
    pub fn settings(mut self, settings: Settings) -> Self {
        self.settings = Some(settings);
        self
    }

    /// Where it listens; `127.0.0.1:0` when nothing is said.
    #[must_use]
    pub fn listen(mut self, address: SocketAddr) -> Self {
        self.listen = Some(address);
        self
    }

    /// What stands in front of the Purchase Journey's path; where it listens when nothing is said.
    #[must_use]
    pub fn public_url(mut self, url: Url) -> Self {
        self.public_url = Some(url);
        self
    }

    /// Listens by TLS, and by nothing else.
    #[must_use]
    pub fn tls(mut self) -> Self {
        self.tls = true;
        self
    }

    /// Seed of every id and token.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// What happens to Partner accounts that nobody has made.
    #[must_use]
    pub fn unknown_accounts(mut self, unknown: UnknownAccounts) -> Self {
        self.unknown_accounts = Some(unknown);
        self
    }

    /// What callers of its control API must present; [`Simulator::control`] does.
    #[must_use]
    pub fn control_token(mut self, token: SecretString) -> Self {
        self.control_token = Some(token);
        self
    }

    /// The rules file, in TOML or YAML.
    #[must_use]
    pub fn rules(mut self, file: PathBuf) -> Self {
        self.rules = Some(file);
        self
    }

    /// What an initial authorize gets when nothing else decides.
    #[must_use]
    pub fn default_outcome(mut self, result: AuthorizationResult) -> Self {
        self.default_outcome = Some(result);
        self
    }

    /// Hosts, beside loopback and those of the settings, whose webhooks may be called by plain http.
    #[must_use]
    pub fn allow_http_webhooks(mut self, hosts: impl IntoIterator<Item = String>) -> Self {
        self.allow_http.extend(hosts);
        self
    }

    /// Starts it; returns when it listens.
    pub async fn start(self) -> Result<Simulator, StartError> {
        crate::install_crypto_provider();
        let settings = self.settled()?;
        let token = Some(settings.control.token.clone()).filter(|token| !token.expose_secret().is_empty());
        let (ready, started) = tokio::sync::oneshot::channel();
        let stopping = CancellationToken::new();
        let stop = stopping.clone();
        let thread = std::thread::Builder::new()
            .name("klarna-simulator".to_owned())
            .spawn(move || run(settings, &stop, ready))
            .map_err(|error| StartError::Runtime(error.to_string()))?;
        let reached =
            started.await.map_err(|_| StartError::Runtime("its thread ended early".to_owned()))??;
        let Reached { base_url, authority, tally } = reached;
        let (authority, ca_file) = authority.unzip();
        let control = ControlClient::trusting(base_url.clone(), authority.as_deref())
            .map_err(|error| StartError::Runtime(error.to_string()))?
            .with_token(token);
        Ok(Simulator { base_url, ca_file, tally, control, stopping, thread: Some(thread) })
    }

    fn settled(self) -> Result<Settings, StartError> {
        let mut settings = if let Some(settings) = self.settings {
            settings
        } else {
            let mut settings = Settings::defaults()?;
            settings.listen = SocketAddr::from(([127, 0, 0, 1], 0));
            settings
        };
        settings.listen = self.listen.unwrap_or(settings.listen);
        settings.seed = self.seed.unwrap_or(settings.seed);
        settings.tls.enabled |= self.tls;
        settings.accounts.unknown = self.unknown_accounts.unwrap_or(settings.accounts.unknown);
        if let Some(token) = self.control_token {
            settings.control.token = token;
        }
        if let Some(file) = self.rules {
            settings.rules.file = file;
        }
        if let Some(url) = self.public_url {
            settings.public_url = url.into();
        }
        settings.webhooks.allow_http.extend(self.allow_http);
        match self.default_outcome {
            Some(AuthorizationResult::Approved) => settings.outcome = DefaultOutcome::Approve,
            Some(AuthorizationResult::Declined) => settings.outcome = DefaultOutcome::Decline,
            Some(AuthorizationResult::StepUpRequired) => settings.outcome = DefaultOutcome::StepUp,
            Some(AuthorizationResult::Unknown(_)) | None => {}
        }
        Ok(settings)
    }
}

type Ready = tokio::sync::oneshot::Sender<Result<Reached, StartError>>;

/// The simulator's own thread: a runtime, and on it everything.
fn run(settings: Settings, stopping: &CancellationToken, ready: Ready) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(THREADS)
        .thread_name("klarna-simulator")
        .enable_all()
        .build();
    match runtime {
        Ok(runtime) => {
            runtime.block_on(live(settings, stopping, ready));
            runtime.shutdown_timeout(Duration::from_millis(500));
        }
        Err(error) => drop(ready.send(Err(StartError::Runtime(error.to_string())))),
    }
}

async fn live(settings: Settings, stopping: &CancellationToken, ready: Ready) {
    let Opened { listener, base_url, tls, authority_file, world } = match open(settings).await {
        Ok(opened) => opened,
        Err(error) => return drop(ready.send(Err(error))),
    };
    let limits = world.settings().limits.clone();
    let app = app(&world);
    world.tasks.spawn(world.clone().follow_rules());
    let authority = authority_file.map(|file| (world.authority.pem().to_owned(), file));
    if ready.send(Ok(Reached { base_url, authority, tally: world.tally.clone() })).is_err() {
        return;
    }
    server::serve(listener, tls, app, &limits, stopping.clone()).await;
    world.stopping.cancel();
    world.tasks.close();
    world.tasks.wait().await;
}

/// A simulator that is about to serve.
struct Opened {
    listener: TcpListener,
    base_url: Url,
    tls: Option<Tls>,
    /// The file of the authority, where TLS is spoken.
    authority_file: Option<PathBuf>,
    world: Arc<World>,
}

/// How it is reached.
struct Reached {
    base_url: Url,
    /// The authority that vouches for it, as PEM, and the file that holds it.
    authority: Option<(String, PathBuf)>,
    /// What is found while it runs.
    tally: Arc<Tally>,
}

async fn open(settings: Settings) -> Result<Opened, StartError> {
    let address = settings.listen;
    let refused = |source| StartError::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(refused)?;
    let bound = listener.local_addr().map_err(refused)?;
    let (authority, authority_file) = if settings.tls.enabled {
        let (authority, file) = match settings.tls.folder.as_str() {
            "" => Authority::in_folder_of_its_own()?,
            folder => Authority::in_folder(Path::new(folder))?,
        };
        (authority, Some(file))
    } else {
        (Authority::in_memory()?, None)
    };
    let tls = authority_file.as_ref().map(|_| Tls::prepare(&authority, &hosts(&settings))).transpose()?;
    let scheme = if tls.is_some() { "https" } else { "http" };
    let base_url =
        Url::parse(&format!("{scheme}://{bound}")).map_err(|error| StartError::Runtime(error.to_string()))?;
    let http = reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(concat!("klarna-simulator/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|error| StartError::Runtime(error.to_string()))?;
    let courier = Courier {
        http,
        retry_after: settings.webhooks.retry_after.clone().into(),
        timeout: Duration::from_millis(settings.webhooks.timeout_ms),
        answer_bytes: settings.webhooks.answer_bytes,
    };
    let public =
        if settings.public_url.is_empty() { base_url.to_string() } else { settings.public_url.clone() };
    let world = World::new(settings, &public, courier, authority)?;
    Ok(Opened { listener, base_url, tls, authority_file, world })
}

/// The names by which the settings let others call it.
fn hosts(settings: &Settings) -> Vec<String> {
    let public = Url::parse(&settings.public_url).ok();
    let public = public.and_then(|url| Some(url.host_str()?.trim_matches(['[', ']']).to_owned()));
    let listening = settings.listen.ip().to_string();
    settings.tls.hosts.iter().cloned().chain(public).chain([listening]).collect()
}

fn app(world: &Arc<World>) -> axum::Router {
    let klarna = api::routes()
        .merge(journey::routes())
        .fallback(api::unknown_path)
        .method_not_allowed_fallback(api::unknown_method)
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn_with_state(world.clone(), recording::record));
    // The control API is not part of Klarna: it stands outside the journal.
    control::routes(world)
        .layer(CatchPanicLayer::new())
        .merge(icons::routes())
        .merge(qr_code::routes())
        .merge(openapi::routes())
        .merge(klarna)
        .with_state(world.clone())
}

/// A panic of ours is Klarna's `INTERNAL_ERROR` to the caller; the log has the rest.
fn panicked(_: Box<dyn std::any::Any + Send>) -> axum::response::Response {
    tracing::error!("a handler panicked");
    axum::response::IntoResponse::into_response(api::error::KlarnaError::internal())
}
