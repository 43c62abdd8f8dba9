//! What one database says otherwise than the other.

use futures::TryStreamExt as _;
use futures::stream::BoxStream;
use sqlx::migrate::Migrator;
use sqlx::{Database, Either};

use super::script::{Did, Script};

/// A database that the store can be in.
pub(super) trait Dialect: Database {
    /// Claims rows of the outbox that are due and that nobody holds: `$1` owner, `$2` until, `$3`
    /// now, `$4` how many, `$5` the tasks, a JSON list of names.
    const CLAIM: &'static str;
    /// When the next row becomes due or its lease runs out, as `due_at`: `$1` the tasks, as above.
    const NEXT_DUE: &'static str;
    /// The tables, version by version.
    const MIGRATIONS: Migrator;

    /// How many rows a statement wrote.
    fn rows_affected(result: &Self::QueryResult) -> u64;

    /// Runs all statements of a script, the first that fails excepted and what follows it.
    fn run(
        connection: &mut Self::Connection,
        script: Script,
    ) -> impl Future<Output = Result<Did, sqlx::Error>> + Send;
}

/// What one statement did, or a row that it returned before.
type Answer<DB> = Result<Either<<DB as Database>::QueryResult, <DB as Database>::Row>, sqlx::Error>;

/// Adds what statements answer to what a script did.
pub(super) async fn listen<DB: Dialect>(
    mut answers: BoxStream<'_, Answer<DB>>,
    id_of: impl Fn(&DB::Row) -> Result<i64, sqlx::Error>,
    did: &mut Did,
) -> Result<(), sqlx::Error> {
    while let Some(answer) = answers.try_next().await? {
        match answer {
            Either::Left(done) => did.rows_affected.push(DB::rows_affected(&done)),
            Either::Right(row) => did.id = Some(id_of(&row)?),
        }
    }
    Ok(())
}
