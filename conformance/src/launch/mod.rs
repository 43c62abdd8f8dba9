//! Starts the acquirer as another process, or finds one that runs already.

use std::path::PathBuf;

use secrecy::SecretString;
use url::Url;

use crate::adapter::Adapter;

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
    /// The program that holds the built-in acquirer; this program when `None`.
    pub builtin_program: Option<PathBuf>,
}

/// Why the acquirer does not run.
#[derive(Debug, thiserror::Error)]
pub enum LaunchError {
    /// The process could not be started, or ended before it was ready.
    #[error("the acquirer could not be started: {reason}\n  hint: {hint}")]
    NotStarted {
        /// What happened.
        reason: String,
        /// How to mend it.
        hint: String,
    },
}

/// An acquirer that runs. Dropping it kills the process that was started.
#[derive(Debug)]
pub struct RunningAcquirer {
    base_url: Url,
}

/// Starts or finds the acquirer that the adapter names, and waits until it is ready.
///
/// # Errors
/// When it does not get ready, with the end of its output.
pub async fn start(_adapter: &Adapter, context: LaunchContext) -> Result<RunningAcquirer, LaunchError> {
    let _ = context.klarna_base_url;
    Err(LaunchError::NotStarted { reason: "launching is being built".to_owned(), hint: String::new() })
}

impl RunningAcquirer {
    /// Where its Partner API is.
    pub fn base_url(&self) -> &Url {
        &self.base_url
    }

    /// The last lines of its output.
    pub fn log_tail(&self, _lines: usize) -> String {
        String::new()
    }

    /// How it ended, if it has.
    pub fn has_died(&self) -> Option<String> {
        None
    }

    /// Asks it to stop, then kills it after a grace.
    pub async fn stop(self) {}
}
