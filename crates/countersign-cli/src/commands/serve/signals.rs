//! SIGTERM and SIGINT: the two ways to ask a server to stop.

use std::io;

/// Listens from now on; the future is ready when the first of them has come. A second one ends the process at once, whatever it
/// is waiting for, with the status that the signal itself would have given it.
#[cfg(unix)]
pub(in crate::commands) fn stop() -> io::Result<impl Future<Output = ()> + Send + 'static> {
    use tokio::signal::unix::{SignalKind, signal};
    use tokio::sync::oneshot;

    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let (first, stop) = oneshot::channel();
    tokio::spawn(async move {
        let mut next = async || {
            tokio::select! {
                _ = terminate.recv() => ("SIGTERM", 143),
                _ = interrupt.recv() => ("SIGINT", 130),
            }
        };
        let (name, _) = next().await;
        tracing::info!(signal = name, "stopping: finishing what is in flight");
        let _ = first.send(());
        let (name, status) = next().await;
        tracing::warn!(signal = name, "asked again: stopping at once");
        std::process::exit(status);
    });
    Ok(async move {
        // Nobody asks where nobody can.
        if stop.await.is_err() {
            std::future::pending::<()>().await;
        }
    })
}

/// Listens for Ctrl-C.
#[cfg(not(unix))]
pub(in crate::commands) fn stop() -> io::Result<impl Future<Output = ()> + Send + 'static> {
    Ok(async {
        if let Err(error) = tokio::signal::ctrl_c().await {
            tracing::error!(%error, "cannot listen for Ctrl-C");
            std::future::pending::<()>().await;
        }
    })
}
