//! The parties of a run: Klarna, the Partner, the acquirer, and perhaps a defect between them.

use std::path::{Path, PathBuf};
use std::time::Duration;

use klarna_schemas::simulator::control::{JournalQuery, PutSandbox};
use klarna_simulator::Simulator;
use klarna_simulator::control::client::ControlClient;
use secrecy::SecretString;
use url::Url;

use super::Stop;
use super::klarna::{self, Klarna};
use crate::adapter::{Adapter, BoundAcquirer};
use crate::authority::{Authority, trusted};
use crate::browser::{Browser, Door};
use crate::cli::args::PartiesArgs;
use crate::cli::output::complain;
use crate::exit_code::Exit;
use crate::launch::{self, BuiltinLaunch, LaunchContext, RunningAcquirer};
use crate::mutants::{Defect, MutantProxy};
use crate::partner::PartnerStandIn;

/// The acquirer's key at Klarna, and the account that it belongs to: the simulator's defaults.
const API_KEY: &str = "klarna_test_api_local";
pub(in crate::cli) const ACQUIRER_ACCOUNT: &str = "krn:partner:global:account:test:LOCALACQ";

/// How long an acquirer's registration is waited for before the first scenario.
const REGISTRATION: Duration = Duration::from_secs(5);

/// The longest that a page may keep the Customer's browser.
const BROWSER_PATIENCE: Duration = Duration::from_secs(30);

/// Everybody, running.
pub(in crate::cli) struct Parties {
    pub(in crate::cli) simulator: Option<Simulator>,
    pub(in crate::cli) simulator_url: Url,
    pub(in crate::cli) control: ControlClient,
    pub(in crate::cli) stand_in: PartnerStandIn,
    pub(in crate::cli) proxy: Option<MutantProxy>,
    pub(in crate::cli) process: RunningAcquirer,
    pub(in crate::cli) acquirer: BoundAcquirer,
    pub(in crate::cli) browser: Browser,
}

/// What is decided of the parties before they are started.
#[derive(Debug)]
pub(in crate::cli) struct Cast<'a> {
    pub(in crate::cli) adapter: &'a Adapter,
    /// What stands between the acquirer and Klarna.
    pub(in crate::cli) defect: Option<&'static Defect>,
    /// Of a simulator that runs already.
    pub(in crate::cli) authority: Option<Authority>,
    pub(in crate::cli) seed: u64,
    /// An existing folder for rendered files and the acquirer's database.
    pub(in crate::cli) work_dir: &'a Path,
    /// Where the acquirer's output is kept.
    pub(in crate::cli) log_file: Option<PathBuf>,
    /// The built-in acquirer's database, if it is not to be the adapter's.
    pub(in crate::cli) database: Option<SecretString>,
}

/// Starts or finds everybody, Klarna first.
pub(in crate::cli) async fn gather(args: &PartiesArgs, cast: Cast<'_>) -> Result<Parties, Stop> {
    let Cast { adapter, defect, authority, seed, work_dir, log_file, database } = cast;
    let unreachable = |why: String| Stop::new(Exit::Unreachable, why);
    klarna_simulator::install_crypto_provider();
    let Klarna { simulator, control, authority, told: simulator_url } =
        klarna::find(args, adapter, authority, seed).await?;
    let authority = authority.as_ref();
    for partner in adapter.partners() {
        let wish = PutSandbox { seed: Some(seed), ..PutSandbox::default() };
        let made = control.put_sandbox(&partner.klarna_account, &wish).await;
        made.map_err(|error| unreachable(klarna::trouble(&error, authority)))?;
    }
    let public = args.partner_public_url.as_ref();
    let stand_in = PartnerStandIn::start_behind(adapter.listen().partner, public, adapter)
        .await
        .map_err(|error| unreachable(error.to_string()))?;
    if public.is_none() && adapter.listen().partner.ip().is_unspecified() {
        klarna::told_on_loopback("the Partner", stand_in.base_url(), "--partner-public-url");
    }
    let proxy = match defect {
        Some(defect) => {
            let proxy = MutantProxy::start(defect, control.base(), authority).await;
            Some(proxy.map_err(|error| unreachable(error.to_string()))?)
        }
        None => None,
    };
    let klarna_base_url = proxy.as_ref().map_or(&simulator_url, |proxy| proxy.base_url()).clone();
    let to_trust = authority.filter(|_| klarna_base_url.scheme() == "https");
    say_of_tls(adapter, proxy.as_ref().map(|_| &simulator_url), to_trust);
    let context = LaunchContext {
        klarna_base_url,
        klarna_api_key: SecretString::from(API_KEY),
        klarna_ca_file: to_trust.map(|authority| authority.file().to_path_buf()),
        partner_base_url: stand_in.base_url().clone(),
        work_dir: work_dir.to_path_buf(),
        log_file,
        seed,
        builtin: BuiltinLaunch {
            database,
            replicas: usize::from(args.acquirer_replicas),
            ..BuiltinLaunch::default()
        },
    };
    let process =
        launch::start(adapter, context.clone()).await.map_err(|error| unreachable(error.to_string()))?;
    if args.acquirer_replicas > 1 {
        complain(&format!(
            "the acquirer is {} replicas behind {}",
            args.acquirer_replicas,
            process.base_url()
        ));
    }
    await_registration(&control, to_trust).await;
    let broken = |error: reqwest::Error| Stop::new(Exit::Broken, error.to_string());
    let acquirer = BoundAcquirer::new(adapter, process.base_url(), &context).map_err(broken)?;
    stand_in.ask(acquirer.clone());
    let http = reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(BROWSER_PATIENCE);
    let http = trusted(http, authority).build().map_err(broken)?;
    let doors = vec![
        Door { public: simulator_url.clone(), listens: control.base().clone() },
        Door { public: stand_in.base_url().clone(), listens: stand_in.listens().clone() },
    ];
    let browser = Browser::new(http, doors);
    Ok(Parties { simulator, simulator_url, control, stand_in, proxy, process, acquirer, browser })
}

/// What of TLS is not as one may expect it.
fn say_of_tls(adapter: &Adapter, behind_a_proxy: Option<&Url>, to_trust: Option<&Authority>) {
    if behind_a_proxy.is_some_and(|klarna| klarna.scheme() == "https") {
        complain("the defect proxy speaks TLS to Klarna only: the acquirer calls it by plain http");
    }
    if let (Some(_), Some(authority)) = (adapter.attaches_to(), to_trust) {
        complain(&format!("nobody hands an acquirer that runs already anything{}", must_trust(authority)));
    }
}

fn must_trust(authority: &Authority) -> String {
    format!(
        "\n  hint: Klarna speaks https, and the acquirer must trust the authority in {}: KLARNA_CA_FILE names it to one that is launched",
        authority.file().display()
    )
}

/// Gives an acquirer the time to make its webhook at Klarna, so that the first scenarios do not
/// race with its start. One that makes none, or has one of old, is judged as it is.
async fn await_registration(control: &ControlClient, to_trust: Option<&Authority>) {
    let query = JournalQuery {
        operation: Some("webhook.create".to_owned()),
        wait_ms: Some(u64::try_from(REGISTRATION.as_millis()).unwrap_or(u64::MAX)),
        ..JournalQuery::default()
    };
    match control.account_journal(ACQUIRER_ACCOUNT, &query).await {
        Ok(page) if page.timed_out => complain(&format!(
            "the acquirer has made no webhook at Klarna in {} s; going on{}",
            REGISTRATION.as_secs(),
            to_trust.map(must_trust).unwrap_or_default()
        )),
        Ok(_) => {}
        Err(error) => tracing::warn!(%error, "the acquirer's registration cannot be awaited"),
    }
}
