//! The store in one SQLite file, for one process at a time.

use std::str::FromStr as _;
use std::time::Duration;

use sqlx::migrate::Migrator;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteQueryResult, SqliteSynchronous,
};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Executor as _, Row as _, Sqlite, SqliteConnection};

use super::StoreError;
use super::dialect::{Dialect, listen};
use super::group_commit::GroupCommit;
use super::in_use::InUse;
use super::script::{Did, Script, Value};
use super::seal::Sealer;
use super::sql::SqlStore;
use super::writers::Writers;

/// Writers wait for each other instead of failing.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// Readers beside the writers, who share one.
const CONNECTIONS: u32 = 8;

/// Takes the write lock at once, so that no transaction has to be upgraded and fail.
const BEGIN: &str = "BEGIN IMMEDIATE";

impl Dialect for Sqlite {
    const CLAIM: &'static str = "\
        UPDATE outbox SET lease_owner = $1, lease_until = $2, attempts = attempts + 1 \
        WHERE id IN (SELECT id FROM outbox \
                     WHERE done_at IS NULL AND due_at <= $3 AND (lease_until IS NULL OR lease_until <= $3) \
                       AND task IN (SELECT value FROM json_each($5)) \
                     ORDER BY due_at, id LIMIT $4) \
        RETURNING id, task, subject, attempts";
    const NEXT_DUE: &'static str = "\
        SELECT MIN(MAX(due_at, COALESCE(lease_until, due_at))) AS due_at FROM outbox \
        WHERE done_at IS NULL AND task IN (SELECT value FROM json_each($1))";
    const MIGRATIONS: Migrator = sqlx::migrate!("src/store/migrations/sqlite");

    fn rows_affected(result: &SqliteQueryResult) -> u64 {
        result.rows_affected()
    }

    async fn run(connection: &mut SqliteConnection, script: Script) -> Result<Did, sqlx::Error> {
        let (text, values) = script.joined();
        // Texts of this program's own; their values are parameters. There are few of them, so each is
        // prepared once.
        let mut query = sqlx::query(AssertSqlSafe(text));
        for value in values {
            query = match value {
                Value::Text(text) => query.bind(text),
                Value::Number(number) => query.bind(number),
            };
        }
        let mut did = Did::default();
        listen::<Self>(connection.fetch_many(query), |row| row.try_get("id"), &mut did).await?;
        Ok(did)
    }
}

/// Opens `sqlite://FILE`, creates it if absent, and brings its tables up to date.
///
/// The file serves one process, and a lock beside it sees to that: whatever is claimed when it is
/// opened was claimed by a run that ended, and is free again.
pub(super) async fn open(url: &str, sealer: Sealer) -> Result<SqlStore<Sqlite>, StoreError> {
    let options = options(url)?.create_if_missing(true);
    // Every connection to `:memory:` is a database of its own.
    let in_memory = url.contains(":memory:");
    let connections = if in_memory { 1 } else { CONNECTIONS };
    let in_use = if in_memory { None } else { Some(InUse::take(options.get_filename())?) };
    let pool = SqlitePoolOptions::new()
        .max_connections(connections)
        // No network lies between: a connection that was well is well.
        .test_before_acquire(false)
        .connect_with(options.clone())
        .await?;
    let writers = if in_memory {
        Writers::Apart { pool: pool.clone(), begin: BEGIN }
    } else {
        Writers::Together(GroupCommit::new(options.connect().await?, BEGIN))
    };
    let store = SqlStore::new(pool, writers, sealer, in_use).await?;
    let abandoned = store.release_everything().await?;
    if abandoned > 0 {
        tracing::info!(abandoned, "going on with what an earlier run left unfinished");
    }
    Ok(store)
}

/// Opens a file that another process may be serving. SQLite lets one of them write at a time.
pub(super) async fn open_beside(url: &str, sealer: Sealer) -> Result<SqlStore<Sqlite>, StoreError> {
    let options = options(url)?.create_if_missing(false);
    let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options).await?;
    let writers = Writers::Apart { pool: pool.clone(), begin: BEGIN };
    SqlStore::new(pool, writers, sealer, None).await
}

fn options(url: &str) -> Result<SqliteConnectOptions, StoreError> {
    Ok(SqliteConnectOptions::from_str(url)?
        .journal_mode(SqliteJournalMode::Wal)
        // A commit is on the disk before it is answered.
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(BUSY_TIMEOUT)
        // What is deleted or overwritten is not left in the file: it held tokens.
        .pragma("secure_delete", "ON")
        .foreign_keys(true))
}
