//! Snapshots: a sandbox as it was, to go back to.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// `POST /sandboxes/{a}/snapshots`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MakeSnapshot {
    /// What it is called, 1 to 100 characters; a number when absent. One of the same name makes room.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// A snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SnapshotView {
    /// What it is called.
    pub name: String,
    /// The sandbox's epoch when it was taken.
    pub epoch: u64,
    /// The sandbox's time when it was taken; a restore goes back to it.
    pub taken_at: Timestamp,
}

/// Answer to `GET /sandboxes/{a}/snapshots`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Snapshots {
    /// All of the sandbox, oldest first.
    pub snapshots: Vec<SnapshotView>,
}
