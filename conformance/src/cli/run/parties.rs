//! The parties of a run: Klarna, the Partner, the acquirer, and perhaps a defect between them.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use klarna_schemas::simulator::control::{JournalQuery, PutSandbox};
use klarna_simulator::control::client::ControlClient;
use klarna_simulator::{Simulator, UnknownAccounts};
use secrecy::SecretString;
use url::Url;

use super::Stop;
use super::prepare::Prepared;
use crate::adapter::BoundAcquirer;
use crate::cli::args::RunArgs;
use crate::cli::output::complain;
use crate::exit_code::Exit;
use crate::launch::{self, LaunchContext, RunningAcquirer};
use crate::mutants::MutantProxy;
use crate::partner::{PartnerStandIn, reachable};
use crate::world::{Browser, Door};

/// The acquirer's key at Klarna, and the account that it belongs to: the simulator's defaults.
const API_KEY: &str = "klarna_test_api_local";
pub(super) const ACQUIRER_ACCOUNT: &str = "krn:partner:global:account:test:LOCALACQ";

/// How long an acquirer's registration is waited for before the first scenario.
const REGISTRATION: Duration = Duration::from_secs(5);

/// The longest that a page may keep the Customer's browser.
const BROWSER_PATIENCE: Duration = Duration::from_secs(30);

/// Everybody, running.
pub(super) struct Parties {
    pub(super) simulator: Option<Simulator>,
    pub(super) simulator_url: Url,
    pub(super) control: ControlClient,
    pub(super) stand_in: PartnerStandIn,
    pub(super) proxy: Option<MutantProxy>,
    pub(super) process: RunningAcquirer,
    pub(super) acquirer: BoundAcquirer,
    pub(super) browser: Browser,
}

/// Starts or finds everybody, Klarna first.
pub(super) async fn gather(
    args: &RunArgs,
    prepared: &Prepared,
    seed: u64,
    work_dir: &Path,
) -> Result<Parties, Stop> {
    let adapter = &prepared.adapter;
    let unreachable = |why: String| Stop::new(Exit::Unreachable, why);
    klarna_simulator::install_crypto_provider();
    let (simulator, control) = klarna(args, prepared, seed).await?;
    let simulator_url = args.simulator_public_url.as_ref().unwrap_or(control.base()).clone();
    for partner in adapter.partners() {
        let wish = PutSandbox { seed: Some(seed), clock: None };
        let made = control.put_sandbox(&partner.klarna_account, &wish).await;
        made.map_err(|error| {
            unreachable(format!("{error}\n  hint: is this the base URL of a klarna-simulator?"))
        })?;
    }
    let public = args.partner_public_url.as_ref();
    let stand_in = PartnerStandIn::start_behind(adapter.listen().partner, public, adapter)
        .await
        .map_err(|error| unreachable(error.to_string()))?;
    if public.is_none() && adapter.listen().partner.ip().is_unspecified() {
        told_on_loopback("the Partner", stand_in.base_url(), "--partner-public-url");
    }
    let proxy = match prepared.defect {
        Some(defect) => {
            let proxy = MutantProxy::start(defect, control.base()).await;
            Some(proxy.map_err(|error| unreachable(error.to_string()))?)
        }
        None => None,
    };
    let context = LaunchContext {
        klarna_base_url: proxy.as_ref().map_or(&simulator_url, |proxy| proxy.base_url()).clone(),
        klarna_api_key: SecretString::from(API_KEY),
        klarna_ca_file: None,
        partner_base_url: stand_in.base_url().clone(),
        work_dir: work_dir.to_path_buf(),
        log_file: Some(args.reports.join("acquirer.log")),
        seed,
        builtin_program: None,
    };
    let process =
        launch::start(adapter, context.clone()).await.map_err(|error| unreachable(error.to_string()))?;
    await_registration(&control).await;
    let broken = |error: reqwest::Error| Stop::new(Exit::Broken, error.to_string());
    let acquirer = BoundAcquirer::new(adapter, process.base_url(), &context).map_err(broken)?;
    let http = reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(BROWSER_PATIENCE)
        .build()
        .map_err(broken)?;
    let doors = vec![
        Door { public: simulator_url.clone(), listens: control.base().clone() },
        Door { public: stand_in.base_url().clone(), listens: stand_in.listens().clone() },
    ];
    let browser = Browser::new(http, doors);
    Ok(Parties { simulator, simulator_url, control, stand_in, proxy, process, acquirer, browser })
}

/// Gives an acquirer the time to make its webhook at Klarna, so that the first scenarios do not
/// race with its start. One that makes none, or has one of old, is judged as it is.
async fn await_registration(control: &ControlClient) {
    let query = JournalQuery {
        operation: Some("webhook.create".to_owned()),
        wait_ms: Some(u64::try_from(REGISTRATION.as_millis()).unwrap_or(u64::MAX)),
        ..JournalQuery::default()
    };
    match control.account_journal(ACQUIRER_ACCOUNT, &query).await {
        Ok(page) if page.timed_out => complain(&format!(
            "the acquirer has made no webhook at Klarna in {} s; going on",
            REGISTRATION.as_secs()
        )),
        Ok(_) => {}
        Err(error) => tracing::warn!(%error, "the acquirer's registration cannot be awaited"),
    }
}

async fn klarna(
    args: &RunArgs,
    prepared: &Prepared,
    seed: u64,
) -> Result<(Option<Simulator>, ControlClient), Stop> {
    if let Some(url) = &args.simulator {
        let control =
            ControlClient::new(url.clone()).map_err(|error| Stop::new(Exit::Broken, error.to_string()))?;
        return Ok((None, control));
    }
    let unreachable = |why: String| Stop::new(Exit::Unreachable, why);
    let listen = with_port(prepared.adapter.listen().simulator)
        .map_err(|error| unreachable(format!("the simulator finds no free port: {error}")))?;
    let mut builder = Simulator::builder()
        .listen(listen)
        .seed(seed)
        // A wrong mapping of Partners to accounts must show.
        .unknown_accounts(UnknownAccounts::Refuse)
        .allow_http_webhooks(args.allow_http_webhooks.iter().cloned());
    let broken = |why: String| Stop::new(Exit::Broken, why);
    let mut public = args.simulator_public_url.clone();
    if public.is_none() && listen.ip().is_unspecified() {
        let loopback = Url::parse(&format!("http://{}/", reachable(listen)));
        let loopback = loopback.map_err(|error| broken(error.to_string()))?;
        told_on_loopback("the simulator", &loopback, "--simulator-public-url");
        public = Some(loopback);
    }
    if let Some(public) = public {
        builder = builder.public_url(public);
    }
    let simulator = builder.start().await.map_err(|error| unreachable(error.to_string()))?;
    let mut base = simulator.base_url().clone();
    if listen.ip().is_unspecified() {
        let _an_ip_address_is_a_host = base.set_ip_host(reachable(listen).ip());
    }
    let control = ControlClient::new(base).map_err(|error| broken(error.to_string()))?;
    Ok((Some(simulator), control))
}

/// The address with a port that was free a moment ago, where every address is listened on: what
/// others are told must be known before the simulator listens.
fn with_port(listen: SocketAddr) -> std::io::Result<SocketAddr> {
    if listen.ip().is_unspecified() && listen.port() == 0 {
        return std::net::TcpListener::bind(listen)?.local_addr();
    }
    Ok(listen)
}

/// Nobody can call "every address".
fn told_on_loopback(who: &str, told: &Url, flag: &str) {
    complain(&format!(
        "{who} listens on every address, and others are told {told}; {flag} names what they can reach"
    ));
}
