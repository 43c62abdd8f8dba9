//! Moving a sandbox's clock: one move after another, each told whole.

use jiff::Timestamp;
use klarna_schemas::simulator::control::{ClockView, SetClock};

use super::sandbox_cell::SandboxCell;
use crate::clock::ClockRefusal;
use crate::notify::ClockMove;

/// Why a clock was not moved, or not to the end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum MoveRefusal {
    #[error(transparent)]
    Clock(#[from] ClockRefusal),
    /// The epoch that it was asked for in has ended.
    #[error("the sandbox was reset, or went back to a snapshot, while its clock was moving")]
    OtherEpoch,
}

impl SandboxCell {
    /// Goes from due time to due time, and passes one only when the deliveries begun there have ended;
    /// what callers set going meanwhile is not waited for. Moves go one after another, in the order in
    /// which they were asked for, each from where the one before it has led. Returns where it led,
    /// and what happened on the way, in words.
    pub(crate) async fn move_clock(&self, change: &SetClock) -> Result<ClockView, MoveRefusal> {
        let epoch = self.view().epoch;
        // The semaphore is never closed.
        let _turn = self.turn_to_move.acquire().await;
        let target = self.clock().target(change)?;
        if let SetClock::Freeze(frozen) = change {
            self.in_epoch(epoch, || self.clock().freeze(*frozen))?;
            return Ok(ClockView { now: target, happened: Vec::new() });
        }
        let mut happened = Vec::new();
        let mut at = self.clock().now();
        let clock_move = ClockMove::begin(self.deliveries(), at);
        // An attempt that is under way may fail and fall due again on the way.
        clock_move.settled(at).await;
        while let Some(due) = self.next_due(&clock_move).filter(|due| *due <= target) {
            at = due.max(at);
            self.step(epoch, at, &clock_move, &mut happened).await?;
        }
        self.step(epoch, target, &clock_move, &mut happened).await?;
        // Before the next one goes on.
        Ok(ClockView { now: self.clock().now(), happened })
    }

    /// Goes to a time, and waits for what falls due there.
    async fn step(
        &self,
        epoch: u64,
        at: Timestamp,
        clock_move: &ClockMove,
        happened: &mut Vec<String>,
    ) -> Result<(), MoveRefusal> {
        self.in_epoch(epoch, || self.clock().go_to(at))?;
        self.tick();
        clock_move.settled(at).await;
        happened.extend(clock_move.happened());
        Ok(())
    }

    /// Changes the clock of the epoch in which the move was asked for: the time of another one is not
    /// its own.
    fn in_epoch(&self, epoch: u64, change: impl FnOnce()) -> Result<(), MoveRefusal> {
        // Under the lock, by which resets change epoch and clock together.
        let state = self.lock();
        if state.machine.epoch != epoch {
            return Err(MoveRefusal::OtherEpoch);
        }
        change();
        drop(state);
        Ok(())
    }

    /// When something next falls due, in the sandbox or among the deliveries that a move waits for.
    fn next_due(&self, clock_move: &ClockMove) -> Option<Timestamp> {
        let machine = self.lock().machine.next_due();
        machine.into_iter().chain(clock_move.next_due()).min()
    }
}
