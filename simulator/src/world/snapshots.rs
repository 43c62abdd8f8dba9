//! Snapshots of a sandbox: taken, kept, and gone back to.

use klarna_schemas::simulator::control::SnapshotView;

use super::sandbox_cell::SandboxCell;
use crate::behaviour::faults::Faults;
use crate::clock::Standing;
use crate::engine::Sandbox;
use crate::notify::Misbehaviours;
use crate::rulebook::Ledger;

/// The most snapshots of one sandbox.
const MAX_SNAPSHOTS: usize = 20;

/// A sandbox as it was. Its journal is no part of it: what has happened has happened.
#[derive(Debug, Clone)]
pub(super) struct Snapshot {
    name: String,
    machine: Sandbox,
    ledger: Ledger,
    faults: Faults,
    misbehaviours: Misbehaviours,
    clock: Standing,
}

/// As many are kept as may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{MAX_SNAPSHOTS} snapshots are kept already")]
pub(crate) struct TooManySnapshots;

impl Snapshot {
    fn view(&self) -> SnapshotView {
        SnapshotView { name: self.name.clone(), epoch: self.machine.epoch, taken_at: self.clock.now() }
    }
}

impl SandboxCell {
    /// Takes a snapshot. One of the same name makes room.
    pub(crate) fn take_snapshot(&self, name: Option<String>) -> Result<SnapshotView, TooManySnapshots> {
        self.tick();
        let mut state = self.lock();
        let mut number = state.snapshots.len() + 1;
        while name.is_none() && state.snapshots.iter().any(|known| known.name == number.to_string()) {
            number += 1;
        }
        let name = name.unwrap_or_else(|| number.to_string());
        state.snapshots.retain(|known| known.name != name);
        if state.snapshots.len() >= MAX_SNAPSHOTS {
            return Err(TooManySnapshots);
        }
        let snapshot = Snapshot {
            name,
            machine: state.machine.clone(),
            ledger: state.ledger.clone(),
            faults: state.faults.waiting(),
            misbehaviours: state.misbehaviours.clone(),
            clock: self.clock().standing(),
        };
        let view = snapshot.view();
        state.snapshots.push(snapshot);
        Ok(view)
    }

    /// All snapshots, oldest first.
    pub(crate) fn snapshots(&self) -> Vec<SnapshotView> {
        self.lock().snapshots.iter().map(Snapshot::view).collect()
    }

    /// Forgets a snapshot; whether there was one.
    pub(crate) fn drop_snapshot(&self, name: &str) -> bool {
        let mut state = self.lock();
        let before = state.snapshots.len();
        state.snapshots.retain(|known| known.name != name);
        state.snapshots.len() < before
    }

    /// Goes back to a snapshot, in a new epoch; whether there is one. Deliveries under way are left to
    /// themselves, as by a reset.
    pub(crate) fn restore(&self, name: &str) -> bool {
        let mut state = self.lock();
        let Some(snapshot) = state.snapshots.iter().find(|known| known.name == name).cloned() else {
            return false;
        };
        let epoch = state.machine.epoch + 1;
        let mut machine = snapshot.machine.in_next_epoch(epoch);
        machine.behaviour.keep_file_of(&state.machine.behaviour);
        state.machine = machine;
        state.ledger = snapshot.ledger;
        state.faults.lift();
        state.faults.arm_again(snapshot.faults);
        state.misbehaviours = snapshot.misbehaviours;
        let (journeys, tokens) = state.machine.known_outside();
        state.journal.retire(epoch);
        self.renew_deliveries();
        // Under the lock: nothing may fall due by the time of before.
        self.clock().go_back_to(snapshot.clock);
        drop(state);
        if let Some(world) = self.world.upgrade() {
            for uuid in journeys {
                world.know_journey(uuid, self.account());
            }
            for token in tokens {
                world.know_token(&token, self.account());
            }
        }
        self.tell();
        true
    }
}
