//! Ctrl-C and SIGTERM.

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Listens for the rest of the run. From here on no signal is lost, whatever the run is busy with.
///
/// # Errors
/// When the handlers cannot be installed.
pub(in crate::cli) fn listen() -> std::io::Result<CancellationToken> {
    let interrupt = signal(SignalKind::interrupt())?;
    let terminate = signal(SignalKind::terminate())?;
    let stop = CancellationToken::new();
    tokio::spawn(tell(interrupt, terminate, stop.clone()));
    Ok(stop)
}

async fn tell(mut interrupt: Signal, mut terminate: Signal, stop: CancellationToken) {
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    stop.cancel();
}
