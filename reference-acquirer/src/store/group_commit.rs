//! One connection for all who write, and one commit for all who stand in line together.
//!
//! Where the database takes one writer at a time, each commit waits for the disk alone, and that wait
//! is most of what writing costs. So writers share it: the first of them begins a transaction, each in
//! turn does its work within a savepoint, and whoever stood in line when the first was done is in the
//! same commit. Nobody is answered before that commit is on the disk, also who wrote nothing: it may
//! have read what another of the batch wrote.
//!
//! A writer that gives up, or is dropped, takes back its own savepoint and nobody else's.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sqlx::{Connection as _, Database, Executor};
use tokio::sync::{OwnedMappedMutexGuard, OwnedMutexGuard, oneshot, watch};

use super::StoreError;
use super::dialect::Dialect;
use super::script::{Did, Script};

const SAVEPOINT: &str = "SAVEPOINT writer";
/// Keeps what the last writer did, and begins the next one's savepoint.
const NEXT: [&str; 2] = ["RELEASE writer", SAVEPOINT];
const TAKE_BACK: &str = "ROLLBACK TO writer";

/// What became of a batch; nothing while it is open.
type Outcome = Option<Result<(), Arc<sqlx::Error>>>;

/// The connection, for as long as it is somebody's turn.
type Held<DB> = OwnedMappedMutexGuard<Option<<DB as Database>::Connection>, <DB as Database>::Connection>;

/// The line of writers before one connection.
pub(super) struct GroupCommit<DB: Database> {
    /// Begins a transaction.
    begin: &'static str,
    /// First come, first served; empty once it is closed.
    connection: Arc<tokio::sync::Mutex<Option<DB::Connection>>>,
    batch: Mutex<Batch>,
}

/// The writers whose commit is one.
#[derive(Debug)]
enum Batch {
    /// None: no transaction is open.
    Closed,
    /// A transaction is open, with a savepoint in it.
    Open {
        /// Tells its writers what became of it.
        outcome: watch::Sender<Outcome>,
        /// What is done since the savepoint is to be kept. As long as it is not, whoever gets the
        /// connection takes it back: its writer has gone.
        kept: bool,
    },
}

/// A writer's turn. What it does is undone when it is dropped before it was [kept](Self::keep).
pub(super) struct Turn<DB: Database> {
    connection: Held<DB>,
    line: Arc<GroupCommit<DB>>,
    /// Of the first of a batch; when it goes, the commit stands in line. The last of all to go.
    _first: Option<oneshot::Sender<()>>,
}

impl<DB: Database> fmt::Debug for GroupCommit<DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GroupCommit").field("batch", &self.batch).finish_non_exhaustive()
    }
}

impl<DB> GroupCommit<DB>
where
    DB: Dialect,
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
{
    /// A line before a connection that nobody else uses.
    pub(super) fn new(connection: DB::Connection, begin: &'static str) -> Arc<Self> {
        let connection = Arc::new(tokio::sync::Mutex::new(Some(connection)));
        Arc::new(Self { begin, connection, batch: Mutex::new(Batch::Closed) })
    }

    /// Waits for its turn, and begins a batch if none is open.
    ///
    /// # Errors
    /// When the database refuses, or the line is closed.
    pub(super) async fn begin(self: &Arc<Self>) -> Result<Turn<DB>, StoreError> {
        Ok(self.begin_with(Script::default()).await?.0)
    }

    /// The same, and what it does first in the same trip to the database.
    ///
    /// # Errors
    /// When the database refuses, or the line is closed.
    pub(super) async fn begin_with(self: &Arc<Self>, script: Script) -> Result<(Turn<DB>, Did), StoreError> {
        // By itself, so that it is known what was done even if nobody waits for it any more.
        let begun = tokio::spawn(Arc::clone(self).turn(script));
        begun.await.map_err(|_| sqlx::Error::WorkerCrashed)?
    }

    async fn turn(self: Arc<Self>, script: Script) -> Result<(Turn<DB>, Did), StoreError> {
        let mut connection = self.held().await?;
        if self.is_open() {
            self.keep_what_is_done(false);
            let did = DB::run(&mut connection, script.after(&NEXT)).await?;
            let turn = Turn { connection, line: self, _first: None };
            return Ok((turn, did.without_the_first(NEXT.len())));
        }
        let begin = [self.begin, SAVEPOINT];
        let did = match DB::run(&mut connection, script.after(&begin)).await {
            Ok(did) => did.without_the_first(begin.len()),
            Err(error) => {
                // There is no batch yet. Refused where not even the transaction has begun, which is as well.
                let _ = connection.execute("ROLLBACK").await;
                return Err(error.into());
            }
        };
        *self.state() = Batch::Open { outcome: watch::Sender::new(None), kept: false };
        let (first, first_is_done) = oneshot::channel();
        tokio::spawn(Arc::clone(&self).commit(first_is_done));
        Ok((Turn { connection, line: self, _first: Some(first) }, did))
    }

    /// The connection, without what a writer that has gone may have left behind.
    async fn held(&self) -> Result<Held<DB>, StoreError> {
        let guard = Arc::clone(&self.connection).lock_owned().await;
        let mut connection =
            OwnedMutexGuard::try_map(guard, Option::as_mut).map_err(|_| sqlx::Error::PoolClosed)?;
        if self.holds_what_nobody_keeps() {
            match connection.execute(TAKE_BACK).await {
                Ok(_) => self.keep_what_is_done(true),
                Err(error) => drop(self.fail(&mut connection, error).await),
            }
        }
        Ok(connection)
    }

    /// Commits the batch that is open when its turn comes: behind the first writer of it, and behind all
    /// who stood in line by then.
    async fn commit(self: Arc<Self>, first_is_done: oneshot::Receiver<()>) {
        // Nothing is ever sent: it ends when the first does.
        let _ = first_is_done.await;
        if let Ok(mut connection) = self.held().await {
            self.commit_on(&mut connection).await;
        }
    }

    async fn commit_on(&self, connection: &mut DB::Connection) {
        if !self.is_open() {
            return;
        }
        match connection.execute("COMMIT").await {
            Ok(_) => self.tell(Ok(())),
            Err(error) => drop(self.fail(connection, error).await),
        }
    }

    /// Nothing of the batch is kept, and every writer of it learns so.
    async fn fail(&self, connection: &mut DB::Connection, error: sqlx::Error) -> StoreError {
        // Refused where the database has rolled back by itself, which is as well.
        let _ = connection.execute("ROLLBACK").await;
        let error = Arc::new(error);
        self.tell(Err(Arc::clone(&error)));
        StoreError::Batch(error)
    }

    fn tell(&self, became: Result<(), Arc<sqlx::Error>>) {
        if let Batch::Open { outcome, .. } = std::mem::replace(&mut *self.state(), Batch::Closed) {
            outcome.send_replace(Some(became));
        }
    }

    fn is_open(&self) -> bool {
        matches!(*self.state(), Batch::Open { .. })
    }

    fn holds_what_nobody_keeps(&self) -> bool {
        matches!(*self.state(), Batch::Open { kept: false, .. })
    }

    fn keep_what_is_done(&self, keep: bool) {
        if let Batch::Open { kept, .. } = &mut *self.state() {
            *kept = keep;
        }
    }

    fn state(&self) -> MutexGuard<'_, Batch> {
        // It holds no promise that a panic could have broken.
        self.batch.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Commits what is open, and closes the connection; whoever comes later is refused.
    pub(super) async fn close(&self) {
        let Ok(mut connection) = self.held().await else { return };
        self.commit_on(&mut connection).await;
        drop(connection);
        if let Some(connection) = self.connection.lock().await.take()
            && let Err(error) = connection.close().await
        {
            tracing::warn!(%error, "the connection of the writers did not close");
        }
    }
}

impl<DB> Turn<DB>
where
    DB: Dialect,
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
{
    /// Keeps what was done, and waits until it is on the disk.
    ///
    /// # Errors
    /// When the batch was not committed: then nothing of this turn is kept.
    pub(super) async fn keep(self) -> Result<(), StoreError> {
        self.end(true).await
    }

    /// Takes back what was done, and waits until what it may have read of others is on the disk.
    ///
    /// # Errors
    /// When the batch was not committed.
    pub(super) async fn take_back(self) -> Result<(), StoreError> {
        self.end(false).await
    }

    async fn end(self, keep: bool) -> Result<(), StoreError> {
        self.line.keep_what_is_done(keep);
        let outcome = match &*self.line.state() {
            Batch::Open { outcome, .. } => Some(outcome.subscribe()),
            Batch::Closed => None,
        };
        // The next may write.
        drop(self);
        let mut outcome = outcome.ok_or(sqlx::Error::WorkerCrashed)?;
        let outcome = outcome.wait_for(Option::is_some).await.map_err(|_| sqlx::Error::WorkerCrashed)?;
        match &*outcome {
            Some(Err(error)) => Err(StoreError::Batch(Arc::clone(error))),
            Some(Ok(())) | None => Ok(()),
        }
    }
}

impl<DB: Database> Turn<DB> {
    /// The connection, for statements.
    pub(super) fn connection(&self) -> &DB::Connection {
        &self.connection
    }

    /// The connection, for statements.
    pub(super) fn connection_mut(&mut self) -> &mut DB::Connection {
        &mut self.connection
    }
}

#[cfg(test)]
mod tests;
