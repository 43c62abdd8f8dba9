//! One process at a time: a file beside the database that its server holds locked.
//!
//! The system lets go of the lock when the process ends, however it ends.

use std::fs::{File, TryLockError};
use std::path::Path;
use std::sync::Arc;

use super::StoreError;

/// The lock, held until it is let go or the last clone is dropped.
#[derive(Debug, Clone)]
pub(super) struct InUse(Arc<File>);

impl InUse {
    /// Takes the lock of the database in `file`, or says that somebody else has it.
    pub(super) fn take(file: &Path) -> Result<Self, StoreError> {
        let mut name = file.as_os_str().to_owned();
        name.push(".lock");
        let lock = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&name)
            .map_err(|source| StoreError::Lock { file: name.to_string_lossy().into_owned(), source })?;
        match lock.try_lock() {
            Ok(()) => Ok(Self(Arc::new(lock))),
            Err(TryLockError::WouldBlock) => Err(StoreError::InUse { file: file.display().to_string() }),
            Err(TryLockError::Error(source)) => {
                Err(StoreError::Lock { file: name.to_string_lossy().into_owned(), source })
            }
        }
    }

    /// Lets go, also while clones are about.
    pub(super) fn release(&self) {
        // What cannot be unlocked is unlocked by the end of the process.
        let _ = self.0.unlock();
    }
}
