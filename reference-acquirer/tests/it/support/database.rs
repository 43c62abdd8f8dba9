//! A database of a test's own, of either kind.

use std::io::Write as _;
use std::sync::Arc;

use reference_acquirer::store::{self, Sealer, Store};
use sqlx::{Connection as _, PgConnection, SqliteConnection};
use tempfile::TempDir;
use url::Url;

/// 32 zero bytes.
pub(crate) const DATABASE_KEY: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

/// Names a PostgreSQL in which tests may make schemas and drop them.
pub(crate) const POSTGRES: &str = "ACQUIRER_TEST_POSTGRES";

/// What opens what the acquirers of these tests have sealed.
pub(crate) fn sealer() -> Sealer {
    Sealer::new(&DATABASE_KEY.into()).unwrap()
}

/// A database that nobody else uses.
pub(crate) enum Database {
    /// A file in a folder of its own.
    Sqlite(TempDir),
    /// A schema of a server that runs.
    Postgres { server: Url, schema: String },
}

impl Database {
    pub(crate) fn sqlite() -> Self {
        Self::Sqlite(tempfile::tempdir().unwrap())
    }

    /// `None` where there is no server, which is said aloud and, in CI, no excuse.
    pub(crate) async fn postgres() -> Option<Self> {
        // The tests' own switch, and the one by which CI says that nothing may be left out.
        #[expect(clippy::disallowed_methods, reason = "tests have no settings")]
        let (server, ci) = (std::env::var(POSTGRES), std::env::var_os("CI"));
        let Ok(server) = server else {
            assert!(ci.is_none(), "CI leaves nothing out: {POSTGRES} must name a server");
            // Past the test harness, which swallows what passing tests print.
            let said = format!("PostgreSQL was NOT tested: set {POSTGRES}=postgres://USER@HOST/NAME\n");
            std::io::stderr().write_all(said.as_bytes()).unwrap();
            return None;
        };
        let server = Url::parse(&server).unwrap();
        let schema = reference_acquirer::chance::new_id("test");
        execute(&server, &format!("CREATE SCHEMA {schema}")).await;
        Some(Self::Postgres { server, schema })
    }

    pub(crate) fn url(&self) -> String {
        match self {
            Self::Sqlite(folder) => format!("sqlite://{}", folder.path().join("acquirer.db").display()),
            Self::Postgres { server, schema } => {
                let mut url = server.clone();
                url.query_pairs_mut().append_pair("options", &format!("-csearch_path={schema}"));
                url.to_string()
            }
        }
    }

    pub(crate) async fn open(&self) -> Arc<dyn Store> {
        store::open(&self.url(), sealer()).await.unwrap()
    }

    /// All that stands in it, as somebody sees it who has the disk and not the key.
    pub(crate) async fn everything(&self) -> String {
        match self {
            Self::Sqlite(folder) => {
                let files = std::fs::read_dir(folder.path()).unwrap();
                let bytes = files.flat_map(|file| std::fs::read(file.unwrap().path()).unwrap());
                String::from_utf8_lossy(&bytes.collect::<Vec<u8>>()).into_owned()
            }
            Self::Postgres { .. } => {
                let mut connection = PgConnection::connect(&self.url()).await.unwrap();
                let mut everything = String::new();
                let tables = "SELECT tablename::text FROM pg_tables WHERE schemaname = current_schema()";
                let tables: Vec<String> =
                    sqlx::query_scalar(tables).fetch_all(&mut connection).await.unwrap();
                assert!(tables.iter().any(|table| table == "dead_letters"), "{tables:?}");
                for table in tables {
                    let rows = format!("SELECT COALESCE(string_agg({table}::text, ' '), '') FROM {table}");
                    everything += &sqlx::query_scalar::<_, String>(sqlx::AssertSqlSafe(rows))
                        .fetch_one(&mut connection)
                        .await
                        .unwrap();
                }
                everything
            }
        }
    }

    /// Another of the same kind.
    pub(crate) async fn another(&self) -> Self {
        match self {
            Self::Sqlite(_) => Self::sqlite(),
            Self::Postgres { .. } => Self::postgres().await.unwrap(),
        }
    }

    /// How many rows of the outbox are not finished, while somebody else has it open.
    pub(crate) async fn open_work(&self) -> i64 {
        const OPEN: &str = "SELECT COUNT(*) FROM outbox WHERE done_at IS NULL";
        match self {
            Self::Sqlite(_) => {
                let mut connection = SqliteConnection::connect(&self.url()).await.unwrap();
                let open = sqlx::query_scalar(OPEN).fetch_one(&mut connection).await.unwrap();
                connection.close().await.unwrap();
                open
            }
            Self::Postgres { .. } => {
                let mut connection = PgConnection::connect(&self.url()).await.unwrap();
                let open = sqlx::query_scalar(OPEN).fetch_one(&mut connection).await.unwrap();
                connection.close().await.unwrap();
                open
            }
        }
    }

    /// Changes the tables behind the store's back.
    pub(crate) async fn execute(&self, statement: &'static str) {
        match self {
            Self::Sqlite(_) => {
                let mut connection = SqliteConnection::connect(&self.url()).await.unwrap();
                sqlx::query(statement).execute(&mut connection).await.unwrap();
                connection.close().await.unwrap();
            }
            Self::Postgres { .. } => {
                execute(&Url::parse(&self.url()).unwrap(), statement).await;
            }
        }
    }

    /// Leaves nothing behind. After a failed test the schema stays, to be looked at.
    pub(crate) async fn drop(self) {
        if let Self::Postgres { server, schema } = self {
            execute(&server, &format!("DROP SCHEMA {schema} CASCADE")).await;
        }
    }
}

async fn execute(server: &Url, statement: &str) {
    let mut connection = PgConnection::connect(server.as_str()).await.unwrap();
    sqlx::query(sqlx::AssertSqlSafe(statement)).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

/// Makes of each `async fn name(database: &Database)` a test on SQLite and one on PostgreSQL.
macro_rules! on_both {
    ($($test:ident)*) => {
        mod sqlite {
            $(#[tokio::test] async fn $test() {
                super::$test(&crate::support::Database::sqlite()).await;
            })*
        }

        mod postgres {
            $(#[tokio::test] async fn $test() {
                let Some(database) = crate::support::Database::postgres().await else { return };
                super::$test(&database).await;
                database.drop().await;
            })*
        }
    };
}
pub(crate) use on_both;
