//! How long a client is waited for that does not take what is sent to it: ten seconds in all, of which a byte that it takes
//! earns a thousandth back. So whoever asks and reads nothing loses its place, and whoever reads a drop now and then, too.
//!
//! It lies below TLS and HTTP, so it holds for all that is written. Only writes are waited for: a TCP stream has nothing to
//! flush, and ends at once.

use std::io::{self, ErrorKind};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep};

const PATIENCE: Duration = Duration::from_secs(10);
/// A thousand bytes a second are enough to be waited for without an end.
const FOR_A_BYTE: Duration = Duration::from_millis(1);

/// What is left of the patience with one client.
#[derive(Debug)]
pub(super) struct Patience {
    /// How long may be waited from now on, or from when the present wait began.
    left: Duration,
    wait: Option<Pin<Box<Sleep>>>,
    is_given_up: bool,
}

impl Patience {
    pub(super) const fn new() -> Self {
        Self {
            left: PATIENCE,
            wait: None,
            is_given_up: false,
        }
    }

    /// Whether a write has failed because the client did not take it.
    pub(super) const fn is_given_up(&self) -> bool {
        self.is_given_up
    }

    /// What becomes of a write: it fails with [`ErrorKind::TimedOut`] when it was waited for too long.
    pub(super) fn watch(
        &mut self,
        cx: &mut Context<'_>,
        written: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        if let Poll::Ready(written) = written {
            let bytes = *written.as_ref().unwrap_or(&0);
            self.earn(bytes);
            return Poll::Ready(written);
        }
        let left = self.left;
        let wait = self.wait.get_or_insert_with(|| Box::pin(sleep(left)));
        ready!(wait.as_mut().poll(cx));
        self.is_given_up = true;
        Poll::Ready(Err(ErrorKind::TimedOut.into()))
    }

    fn earn(&mut self, bytes: usize) {
        if let Some(wait) = self.wait.take() {
            self.left = wait.deadline().saturating_duration_since(Instant::now());
        }
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        let earned = FOR_A_BYTE.saturating_mul(bytes);
        self.left = self.left.saturating_add(earned).min(PATIENCE);
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};
    use tokio::time::timeout;

    use super::*;
    use crate::app::stream::Connection;

    /// Sends without an end to a client that takes so many bytes every so often, for so long; whether it was given up.
    async fn send(bytes: usize, every: Duration, within: Duration) -> bool {
        let (mut client, server) = duplex(4_000);
        let mut server = Connection::new(server, |_| ());
        let take = async move {
            let mut buffer = vec![0; bytes];
            loop {
                sleep(every).await;
                client.read_exact(&mut buffer).await.unwrap();
            }
        };
        let send = async {
            loop {
                if let Err(error) = server.write_all(&[0; 16_000]).await {
                    return error;
                }
            }
        };
        let sent = timeout(within, async {
            tokio::select! {
                error = send => assert_eq!(error.kind(), ErrorKind::TimedOut),
                () = take => {}
            }
        });
        let is_over = sent.await.is_ok();
        assert_eq!(is_over, server.is_given_up());
        is_over
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_takes_nothing_is_given_up_after_ten_seconds() {
        let never = Duration::from_hours(1);
        assert!(!send(1, never, Duration::from_millis(9_990)).await);
        assert!(send(1, never, Duration::from_millis(10_010)).await);
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_takes_a_little_now_and_then_is_given_up_too() {
        assert!(send(1, Duration::from_secs(1), Duration::from_secs(11)).await);
        assert!(send(4_000, Duration::from_secs(8), Duration::from_secs(40)).await);
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_takes_a_thousand_bytes_a_second_is_waited_for() {
        for (bytes, secs) in [(1_100, 1), (3_300, 3), (4_000, 1)] {
            let every = Duration::from_secs(secs);
            assert!(!send(bytes, every, Duration::from_hours(1)).await);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn time_in_which_nothing_is_to_be_taken_is_not_waited() {
        let (mut client, server) = duplex(10);
        let mut server = Connection::new(server, |_| ());
        for _ in 0..100 {
            sleep(Duration::from_hours(1)).await;
            server.write_all(&[0; 10]).await.unwrap();
            client.read_exact(&mut [0; 10]).await.unwrap();
        }
        assert!(!server.is_given_up());
    }
}
