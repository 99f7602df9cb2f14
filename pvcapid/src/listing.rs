//! A list of many objects as a response body, made piece by piece while it is sent.
//!
//! Ten thousand VMs are tens of megabytes: never in memory at once.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes};
use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use http_body::Frame;

/// How much is handed to the connection at a time: few enough pieces, each soon made.
const PIECE: usize = 256 * 1024;

/// An object that keeps its JSON.
pub(crate) trait Listed: Send + Sync + 'static {
    /// Makes the JSON now, so that no request has to wait for it.
    fn warm(&self);

    /// Appends the JSON object.
    fn write_json(&self, out: &mut Vec<u8>);
}

/// The objects of an answer, in their order.
pub(crate) struct Listing<T> {
    objects: std::vec::IntoIter<Arc<T>>,
    begun: bool,
    ended: bool,
}

impl<T: Listed> Listing<T> {
    pub(crate) fn new(objects: Vec<Arc<T>>) -> Self {
        Self { objects: objects.into_iter(), begun: false, ended: false }
    }

    /// The next piece of the JSON array; `None` after the last.
    fn piece(&mut self) -> Option<Bytes> {
        if self.ended {
            return None;
        }
        let mut piece = Vec::with_capacity(4096);
        if !self.begun {
            self.begun = true;
            piece.push(b'[');
            if let Some(first) = self.objects.next() {
                first.write_json(&mut piece);
            }
        }
        while piece.len() < PIECE {
            let Some(object) = self.objects.next() else {
                self.ended = true;
                piece.push(b']');
                break;
            };
            piece.push(b',');
            object.write_json(&mut piece);
        }
        Some(piece.into())
    }
}

impl<T: Listed> axum::body::HttpBody for Listing<T> {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.get_mut().piece().map(|piece| Ok(Frame::data(piece))))
    }
}

impl<T: Listed> IntoResponse for Listing<T> {
    fn into_response(self) -> Response {
        let json = HeaderValue::from_static("application/json");
        ([(CONTENT_TYPE, json)], Body::new(self)).into_response()
    }
}
