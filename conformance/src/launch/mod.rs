//! Starts the acquirer as another process, or finds one that runs already.

mod balancer;
mod files;
mod log;
mod process;
mod ready;

use std::net::Ipv4Addr;
use std::path::PathBuf;

use secrecy::{ExposeSecret, SecretString};
use url::Url;

use crate::adapter::{Adapter, RunVariables, TemplateError};
use crate::port::{self, Reserved};
use balancer::Balancer;
use log::Log;
use process::Process;

/// What a launch and every later call know of the run.
#[derive(Debug, Clone)]
pub struct LaunchContext {
    /// Where the acquirer finds Klarna: the simulator, or a proxy before it.
    pub klarna_base_url: Url,
    /// The acquirer's key at Klarna.
    pub klarna_api_key: SecretString,
    /// A certificate authority for Klarna's TLS, if it needs one.
    pub klarna_ca_file: Option<PathBuf>,
    /// Base URL of the Partner stand-in.
    pub partner_base_url: Url,
    /// An existing directory for rendered files and the acquirer's database.
    pub work_dir: PathBuf,
    /// Where the acquirer's output is kept, e.g. `reports/acquirer.log`; nowhere when `None`.
    pub log_file: Option<PathBuf>,
    /// The run's seed.
    pub seed: u64,
    /// What is said of the built-in acquirer alone.
    pub builtin: BuiltinLaunch,
}

/// How the built-in acquirer is started, where it is it.
#[derive(Debug, Clone, Default)]
pub struct BuiltinLaunch {
    /// The program that holds it; this program when `None`.
    pub program: Option<PathBuf>,
    /// Its database; the adapter's when `None`.
    pub database: Option<SecretString>,
    /// Where others reach it; where it listens when `None`.
    pub public_url: Option<Url>,
    /// How many processes it is, on that one database; 0 and 1 mean one.
    pub replicas: usize,
}

/// Why the acquirer does not run. Each text says what happened and how to mend it.
#[derive(Debug, thiserror::Error)]
pub enum LaunchError {
    /// A template of the launch failed.
    #[error("launch: {0}")]
    Template(#[from] TemplateError),
    /// A file of the launch, or the log, could not be written.
    #[error("launch: {path} cannot be written: {reason}")]
    File {
        /// Which file.
        path: String,
        /// What went wrong.
        reason: String,
    },
    /// The program could not be started at all.
    #[error("launch: {program} cannot be started: {reason}\n  hint: {hint}")]
    NotStarted {
        /// The program.
        program: String,
        /// What went wrong.
        reason: String,
        /// How to mend it.
        hint: String,
    },
    /// The process ended, or said something else, before it was ready.
    #[error("launch: the acquirer did not get ready: {reason}\n  hint: {hint}{}", shown(.log))]
    NotReady {
        /// What it did instead.
        reason: String,
        /// How to mend it.
        hint: String,
        /// The end of its output.
        log: String,
    },
    /// Nothing answers where the adapter attaches.
    #[error(
        "attach: nothing answers at {url}: {reason}\n  hint: start the acquirer first, and tell it KLARNA_BASE_URL={klarna}"
    )]
    NothingThere {
        /// Where.
        url: String,
        /// What went wrong.
        reason: String,
        /// Where Klarna is.
        klarna: String,
    },
}

fn shown(log: &str) -> String {
    if log.is_empty() {
        return "\n  it wrote nothing".to_owned();
    }
    let lines: Vec<String> = log.lines().map(|line| format!("    {line}")).collect();
    format!("\n  the end of its output:\n{}", lines.join("\n"))
}

/// An acquirer that runs. Dropping it kills the process that was started.
#[derive(Debug)]
pub struct RunningAcquirer {
    base_url: Url,
    /// One process, or the replicas behind the balancer; none if it was attached to.
    processes: Vec<Process>,
    log: Log,
    _balancer: Option<Balancer>,
}

/// Starts or finds the acquirer that the adapter names, and waits until it is ready.
///
/// # Errors
/// When it does not get ready, with the end of its output.
pub async fn start(adapter: &Adapter, context: LaunchContext) -> Result<RunningAcquirer, LaunchError> {
    let log = Log::new(context.log_file.as_deref(), secrets(adapter, &context))?;
    if let Some(url) = adapter.attaches_to() {
        ready::answers(url).await.map_err(|reason| LaunchError::NothingThere {
            url: url.to_string(),
            reason,
            klarna: context.klarna_base_url.to_string(),
        })?;
        return Ok(RunningAcquirer { base_url: url.clone(), processes: Vec::new(), log, _balancer: None });
    }
    if context.builtin.replicas > 1 {
        return start_replicas(adapter, context, log).await;
    }
    let (process, base_url) = start_one(adapter, &context, &log).await?;
    Ok(RunningAcquirer { base_url, processes: vec![process], log, _balancer: None })
}

/// Starts the replicas of the built-in acquirer, all of which are told the balancer's address.
async fn start_replicas(
    adapter: &Adapter,
    mut context: LaunchContext,
    log: Log,
) -> Result<RunningAcquirer, LaunchError> {
    let balancer = Balancer::start().await.map_err(|reason| LaunchError::NotStarted {
        program: "the balancer before the replicas".to_owned(),
        reason,
        hint: "see what else listens on this machine".to_owned(),
    })?;
    context.builtin.public_url = Some(balancer.base_url().clone());
    let mut processes = Vec::new();
    let mut listening = Vec::new();
    // One after another: the first makes the tables, and each finds what the others have registered.
    for number in 1..=context.builtin.replicas {
        let (process, url) = start_one(adapter, &context, &log.named(&format!("replica {number}"))).await?;
        processes.push(process);
        listening.push(url);
    }
    balancer.lead_to(listening);
    Ok(RunningAcquirer { base_url: balancer.base_url().clone(), processes, log, _balancer: Some(balancer) })
}

async fn start_one(
    adapter: &Adapter,
    context: &LaunchContext,
    log: &Log,
) -> Result<(Process, Url), LaunchError> {
    let mut variables = context.variables();
    // Held until the acquirer listens there.
    let reserved = adapter.needs_port().then(reserve_port).transpose()?;
    if let Some(Reserved { number, .. }) = &reserved {
        variables.acquirer_listen = format!("127.0.0.1:{number}");
        variables.acquirer_base_url = Some(format!("http://127.0.0.1:{number}"));
    }
    let Some(plan) = adapter.process(&variables)? else {
        return Err(LaunchError::NotReady {
            reason: "the adapter neither launches nor attaches".to_owned(),
            hint: "add launch or attach".to_owned(),
            log: String::new(),
        });
    };
    files::write(&context.work_dir, &plan.files)?;
    let started = process::start(adapter, context, &variables, plan, log).await?;
    drop(reserved);
    Ok(started)
}

/// Values that the log must not hold.
fn secrets(adapter: &Adapter, context: &LaunchContext) -> Vec<SecretString> {
    let mut secrets = adapter.secrets();
    if context.klarna_api_key.expose_secret().len() >= 6 {
        secrets.push(context.klarna_api_key.clone());
    }
    secrets
}

/// The process does not tell which port it took, so it is given one.
fn reserve_port() -> Result<Reserved, LaunchError> {
    port::reserve(Ipv4Addr::LOCALHOST.into()).map_err(|error| LaunchError::NotStarted {
        program: "the acquirer".to_owned(),
        reason: format!("no port is free: {error}"),
        hint: "see what else listens on this machine".to_owned(),
    })
}

impl LaunchContext {
    /// The variables of a run whose acquirer chooses its own port.
    pub(crate) fn variables(&self) -> RunVariables {
        RunVariables {
            klarna_base_url: self.klarna_base_url.as_str().trim_end_matches('/').to_owned(),
            klarna_api_key: self.klarna_api_key.clone(),
            partner_base_url: self.partner_base_url.as_str().trim_end_matches('/').to_owned(),
            // The acquirer has a working directory of its own.
            work_dir: std::path::absolute(&self.work_dir)
                .unwrap_or_else(|_| self.work_dir.clone())
                .display()
                .to_string(),
            seed: self.seed,
            acquirer_listen: "127.0.0.1:0".to_owned(),
            acquirer_base_url: None,
        }
    }
}

impl RunningAcquirer {
    /// Where its Partner API is.
    pub fn base_url(&self) -> &Url {
        &self.base_url
    }

    /// The last lines of its output, standard output and standard error together.
    pub fn log_tail(&self, lines: usize) -> String {
        self.log.tail(lines)
    }

    /// How many lines it has written so far.
    pub fn log_lines(&self) -> u64 {
        self.log.written()
    }

    /// What it has written since it had written `mark` lines, the end of it where that is more than
    /// `bytes`; nothing is known of an acquirer that was attached to.
    pub fn log_since(&self, mark: u64, bytes: usize) -> Option<String> {
        (!self.processes.is_empty()).then(|| self.log.since(mark, bytes))
    }

    /// The numbers of its processes that still run; none of an acquirer that was attached to.
    pub(crate) fn ids(&self) -> Vec<u32> {
        self.processes.iter().filter_map(Process::id).collect()
    }

    /// Values that no report may hold.
    pub(crate) fn secrets(&self) -> &[SecretString] {
        self.log.secrets()
    }

    /// How it ended, if it has; never of an acquirer that was attached to.
    pub fn has_died(&self) -> Option<String> {
        self.processes.iter().find_map(Process::ended)
    }

    /// Asks it to stop, then kills it after a grace. An acquirer that was attached to runs on.
    pub async fn stop(self) {
        futures::future::join_all(self.processes.into_iter().map(Process::stop)).await;
    }
}
