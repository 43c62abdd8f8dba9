//! What one database says otherwise than the other.

use sqlx::Database;
use sqlx::migrate::Migrator;

/// A database that the store can be in.
pub(super) trait Dialect: Database {
    /// Begins a transaction that will write.
    const BEGIN: &'static str;
    /// Claims rows of the outbox that are due and that nobody holds: `$1` owner, `$2` until, `$3`
    /// now, `$4` how many, `$5` the tasks, a JSON list of names.
    const CLAIM: &'static str;
    /// When the next row becomes due or its lease runs out, as `due_at`: `$1` the tasks, as above.
    const NEXT_DUE: &'static str;
    /// The tables, version by version.
    const MIGRATIONS: Migrator;

    /// How many rows a statement wrote.
    fn rows_affected(result: &Self::QueryResult) -> u64;
}
