//! Writers on a file, one after another and at once.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::future::join_all;
use futures::poll;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode};
use sqlx::{ConnectOptions as _, Sqlite};
use tempfile::TempDir;

use super::*;

struct Place {
    folder: TempDir,
    line: Arc<GroupCommit<Sqlite>>,
    commits: Arc<AtomicUsize>,
}

fn options(folder: &TempDir) -> SqliteConnectOptions {
    let options = SqliteConnectOptions::new().filename(folder.path().join("rows.db"));
    options.create_if_missing(true).journal_mode(SqliteJournalMode::Wal)
}

async fn place() -> Place {
    let folder = tempfile::tempdir().unwrap();
    let mut connection = options(&folder).connect().await.unwrap();
    connection.execute("CREATE TABLE rows (name TEXT UNIQUE)").await.unwrap();
    let commits = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&commits);
    connection.lock_handle().await.unwrap().set_commit_hook(move || {
        seen.fetch_add(1, Ordering::Relaxed);
        true
    });
    Place { line: GroupCommit::new(connection, "BEGIN IMMEDIATE"), folder, commits }
}

impl Place {
    async fn writes(&self, name: &str) -> Turn<Sqlite> {
        let mut turn = self.line.begin().await.unwrap();
        add(&mut turn, name).await.unwrap();
        turn
    }

    /// What is on the disk, as another process would see it.
    async fn on_disk(&self) -> Vec<String> {
        let mut connection = options(&self.folder).connect().await.unwrap();
        sqlx::query_scalar("SELECT name FROM rows ORDER BY name").fetch_all(&mut connection).await.unwrap()
    }
}

async fn add(turn: &mut Turn<Sqlite>, name: &str) -> Result<(), sqlx::Error> {
    sqlx::query("INSERT INTO rows VALUES ($1)").bind(name).execute(turn.connection_mut()).await.map(drop)
}

/// Lets whatever can go on do so, until all stand in line: there is one thread.
async fn let_them_stand_in_line() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn who_stands_in_line_shares_the_commit_and_is_answered_after_it() {
    let place = place().await;
    let first = place.writes("first").await;
    let others: Vec<_> = (0..20)
        .map(|number| {
            let line = Arc::clone(&place.line);
            tokio::spawn(async move {
                let mut turn = line.begin().await?;
                add(&mut turn, &format!("other {number:02}")).await?;
                turn.keep().await
            })
        })
        .collect();
    let_them_stand_in_line().await;
    assert_eq!(place.commits.load(Ordering::Relaxed), 0);
    assert!(place.on_disk().await.is_empty());

    first.keep().await.unwrap();
    assert!(place.on_disk().await.contains(&"first".to_owned()), "it was answered before it was there");
    for other in join_all(others).await {
        other.unwrap().unwrap();
    }
    assert_eq!(place.on_disk().await.len(), 21);
    assert_eq!(place.commits.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn who_gives_up_takes_back_his_own_and_nobody_elses() {
    let place = place().await;
    let kept = place.writes("kept").await;
    let line = &place.line;
    let (mut dropped, mut taken_back, mut last) =
        (Box::pin(line.begin()), Box::pin(line.begin()), Box::pin(line.begin()));
    // In this order.
    for waiting in [&mut dropped, &mut taken_back, &mut last] {
        assert!(poll!(waiting).is_pending());
        let_them_stand_in_line().await;
    }
    let ended = tokio::spawn(kept.keep());

    let mut dropped = dropped.await.unwrap();
    add(&mut dropped, "dropped").await.unwrap();
    drop(dropped);
    let mut taken_back = taken_back.await.unwrap();
    add(&mut taken_back, "dropped").await.unwrap();
    let taken_back = tokio::spawn(taken_back.take_back());
    let mut last = last.await.unwrap();
    add(&mut last, "dropped").await.unwrap();
    add(&mut last, "last").await.unwrap();
    last.keep().await.unwrap();

    ended.await.unwrap().unwrap();
    taken_back.await.unwrap().unwrap();
    assert_eq!(place.on_disk().await, ["dropped", "kept", "last"]);
    assert_eq!(place.commits.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn who_goes_away_while_he_waits_holds_nobody_up() {
    let place = place().await;
    let first = place.writes("first").await;
    let mut waiting = Box::pin(place.line.begin());
    assert!(poll!(&mut waiting).is_pending());
    let_them_stand_in_line().await;
    drop(waiting);
    first.keep().await.unwrap();
    place.writes("second").await.keep().await.unwrap();
    assert_eq!(place.on_disk().await, ["first", "second"]);
}

#[tokio::test]
async fn who_goes_away_while_he_keeps_or_begins_is_kept_or_was_never() {
    let place = place().await;
    let turn = place.writes("kept").await;
    let mut keeping = Box::pin(turn.keep());
    assert!(poll!(&mut keeping).is_pending());
    drop(keeping);
    let mut beginning = Box::pin(place.line.begin());
    assert!(poll!(&mut beginning).is_pending());
    drop(beginning);
    place.writes("last").await.keep().await.unwrap();
    assert_eq!(place.on_disk().await, ["kept", "last"]);
}

#[tokio::test]
async fn a_statement_that_fails_breaks_nothing_but_itself() {
    let place = place().await;
    let mut turn = place.writes("a row").await;
    add(&mut turn, "a row").await.unwrap_err();
    add(&mut turn, "another").await.unwrap();
    turn.keep().await.unwrap();
    assert_eq!(place.on_disk().await, ["a row", "another"]);
}

/// As a full disk does: the database rolls back by itself.
#[tokio::test]
async fn a_batch_that_breaks_is_kept_from_nobody_and_the_next_is_whole() {
    let place = place().await;
    let first = place.writes("first").await;
    let mut breaks = Box::pin(place.line.begin());
    assert!(poll!(&mut breaks).is_pending());
    let_them_stand_in_line().await;
    let first = tokio::spawn(first.keep());
    let mut breaks = breaks.await.unwrap();
    breaks.connection_mut().execute("ROLLBACK").await.unwrap();
    assert!(matches!(breaks.keep().await, Err(StoreError::Batch(_))));
    assert!(matches!(first.await.unwrap(), Err(StoreError::Batch(_))));
    assert!(place.on_disk().await.is_empty());

    place.writes("next").await.keep().await.unwrap();
    assert_eq!(place.on_disk().await, ["next"]);
}

#[tokio::test]
async fn another_process_that_writes_is_waited_for_and_an_error_is_for_one_batch() {
    let place = place().await;
    let options = options(&place.folder).busy_timeout(Duration::ZERO);
    let line = GroupCommit::<Sqlite>::new(options.clone().connect().await.unwrap(), "BEGIN IMMEDIATE");
    let mut other = options.connect().await.unwrap();
    other.execute("BEGIN IMMEDIATE").await.unwrap();
    assert!(matches!(line.begin().await, Err(StoreError::Database(_))));
    other.execute("COMMIT").await.unwrap();
    line.begin().await.unwrap().keep().await.unwrap();
}

#[tokio::test]
async fn a_line_that_closes_keeps_what_was_done_and_lets_nobody_begin() {
    let place = place().await;
    let turn = place.writes("kept").await;
    let mut keeping = Box::pin(turn.keep());
    assert!(poll!(&mut keeping).is_pending());
    place.line.close().await;
    keeping.await.unwrap();
    assert!(matches!(place.line.begin().await, Err(StoreError::Database(sqlx::Error::PoolClosed))));
    place.line.close().await;
    assert_eq!(place.on_disk().await, ["kept"]);
}
