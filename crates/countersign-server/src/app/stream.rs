//! A connection: its place, and that it ends when it loses it, how long its client is waited for, and when it is idle. Each
//! of these has its own file; this is the one that stands between a socket and whoever reads and writes it.

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

    /// Whether another has its place now: then its client has as good as gone away. What was written before it may still go.
    fn has_lost_its_place(&mut self, cx: &mut Context<'_>) -> bool {
        let place = self.place.as_mut();
        place.is_some_and(|place| place.is_lost(cx))
    }

    fn watch(
        &mut self,
        cx: &mut Context<'_>,
        written: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        if let Some(place) = &self.place {
            place.writes(written.is_pending());
            if written.is_ready() {
                place.moved();
            }
        }
        self.patience.watch(cx, written)
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
        if this.has_lost_its_place(cx) {
            return Poll::Ready(Ok(()));
        }
        // The end, as if the client had gone away; it is looked for first, so that sending without a pause does not put it off.
        if let Some(idle) = &mut this.idle
            && idle.is_over(cx)
        {
            return Poll::Ready(Ok(()));
        }
        let before = buffer.filled().len();
        let read = Pin::new(&mut this.stream).poll_read(cx, buffer);
        if let Some(place) = &this.place
            && buffer.filled().len() > before
        {
            place.moved();
        }
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
        self.watch(cx, written)
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
        self.watch(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
