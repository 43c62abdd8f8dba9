//! Everything that is decided before anything is started.

use std::path::PathBuf;
use std::sync::Arc;

use jiff::tz::TimeZone;
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use super::Stop;
use crate::adapter::{Adapter, AdapterError, AdapterSource};
use crate::authority::Authority;
use crate::builtin;
use crate::cli::args::{PartiesArgs, RunArgs};
use crate::cli::lint;
use crate::exit_code::Exit;
use crate::expected::{self, Expected};
use crate::model;
use crate::mutants::{DEFECTS, Defect};
use crate::plan::{self, FeatureFile, Scenario, Selection, Spot};

/// What a run is made of.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) adapter: Adapter,
    pub(super) scenarios: Vec<Scenario>,
    /// What is expected to fail.
    pub(super) expected: Arc<Expected>,
    /// Every scenario that there is, selected or not, with its duties.
    pub(super) all: WithDuties,
    pub(super) defect: Option<&'static Defect>,
    /// The URL of the built-in acquirer's database, if it is not to be the adapter's.
    pub(super) database: Option<SecretString>,
    /// Of a simulator that runs already.
    pub(super) authority: Option<Authority>,
}

pub(super) fn prepare(args: &RunArgs) -> Result<Prepared, Stop> {
    let defect = args.defect.as_deref().map(defect).transpose()?;
    if defect.is_some() && args.parties.simulator_public_url.is_some() {
        let why = "--defect stands in for Klarna on a loopback address of its own: it cannot be combined with --simulator-public-url";
        return Err(Stop::new(Exit::Usage, why));
    }
    let authority = authority(&args.parties)?;
    let (scenarios, all) = scenarios(args)?;
    let expected = Arc::new(expected(args, &all)?);
    let source = match &args.acquirer {
        Some(path) => AdapterSource::File(path.clone()),
        None => AdapterSource::Builtin(builtin::NAME.to_owned()),
    };
    let adapter = load(&source)?;
    let database = database(&args.parties, &adapter)?;

    Ok(Prepared { adapter, scenarios, expected, all, defect, database, authority })
}

/// Reads and checks an adapter.
pub(in crate::cli) fn load(source: &AdapterSource) -> Result<Adapter, Stop> {
    Adapter::load(source).map_err(invalid)
}

/// The database that was asked for, where there is an acquirer that can take it.
pub(in crate::cli) fn database(args: &PartiesArgs, adapter: &Adapter) -> Result<Option<SecretString>, Stop> {
    let Some(asked) = &args.acquirer_database else {
        check_replicas(args, None)?;
        return Ok(None);
    };
    let usage = |why: String| Stop::new(Exit::Usage, format!("--acquirer-database: {why}"));
    if !adapter.launches_builtin() {
        let why = format!(
            "the adapter \"{}\" does not launch the built-in acquirer, and only that one takes it\n  hint: \
             tell your own acquirer its database in launch.env or launch.args",
            adapter.name()
        );
        return Err(usage(why));
    }
    let url = builtin::Database::url_of(asked.expose_secret()).map_err(usage)?.into();
    check_replicas(args, Some(&url))?;
    Ok(Some(url))
}

/// Replicas share what they know in a database, and that of SQLite is for one process.
fn check_replicas(args: &PartiesArgs, database: Option<&SecretString>) -> Result<(), Stop> {
    let shared = database.is_some_and(|url| !url.expose_secret().starts_with("sqlite:"));
    if args.acquirer_replicas > 1 && !shared {
        let why = "--acquirer-replicas: replicas share one PostgreSQL\n  hint: name it with --acquirer-database postgres://HOST/NAME";
        return Err(Stop::new(Exit::Usage, why));
    }
    Ok(())
}

/// The authority to trust, where the flags about TLS fit each other.
pub(in crate::cli) fn authority(args: &PartiesArgs) -> Result<Option<Authority>, Stop> {
    let usage = |why: String| Stop::new(Exit::Usage, why);
    let is_https = |url: &Option<Url>| url.as_ref().is_some_and(|url| url.scheme() == "https");
    let public_https = is_https(&args.simulator_public_url);
    if args.tls && args.simulator_public_url.is_some() && !public_https {
        let why = "with --tls nothing answers by plain http: --simulator-public-url must begin with https://";
        return Err(usage(why.to_owned()));
    }
    let Some(path) = &args.simulator_ca_file else { return Ok(None) };
    if !is_https(&args.simulator) && !public_https {
        let why = "--simulator-ca-file is about TLS: --simulator or --simulator-public-url must begin with https://";
        return Err(usage(why.to_owned()));
    }
    Authority::read(path).map(Some).map_err(|error| usage(format!("--simulator-ca-file: {error}")))
}

fn defect(name: &str) -> Result<&'static Defect, Stop> {
    DEFECTS.iter().find(|defect| defect.name == name).ok_or_else(|| {
        let known: Vec<&str> = DEFECTS.iter().map(|defect| defect.name).collect();
        Stop::new(
            Exit::Usage,
            format!("there is no defect \"{name}\"\n  hint: there are {}", known.join(", ")),
        )
    })
}

fn invalid(error: AdapterError) -> Stop {
    Stop::new(Exit::Invalid, format!("\n{:?}", miette::Report::new(error)))
}

fn expected(args: &RunArgs, all: &[(String, Vec<String>)]) -> Result<Expected, Stop> {
    let Some(path) = &args.expected else { return Ok(Expected::default()) };
    // Files that are named alone are read alone: then the list may well be about others.
    let ids: Option<Vec<&str>> =
        args.selection.is_empty().then(|| all.iter().map(|(id, _)| id.as_str()).collect());
    let today = model::now().to_zoned(TimeZone::UTC).date();
    expected::load(path, ids.as_deref(), today).map_err(invalid)
}

/// Scenarios, each with its duties.
pub(super) type WithDuties = Vec<(String, Vec<String>)>;

/// The scenarios that are to be run, and all that there are.
fn scenarios(args: &RunArgs) -> Result<(Vec<Scenario>, WithDuties), Stop> {
    let spots: Vec<Spot> = args.selection.iter().map(|text| Spot::read(text)).collect();
    let mut paths: Vec<PathBuf> = args.features.clone();
    // A file that is named alone is read alone.
    paths.extend(spots.iter().map(|spot| spot.file.clone()));
    let files = FeatureFile::load(&paths).map_err(|error| Stop::new(Exit::Invalid, error.to_string()))?;
    let checked = plan::check(&files);
    if !checked.problems.is_empty() {
        lint::report(&checked.problems);
        return Err(Stop::new(Exit::Invalid, String::new()));
    }
    let all = checked.scenarios.iter().map(|known| (known.id.clone(), known.duties.clone())).collect();
    let selection = Selection { spots, tags: args.tags.clone() };
    let selected = selection
        .apply(checked.scenarios)
        .map_err(|error| Stop::new(Exit::NothingSelected, error.to_string()))?;
    if selected.is_empty() {
        return Err(Stop::new(Exit::NothingSelected, "no scenario fits --tags and the files named"));
    }
    Ok((selected, all))
}
