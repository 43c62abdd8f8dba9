//! The live payment of `adapter check`.

use super::args::CheckArgs;
use crate::adapter::Adapter;
use crate::builtin::Database;
use crate::cli::chance;
use crate::cli::output::say;
use crate::cli::run::parties::{self, Cast, Parties};
use crate::cli::run::{Stop, database, interrupt, on_a_runtime, prepare};
use crate::exit_code::Exit;
use crate::trial::{self, Report, TrialParties};

/// Makes the payment and tells what it showed.
pub(super) fn run(args: &CheckArgs, adapter: &Adapter) -> Exit {
    let seed = args.seed.unwrap_or_else(chance::new_seed);
    match on_a_runtime(with_database(args, adapter, seed)) {
        Ok(report) => {
            say(&format!("\nOne payment with canaries, seed {seed}\n\n{}", report.in_words().trim_end()));
            if report.holds() { Exit::Held } else { Exit::NotHeld }
        }
        Err(stop) => {
            stop.say();
            stop.exit
        }
    }
}

async fn with_database(args: &CheckArgs, adapter: &Adapter, seed: u64) -> Result<Report, Stop> {
    let url = prepare::database(&args.parties, adapter)?;
    let database = database::begin(url.as_ref()).await?;
    let stop = interrupt::listen().map_err(|error| Stop::new(Exit::Broken, error.to_string()))?;
    let report = tokio::select! {
        report = among_all(args, adapter, seed, database.as_ref()) => report,
        () = stop.cancelled() => Err(Stop::new(Exit::Interrupted, "before the payment had ended")),
    };
    database::leave(database).await;
    report
}

/// Starts everybody, as a run does, and lets them make the payment.
async fn among_all(
    args: &CheckArgs,
    adapter: &Adapter,
    seed: u64,
    database: Option<&Database>,
) -> Result<Report, Stop> {
    let work_dir = tempfile::tempdir().map_err(|error| Stop::new(Exit::Broken, error.to_string()))?;
    let cast = Cast {
        adapter,
        defect: None,
        authority: prepare::authority(&args.parties)?,
        seed,
        work_dir: work_dir.path(),
        log_file: None,
        database: database.map(Database::url),
    };
    let Parties { simulator, control, stand_in, process, acquirer, browser, .. } =
        parties::gather(&args.parties, cast).await?;
    let Some(partner) = adapter.partners().first() else {
        return Err(Stop::new(Exit::Invalid, "the adapter has no Partner"));
    };
    let parties = TrialParties {
        acquirer: &acquirer,
        control: &control,
        stand_in: &stand_in,
        browser: &browser,
        partner,
    };
    let report = trial::make(parties, seed).await;
    process.stop().await;
    if let Some(simulator) = simulator {
        simulator.shutdown().await;
    }
    report.map_err(|error| Stop::new(Exit::Unreachable, error.to_string()))
}
