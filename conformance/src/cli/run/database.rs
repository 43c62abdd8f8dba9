//! The database of the built-in acquirer, where one was asked for.

use secrecy::{ExposeSecret as _, SecretString};

use super::Stop;
use crate::builtin::Database;
use crate::cli::output::complain;
use crate::exit_code::Exit;

/// Makes in it what is needed.
pub(in crate::cli) async fn begin(url: Option<&SecretString>) -> Result<Option<Database>, Stop> {
    let Some(url) = url else { return Ok(None) };
    let begun = Database::begin(url.expose_secret()).await;
    begun.map(Some).map_err(|why| Stop::new(Exit::Unreachable, format!("--acquirer-database: {why}")))
}

/// Nothing of the run stays in a database that is not the run's; that it does spoils no verdict.
pub(in crate::cli) async fn leave(database: Option<Database>) {
    let Some(database) = database else { return };
    if let Err(why) = database.end().await {
        complain(&format!("--acquirer-database: what the run has made there stays: {why}"));
    }
}
