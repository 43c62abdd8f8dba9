//! The store in PostgreSQL, for any number of replicas.
//!
//! Nobody takes another's claim before its lease has run out: its owner may be alive.

use std::str::FromStr as _;
use std::time::Duration;

use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions, PgQueryResult};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection, Postgres, Row as _};

use super::StoreError;
use super::dialect::{Dialect, listen};
use super::script::{Did, Script, Value};
use super::seal::Sealer;
use super::sql::SqlStore;
use super::writers::Writers;

/// Connections of one replica. PostgreSQL's default of 100 bears several replicas.
const CONNECTIONS: u32 = 16;

/// How long a request waits for one of them before it fails: a database that hangs must not hold
/// every caller for ever.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);

const BEGIN: &str = "BEGIN";

impl Dialect for Postgres {
    // Replicas pass over each other's rows instead of waiting for them. Materialised, since a
    // subselect may be planned to run more than once, and would then lock more rows than it claims.
    const CLAIM: &'static str = "\
        WITH due AS MATERIALIZED ( \
            SELECT id FROM outbox \
            WHERE done_at IS NULL AND due_at <= $3 AND (lease_until IS NULL OR lease_until <= $3) \
              AND task IN (SELECT json_array_elements_text($5::json)) \
            ORDER BY due_at, id LIMIT $4 FOR UPDATE SKIP LOCKED) \
        UPDATE outbox SET lease_owner = $1, lease_until = $2, attempts = attempts + 1 \
        FROM due WHERE outbox.id = due.id \
        RETURNING outbox.id, task, subject, attempts";
    const NEXT_DUE: &'static str = "\
        SELECT MIN(GREATEST(due_at, lease_until)) AS due_at FROM outbox \
        WHERE done_at IS NULL AND task IN (SELECT json_array_elements_text($1::json))";
    // Takes an advisory lock, so that replicas which start together do not meet.
    const MIGRATIONS: Migrator = sqlx::migrate!("src/store/migrations/postgres");

    fn rows_affected(result: &PgQueryResult) -> u64 {
        result.rows_affected()
    }

    async fn run(connection: &mut PgConnection, script: Script) -> Result<Did, sqlx::Error> {
        let mut did = Did::default();
        for line in script.into_lines() {
            let mut query = sqlx::query(line.statement);
            for value in line.values {
                query = match value {
                    Value::Text(text) => query.bind(text),
                    Value::Number(number) => query.bind(number),
                };
            }
            listen::<Self>(connection.fetch_many(query), |row| row.try_get("id"), &mut did).await?;
        }
        Ok(did)
    }
}

/// Makes an empty schema, and answers the URL by which a store lives in it and nowhere else.
pub(super) async fn make_schema(url: &str, schema: &str) -> Result<String, StoreError> {
    execute(url, &format!("CREATE SCHEMA {schema}")).await?;
    let glue = if url.contains('?') { '&' } else { '?' };
    Ok(format!("{url}{glue}options=-csearch_path%3D{schema}"))
}

/// Drops a schema with all that is in it.
pub(super) async fn drop_schema(url: &str, schema: &str) -> Result<(), StoreError> {
    execute(url, &format!("DROP SCHEMA {schema} CASCADE")).await
}

async fn execute(url: &str, statement: &str) -> Result<(), StoreError> {
    let mut connection = PgConnection::connect(url).await?;
    // Names are this program's own.
    sqlx::query(AssertSqlSafe(statement)).execute(&mut connection).await?;
    Ok(connection.close().await?)
}

/// Connects to `postgres://…` and brings its tables up to date.
pub(super) async fn open(url: &str, sealer: Sealer) -> Result<SqlStore<Postgres>, StoreError> {
    let options = PgConnectOptions::from_str(url)?.application_name(env!("CARGO_PKG_NAME"));
    let pool = PgPoolOptions::new()
        .max_connections(CONNECTIONS)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .connect_with(options)
        .await?;
    let writers = Writers::Apart { pool: pool.clone(), begin: BEGIN };
    SqlStore::new(pool, writers, sealer, None).await
}
