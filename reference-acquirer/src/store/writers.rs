//! A transaction that writes, whichever way the database takes it.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use sqlx::{Database, Executor, Pool, Transaction};

use super::StoreError;
use super::dialect::Dialect;
use super::group_commit::{GroupCommit, Turn};
use super::script::{Did, Script};

/// How writers come to the database.
#[derive(Debug)]
pub(super) enum Writers<DB: Database> {
    /// Side by side, on connections of their own.
    Apart {
        /// The connections.
        pool: Pool<DB>,
        /// Begins a transaction.
        begin: &'static str,
    },
    /// One after another on one connection, with one commit for those that come together.
    Together(Arc<GroupCommit<DB>>),
}

/// A transaction that writes. It is rolled back when it is dropped.
pub(super) enum Write<DB: Database> {
    /// On a connection of its own.
    Apart(Transaction<'static, DB>),
    /// Within a batch.
    Together(Turn<DB>),
}

impl<DB> Writers<DB>
where
    DB: Dialect,
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
{
    /// Begins a transaction, as soon as it may.
    ///
    /// # Errors
    /// When the database refuses, or is closed.
    pub(super) async fn begin(&self) -> Result<Write<DB>, StoreError> {
        Ok(match self {
            Self::Apart { pool, begin } => Write::Apart(pool.begin_with(*begin).await?),
            Self::Together(line) => Write::Together(line.begin().await?),
        })
    }

    /// The same, and what it does first in the same trip to the database.
    ///
    /// # Errors
    /// When the database refuses, or is closed.
    pub(super) async fn begin_with(&self, script: Script) -> Result<(Write<DB>, Did), StoreError> {
        Ok(match self {
            Self::Apart { pool, begin } => {
                let mut transaction = pool.begin_with(*begin).await?;
                let did = DB::run(&mut transaction, script).await?;
                (Write::Apart(transaction), did)
            }
            Self::Together(line) => {
                let (turn, did) = line.begin_with(script).await?;
                (Write::Together(turn), did)
            }
        })
    }

    /// Lets those finish that have begun, and nobody else begin.
    pub(super) async fn close(&self) {
        match self {
            Self::Apart { pool, .. } => pool.close().await,
            Self::Together(line) => line.close().await,
        }
    }
}

impl<DB> Write<DB>
where
    DB: Dialect,
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
{
    /// Returns once all of it is on the disk.
    ///
    /// # Errors
    /// When it is not, and none of it is.
    pub(super) async fn commit(self) -> Result<(), StoreError> {
        match self {
            Self::Apart(transaction) => Ok(transaction.commit().await?),
            Self::Together(turn) => turn.keep().await,
        }
    }

    /// Takes all of it back. Returns once what it has read is on the disk, so that it may be told.
    ///
    /// # Errors
    /// When what it has read may not be there.
    pub(super) async fn roll_back(self) -> Result<(), StoreError> {
        match self {
            Self::Apart(transaction) => Ok(transaction.rollback().await?),
            Self::Together(turn) => turn.take_back().await,
        }
    }
}

impl<DB: Database> Deref for Write<DB> {
    type Target = DB::Connection;

    fn deref(&self) -> &Self::Target {
        match self {
            Self::Apart(transaction) => transaction,
            Self::Together(turn) => turn.connection(),
        }
    }
}

impl<DB: Database> DerefMut for Write<DB> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        match self {
            Self::Apart(transaction) => transaction,
            Self::Together(turn) => turn.connection_mut(),
        }
    }
}
