//! Flags and subcommands. Every flag of a run is also read from `KLARNA_CONFORMANCE_…`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use gherkin::tagexpr::TagOperation;
use secrecy::SecretString;
use url::Url;

use super::adapter::AdapterCommand;

const AFTER_HELP: &str = "\
Exit codes:
  0    every selected check held, but for what --expected lists
  1    some did not, or something held that --expected lists
  2    the command line makes no sense
  3    a feature file, the adapter file or the list of --expected is not valid (nothing was started)
  4    nothing was selected
  5    the acquirer or the simulator could not be started or reached
  6    the run itself broke
  130  interrupted; the reports hold what was seen until then

Examples:
  klarna-conformance
      run everything against the built-in reference acquirer
  klarna-conformance run --acquirer acme.yaml
      run everything against your own acquirer, bound by an adapter file
  klarna-conformance run features/the-document.feature:42 --seed 7
      run the one scenario around line 42 again, with the same seed
  klarna-conformance run --tags '@AP-11 and not @sdk'
      run what shows duty AP-11, without the SDK scenarios
  klarna-conformance run --defect final-call-skipped
      plant a defect and see the suite turn red";

/// Runs an acquirer through Klarna's server-side-only integration, in Gherkin, and says which of its
/// duties hold.
///
/// Starts a local Klarna, a Partner, and the acquirer as another process; sells something; and
/// compares what reached Klarna with what the Partner sent, byte for byte. With no subcommand it
/// runs the whole suite against the built-in reference acquirer.
#[derive(Debug, Parser)]
#[command(
    name = "klarna-conformance",
    version,
    after_help = AFTER_HELP,
    args_conflicts_with_subcommands = true,
    max_term_width = 100
)]
pub struct Cli {
    /// What to do; `run` when absent.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Flags of `run`.
    #[command(flatten)]
    pub run: RunArgs,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the features against an acquirer and report [default]
    #[command(after_help = AFTER_HELP)]
    Run(Box<RunArgs>),
    /// Check features without running anything
    Lint(LintArgs),
    /// List every step a feature can use, by voice, with an example
    Steps(StepsArgs),
    /// Write, check and explain adapter files
    #[command(subcommand)]
    Adapter(AdapterCommand),
    /// Work with the embedded features
    #[command(subcommand)]
    Features(FeaturesCommand),
}

/// Flags of `run`.
#[derive(Debug, Clone, Args)]
pub struct RunArgs {
    /// Feature files to run; with a line, only the scenario around that line
    #[arg(value_name = "FILE[:LINE]")]
    pub selection: Vec<String>,

    /// Adapter file (YAML) that binds the suite to your acquirer [default: the built-in reference acquirer]
    #[arg(long, value_name = "FILE", env = "KLARNA_CONFORMANCE_ACQUIRER")]
    pub acquirer: Option<PathBuf>,

    /// Who takes part, and where.
    #[command(flatten)]
    pub parties: PartiesArgs,

    /// Feature files or folders [default: the embedded features]
    #[arg(
        long,
        value_name = "PATH",
        num_args = 1..,
        value_delimiter = ',',
        env = "KLARNA_CONFORMANCE_FEATURES"
    )]
    pub features: Vec<PathBuf>,

    /// Only scenarios whose tags fit, e.g. '@AP-11 and not @sdk'
    #[arg(long, value_name = "EXPR", env = "KLARNA_CONFORMANCE_TAGS")]
    pub tags: Option<TagOperation>,

    /// At most this many scenarios at once; never more than the adapter has Partners
    #[arg(
        long,
        value_name = "N",
        default_value_t = 4,
        value_parser = clap::value_parser!(u16).range(1..=64),
        env = "KLARNA_CONFORMANCE_JOBS"
    )]
    pub jobs: u16,

    /// The longest that the whole run may take, e.g. 90s or 5m; what was not run by then is said to be
    /// not run, and the run is not green
    #[arg(long, value_name = "DURATION", value_parser = duration, env = "KLARNA_CONFORMANCE_MAX_TIME")]
    pub max_time: Option<Duration>,

    /// Seed of every id, token and order; printed, and random when absent
    #[arg(long, value_name = "N", env = "KLARNA_CONFORMANCE_SEED")]
    pub seed: Option<u64>,

    /// Folder for run.ndjson, junit.xml and acquirer.log
    #[arg(long, value_name = "DIR", default_value = "reports", env = "KLARNA_CONFORMANCE_REPORTS")]
    pub reports: PathBuf,

    /// Plant this defect between the acquirer and Klarna: the run must turn red
    #[arg(long, value_name = "NAME", env = "KLARNA_CONFORMANCE_DEFECT")]
    pub defect: Option<String>,

    /// Name every defect with the scenario that must turn red, and stop
    #[arg(long)]
    pub list_defects: bool,

    /// When a scenario fails, keep Klarna, the acquirer and the Partner up as they are, say where they are,
    /// and go on at Enter; scenarios run one at a time
    #[arg(long, env = "KLARNA_CONFORMANCE_PAUSE_ON_FAILURE")]
    pub pause_on_failure: bool,

    /// List (YAML) of duties and scenarios that are expected to fail for now: they do not fail the run, but
    /// those that hold again do, until they are taken off the list
    #[arg(long, value_name = "FILE", env = "KLARNA_CONFORMANCE_EXPECTED")]
    pub expected: Option<PathBuf>,

    /// Exit 1 unless every Required duty that a machine can verify was run and held
    #[arg(long, env = "KLARNA_CONFORMANCE_REQUIRE_COMPLETE")]
    pub require_complete: bool,
}

/// Flags of whatever starts Klarna, the Partner and the acquirer: where each is, and how it is told.
#[derive(Debug, Clone, Args)]
pub struct PartiesArgs {
    /// Run the built-in reference acquirer on this database: a path or URL of SQLite, where no file may be
    /// yet, or a URL of PostgreSQL, where the run makes a schema of its own and drops it at the end
    /// [default: SQLite, thrown away with the run]
    #[arg(long, value_name = "URL", env = "KLARNA_CONFORMANCE_ACQUIRER_DATABASE", hide_env_values = true)]
    pub acquirer_database: Option<SecretString>,

    /// Run the built-in reference acquirer as so many processes on the PostgreSQL of --acquirer-database,
    /// behind a balancer that gives each call to the next of them
    #[arg(
        long,
        value_name = "N",
        default_value_t = 1,
        value_parser = clap::value_parser!(u16).range(1..=16),
        env = "KLARNA_CONFORMANCE_ACQUIRER_REPLICAS"
    )]
    pub acquirer_replicas: u16,

    /// Use the simulator that runs at this URL instead of starting one
    #[arg(long, value_name = "URL", env = "KLARNA_CONFORMANCE_SIMULATOR")]
    pub simulator: Option<Url>,

    /// The token that guards the control API of a simulator that runs already, where one does
    #[arg(
        long,
        value_name = "TOKEN",
        requires = "simulator",
        env = "KLARNA_CONFORMANCE_SIMULATOR_TOKEN",
        hide_env_values = true
    )]
    pub simulator_token: Option<SecretString>,

    /// Trust the authority in this file, PEM, of a simulator that runs at an https URL: the file that it
    /// names as `ca_file` at its start; a launched acquirer is told of it in `KLARNA_CA_FILE`
    #[arg(long, value_name = "FILE", requires = "simulator", env = "KLARNA_CONFORMANCE_SIMULATOR_CA_FILE")]
    pub simulator_ca_file: Option<PathBuf>,

    /// Let the simulator listen by TLS, and by nothing else: the acquirer is told an https URL, and in
    /// `KLARNA_CA_FILE` the authority to trust
    #[arg(long, conflicts_with = "simulator", env = "KLARNA_CONFORMANCE_TLS")]
    pub tls: bool,

    /// What the acquirer and Customers are told of where the simulator is, e.g. <http://klarna:8080>
    /// in a network of containers; it listens where `listen` in the adapter says
    #[arg(long, value_name = "URL", value_parser = public_url, env = "KLARNA_CONFORMANCE_SIMULATOR_PUBLIC_URL")]
    pub simulator_public_url: Option<Url>,

    /// What the acquirer and Customers are told of where the Partner is: notifications and returns go
    /// there; it listens where `listen` in the adapter says
    #[arg(long, value_name = "URL", value_parser = public_url, env = "KLARNA_CONFORMANCE_PARTNER_PUBLIC_URL")]
    pub partner_public_url: Option<Url>,

    /// Let the simulator send webhooks over plain http to this host, besides loopback; can be repeated
    #[arg(
        long,
        value_name = "HOST",
        value_delimiter = ',',
        conflicts_with = "simulator",
        env = "KLARNA_CONFORMANCE_ALLOW_HTTP_WEBHOOKS"
    )]
    pub allow_http_webhooks: Vec<String>,
}

/// A duration as people write it, longer than nothing.
fn duration(text: &str) -> Result<Duration, String> {
    let hint = "a duration with its unit, as in 90s, 5m or PT5M";
    let duration: jiff::SignedDuration = text.parse().map_err(|_| hint.to_owned())?;
    match Duration::try_from(duration) {
        Ok(duration) if !duration.is_zero() => Ok(duration),
        _ => Err(format!("{hint}, and longer than nothing")),
    }
}

/// Scheme, host and port; what follows them is ours.
fn public_url(text: &str) -> Result<Url, String> {
    let hint = "scheme, host and port and no more, as in http://klarna:8080";
    let url = Url::parse(text).map_err(|error| format!("{error}: {hint}"))?;
    let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
    let speaks_http = matches!(url.scheme(), "http" | "https") && url.has_host();
    let reachable = !matches!(url.host_str(), Some("0.0.0.0" | "[::]"));
    if bare && speaks_http && reachable && url.username().is_empty() && url.password().is_none() {
        Ok(url)
    } else {
        Err(hint.to_owned())
    }
}

/// Flags of `lint`.
#[derive(Debug, Clone, Args)]
pub struct LintArgs {
    /// Feature files or folders [default: the embedded features]
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
}

/// Flags of `steps`.
#[derive(Debug, Clone, Args)]
pub struct StepsArgs {
    /// Print the page docs/steps.md
    #[arg(long)]
    pub markdown: bool,
}

/// Subcommands of `features`.
#[derive(Debug, Subcommand)]
pub enum FeaturesCommand {
    /// Write the embedded features, adapters and schemas into a folder
    Export {
        /// The folder; made if absent, files in it are replaced
        #[arg(value_name = "DIR")]
        directory: PathBuf,
    },
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn no_subcommand_means_run() {
        let cli = Cli::try_parse_from(["klarna-conformance", "a.feature:3", "--seed", "7"]).unwrap();
        assert!(cli.command.is_none());
        assert_eq!(cli.run.selection, ["a.feature:3"]);
        assert_eq!(cli.run.seed, Some(7));
    }

    #[test]
    fn a_duration_has_a_unit() {
        assert_eq!(duration("90s"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("1m 30s"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("PT5M"), Ok(Duration::from_mins(5)));
        assert_eq!(duration("250ms"), Ok(Duration::from_millis(250)));
        for wrong in ["90", "", "0s", "-5s", "soon"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_public_url_is_an_origin_that_can_be_called() {
        assert_eq!(public_url("http://klarna:8080").unwrap().as_str(), "http://klarna:8080/");
        assert!(public_url("https://shop.example/").is_ok());
        for wrong in
            ["klarna:8080", "http://klarna/path", "http://a@klarna", "http://0.0.0.0:1", "http://[::]:1"]
        {
            assert!(public_url(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_tag_expression_is_checked_at_once() {
        assert!(Cli::try_parse_from(["klarna-conformance", "run", "--tags", "@a and"]).is_err());
    }
}
