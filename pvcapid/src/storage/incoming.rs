//! A file as it comes with a request.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::multipart::Field;
use axum::http::StatusCode;
use futures_util::Stream;
use pvc_ceph::CephError;
use tokio::io::{AsyncRead, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

use crate::api::ApiError;

/// How long a sender may send nothing. Shorter than the storage's patience with it.
pub(super) const SILENCE: Duration = Duration::from_secs(60);

/// What is wrong with a file that comes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// More came than was announced.
    TooLong {
        /// How many bytes were announced.
        announced: u64,
    },
    /// Nothing came for too long.
    Silent,
    /// The connection broke, or what came is no form.
    Broken(String),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong { announced } => {
                write!(f, "The file is longer than the {announced} bytes that were announced.")
            }
            Self::Silent => write!(f, "Nothing of the file came for {} s.", SILENCE.as_secs()),
            Self::Broken(why) => write!(f, "The file broke off: {why}"),
        }
    }
}

impl Error for Fault {}

impl From<Fault> for ApiError {
    fn from(fault: Fault) -> Self {
        let status = match fault {
            Fault::Silent => StatusCode::REQUEST_TIMEOUT,
            Fault::TooLong { .. } | Fault::Broken(_) => StatusCode::BAD_REQUEST,
        };
        Self::bad_body(status, format!("ERROR: {fault}"))
    }
}

/// What it means that a file could not be read.
pub(super) fn refusal(error: &io::Error) -> ApiError {
    let fault = error.get_ref().and_then(|inner| inner.downcast_ref::<Fault>());
    fault.cloned().unwrap_or_else(|| Fault::Broken(error.to_string())).into()
}

/// What it means that a file was not received.
pub(super) fn not_received(error: CephError) -> ApiError {
    match &error {
        CephError::Input { source } => refusal(source),
        _ => error.into(),
    }
}

/// A file that comes, of which no more than a piece is held at a time.
pub(super) struct Incoming<'a> {
    field: Field<'a>,
    piece: Bytes,
    come: u64,
    announced: u64,
    /// Runs while it is waited for the next piece, not while nobody asks for one.
    silence: Pin<Box<Sleep>>,
    waits: bool,
}

impl<'a> Incoming<'a> {
    /// The file of a form's field, which is refused as soon as it is longer than announced.
    pub(super) fn new(field: Field<'a>, announced: u64) -> Self {
        let silence = Box::pin(sleep(SILENCE));
        Self { field, piece: Bytes::new(), come: 0, announced, silence, waits: false }
    }

    /// How many bytes have come.
    pub(super) fn come(&self) -> u64 {
        self.come
    }

    /// Takes the next piece; none at the end.
    fn poll_piece(&mut self, context: &mut Context<'_>) -> Poll<Result<Option<Bytes>, Fault>> {
        let Poll::Ready(piece) = Pin::new(&mut self.field).poll_next(context) else {
            if !std::mem::replace(&mut self.waits, true) {
                self.silence.as_mut().reset(Instant::now() + SILENCE);
            }
            return self.silence.as_mut().poll(context).map(|()| Err(Fault::Silent));
        };
        self.waits = false;
        let Some(piece) = piece else { return Poll::Ready(Ok(None)) };
        let piece = match piece {
            Ok(piece) => piece,
            Err(error) => return Poll::Ready(Err(Fault::Broken(error.body_text()))),
        };
        self.come = self.come.saturating_add(u64::try_from(piece.len()).unwrap_or(u64::MAX));
        if self.come > self.announced {
            return Poll::Ready(Err(Fault::TooLong { announced: self.announced }));
        }
        Poll::Ready(Ok(Some(piece)))
    }
}

impl AsyncRead for Incoming<'_> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        while self.piece.is_empty() {
            match self.poll_piece(context) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Err(fault)) => return Poll::Ready(Err(io::Error::other(fault))),
                Poll::Ready(Ok(None)) => return Poll::Ready(Ok(())),
                Poll::Ready(Ok(Some(piece))) => self.piece = piece,
            }
        }
        let count = self.piece.len().min(buffer.remaining());
        let taken = self.piece.split_to(count);
        buffer.put_slice(&taken);
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::extract::{FromRequest, Multipart, Request};
    use futures_util::stream::{self, StreamExt};
    use tokio::io::AsyncReadExt;

    use super::*;

    /// A form whose file comes in two parts, the second after some time.
    async fn form(pause: Duration) -> Multipart {
        let head = "--B\r\ncontent-disposition: form-data; name=\"file\"\r\n\r\none";
        let later = stream::once(async move {
            sleep(pause).await;
            Ok("two\r\n--B--\r\n")
        });
        let body = stream::iter([Ok::<_, io::Error>(head)]).chain(later);
        let request = Request::post("/").header("content-type", "multipart/form-data; boundary=B");
        let request = request.body(Body::from_stream(body)).unwrap();
        Multipart::from_request(request, &()).await.unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn a_sender_may_be_slow_but_not_silent() {
        for (pause, comes) in [(SILENCE / 2, true), (SILENCE * 2, false)] {
            let mut form = form(pause).await;
            let mut file = Incoming::new(form.next_field().await.unwrap().unwrap(), 6);
            let mut text = String::new();
            let read = file.read_to_string(&mut text).await;
            assert_eq!(read.is_ok(), comes, "{pause:?}");
            assert_eq!(file.come(), if comes { 6 } else { 3 });
        }
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_is_silent_while_it_is_the_storage_that_takes_its_time() {
        let mut form = form(SILENCE / 2).await;
        let mut file = Incoming::new(form.next_field().await.unwrap().unwrap(), 6);
        assert_eq!(file.read_u8().await.unwrap(), b'o');
        sleep(SILENCE * 3).await;
        let mut text = String::new();
        file.read_to_string(&mut text).await.unwrap();
        assert_eq!(text, "netwo");
    }
}
