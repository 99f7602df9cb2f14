//! A list of VMs as a response body, made piece by piece while it is sent.
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

use crate::image::Shown;

/// How much is handed to the connection at a time: few enough pieces, each soon made.
const PIECE: usize = 256 * 1024;

/// The VMs of an answer, in their order.
pub(crate) struct Listing {
    vms: std::vec::IntoIter<Arc<Shown>>,
    begun: bool,
    ended: bool,
}

impl Listing {
    pub(crate) fn new(vms: Vec<Arc<Shown>>) -> Self {
        Self { vms: vms.into_iter(), begun: false, ended: false }
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
            if let Some(first) = self.vms.next() {
                first.write_json(&mut piece);
            }
        }
        while piece.len() < PIECE {
            let Some(vm) = self.vms.next() else {
                self.ended = true;
                piece.push(b']');
                break;
            };
            piece.push(b',');
            vm.write_json(&mut piece);
        }
        Some(piece.into())
    }
}

impl axum::body::HttpBody for Listing {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.get_mut().piece().map(|piece| Ok(Frame::data(piece))))
    }
}

impl IntoResponse for Listing {
    fn into_response(self) -> Response {
        let json = HeaderValue::from_static("application/json");
        ([(CONTENT_TYPE, json)], Body::new(self)).into_response()
    }
}
