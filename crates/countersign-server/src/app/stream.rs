//! A connection: its place, how long its client is waited for, and when it is idle. Each of these has its own file; this
//! is the one that stands between a socket and whoever reads and writes it.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::connections::Place;
use super::idle::Idle;
use super::patience::Patience;

/// A stream that ends when it has been idle, and fails when its client does not take what is sent.
#[derive(Debug)]
pub(crate) struct Connection<T> {
    stream: T,
    patience: Patience,
    idle: Option<Idle>,
    /// What is done with the stream at its end, when its client was given up.
    give_up: fn(&T),
    /// Given back when this is dropped.
    place: Option<Place>,
}

impl<T> Connection<T> {
    pub(super) const fn new(stream: T, give_up: fn(&T)) -> Self {
        Self {
            stream,
            patience: Patience::new(),
            idle: None,
            give_up,
            place: None,
        }
    }

    /// The same, which has a place.
    pub(super) fn at(mut self, place: Place) -> Self {
        self.place = Some(place);
        self
    }

    /// The same, until it is idle.
    pub(super) fn until(mut self, idle: Idle) -> Self {
        self.idle = Some(idle);
        self
    }

    /// Whether a write has failed because the client did not take it.
    pub(super) const fn is_given_up(&self) -> bool {
        self.patience.is_given_up()
    }
}

impl<T> Drop for Connection<T> {
    fn drop(&mut self) {
        if self.is_given_up() {
            (self.give_up)(&self.stream);
        }
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Connection<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        // The end, as if the client had gone away; it is looked for first, so that sending without a pause does not put it off.
        if let Some(idle) = &mut this.idle
            && idle.is_over(cx)
        {
            return Poll::Ready(Ok(()));
        }
        let read = Pin::new(&mut this.stream).poll_read(cx, buffer);
        match &mut this.idle {
            Some(idle) if read.is_pending() => idle.poll_over(cx).map(Ok),
            _ => read,
        }
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Connection<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.patience.watch(cx, written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.patience.watch(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
