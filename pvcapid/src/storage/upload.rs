//! Filling a volume from a file that comes with the request.
//!
//! ```text
//! the file comes -> an image of its own, beside the volume      nothing has happened to the volume
//! it is looked at there                                         refused: as before
//! the tree tells that the volume is not whole
//! it is written into the volume                                 ends here: the volume is not whole
//! the tree tells what Ceph says                                 done
//! ```
//!
//! A volume of which the tree tells that it is not whole can be filled again, and removed.

use std::time::Duration;

use axum::extract::Multipart;
use axum::extract::multipart::Field;
use axum::http::StatusCode;
use pvc_ceph::{CephError, ImageFormat, Received};
use pvc_common::id::VolumeId;
use pvc_common::unit::Bytes;
use pvc_common::zk::key;
use tokio::io::AsyncReadExt;

use super::incoming::{Incoming, not_received, refusal};
use super::volume::record;
use super::{Act, carry_out, head};
use crate::api::ApiError;
use crate::app::App;
use crate::apply::apply;
use crate::change::{Change, storage};
use crate::fetch;

/// For how long what is still sent of a refused file is taken and forgotten, so that its sender
/// comes to read the refusal.
const LINGER: Duration = Duration::from_secs(10);

/// What of a request's body is not the file, at most.
const AROUND: u64 = 4 << 10;

/// A file that is to come.
pub(crate) struct Announced {
    /// The volume it is for.
    pub(crate) volume: VolumeId,
    /// What it is.
    pub(crate) format: ImageFormat,
    /// Its length, if that was told.
    pub(crate) length: Option<u64>,
    /// What it cannot be longer than.
    pub(crate) at_most: u64,
}

/// Fills a volume from a file; the form's only field has it.
pub(crate) async fn upload(
    app: &App,
    wanted: Announced,
    mut form: Multipart,
) -> Result<String, ApiError> {
    let turn = match app.storage().uploads.take() {
        Ok(turn) => turn,
        Err(full) => {
            take_and_forget(form);
            return Err(full);
        }
    };
    carry_out(app, vec![wanted.volume.to_string()], |app| async move {
        let done = fill(&app, &wanted, &mut form).await;
        drop(turn);
        if done.is_err() {
            take_and_forget(form);
        }
        done
    })
    .await
}

/// Reads on for a while, so that whoever sends the file of a refused upload comes to read why.
fn take_and_forget(mut form: Multipart) {
    tokio::spawn(async move {
        // Ends with the sender, who was answered; or it has sent all.
        drop(tokio::time::timeout(LINGER, form.next_field()).await);
    });
}

async fn fill(app: &App, wanted: &Announced, form: &mut Multipart) -> Result<String, ApiError> {
    let Announced { volume, format, .. } = wanted;
    let size = ready(app, wanted).await?;
    let mut file = Incoming::new(field(form).await?, wanted.at_most);
    let mut first = Vec::new();
    let mut beginning = (&mut file).take(u64::try_from(head::LENGTH).unwrap_or(u64::MAX));
    beginning.read_to_end(&mut first).await.map_err(|error| refusal(&error))?;
    if let Some(inside) = head::judge(*format, &first)? {
        fits(volume, inside, size)?;
    }
    let received = app.storage().receive(volume, &mut first.as_slice().chain(&mut file)).await;
    let done = match received.map_err(not_received).and_then(|()| whole(wanted, file.come())) {
        Ok(()) => write(app, wanted, size).await,
        Err(error) => Err(error),
    };
    if let Err(error) = app.storage().act(Act::Discard(volume.clone())).await {
        tracing::warn!(%error, "what was received for volume {volume} is left in its pool");
    }
    done?;
    let (name, pool) = (&volume.volume, &volume.pool);
    let did = if *format == ImageFormat::Raw { "Wrote" } else { "Converted and wrote" };
    Ok(format!("{did} uploaded file to volume '{name}' in pool '{pool}'."))
}

/// The size of a volume that may be filled, if there is room for the file beside it.
async fn ready(app: &App, wanted: &Announced) -> Result<Bytes, ApiError> {
    let Announced { volume, format, length, at_most } = wanted;
    let view = app.view()?;
    storage::fillable_volume(&view, volume)?;
    storage::nobody_runs_with(&view, volume)?;
    let size = app.storage().volume(volume).await?.size;
    if *format == ImageFormat::Raw {
        let least = at_most.saturating_sub(AROUND);
        match length {
            Some(length) => fits(volume, Bytes(*length), size)?,
            // It is known but for the form around it.
            None if least > size.0 => {
                return Err(too_large(volume, &format!("at least {least}"), size));
            }
            None => {}
        }
    }
    let room = Bytes(length.unwrap_or(*at_most));
    storage::fits(storage::known_pool(&view, &volume.pool)?, &volume.pool, room, true)?;
    Ok(size)
}

async fn field(form: &mut Multipart) -> Result<Field<'_>, ApiError> {
    let bad = |why: String| ApiError::bad_body(StatusCode::BAD_REQUEST, why);
    let next = form.next_field().await.map_err(|error| bad(error.body_text()))?;
    next.filter(|field| field.name() == Some("file")).ok_or_else(|| {
        bad("The body must be a form with the image in its only field, 'file'.".to_owned())
    })
}

/// Whether an image fits into a volume.
fn fits(volume: &VolumeId, image: Bytes, size: Bytes) -> Result<(), ApiError> {
    if image <= size { Ok(()) } else { Err(too_large(volume, &image.0.to_string(), size)) }
}

fn too_large(volume: &VolumeId, image: &str, size: Bytes) -> ApiError {
    let message = format!(
        "ERROR: The image holds a disk of {image} bytes; volume '{volume}' has only {}.",
        size.0
    );
    ApiError::refused("too-large", message)
}

/// Whether all came that was announced.
fn whole(wanted: &Announced, come: u64) -> Result<(), ApiError> {
    match wanted.length {
        Some(length) if length != come => {
            let message = format!("ERROR: The file has {come} bytes, but file_size says {length}.");
            Err(ApiError::refused("wrong-length", message))
        }
        Some(_) | None => Ok(()),
    }
}

/// Writes what was received into the volume, if it is what it was said to be.
async fn write(app: &App, wanted: &Announced, size: Bytes) -> Result<(), ApiError> {
    let Announced { volume, format, .. } = wanted;
    let received = app.storage().received(volume, *format).await;
    judge(volume, &received.map_err(|error| unreadable(*format, error))?, size)?;
    storage::nobody_runs_with(&*app.view()?, volume)?;
    announce(app, volume).await?;
    match app.storage().act(Act::Fill(volume.clone(), *format)).await {
        Ok(()) => record(app, volume).await,
        // Nothing was begun.
        Err(error @ (CephError::InUse { .. } | CephError::Absent { .. })) => {
            record(app, volume).await?;
            Err(error.into())
        }
        Err(error) => Err(half_written(volume, &error)),
    }
}

fn judge(volume: &VolumeId, received: &Received, size: Bytes) -> Result<(), ApiError> {
    if let Some(other) = received.refers_to.first() {
        return Err(head::refers(Some(other)));
    }
    if received.encrypted {
        let message = "ERROR: The image is encrypted; decrypt it first.";
        return Err(ApiError::refused("encrypted", message));
    }
    fits(volume, received.size, size)
}

fn unreadable(format: ImageFormat, error: CephError) -> ApiError {
    match &error {
        CephError::Refused { why, .. } => {
            let message = format!("ERROR: The file cannot be read as a {format} image: {why}");
            ApiError::refused("wrong-format", message)
        }
        _ => error.into(),
    }
}

fn half_written(volume: &VolumeId, error: &CephError) -> ApiError {
    let message = format!(
        "The image could not be written whole, and volume '{volume}' holds a part of it. Upload \
         it again, or remove the volume."
    );
    match error {
        CephError::Refused { why, .. } => {
            ApiError::refused("half-written", format!("ERROR: {message} {why}"))
        }
        _ => ApiError::unavailable(&message, error.to_string()),
    }
}

/// Has the tree tell that the volume is not whole.
async fn announce(app: &App, volume: &VolumeId) -> Result<(), ApiError> {
    let info = app.storage().volume(volume).await?.info;
    let told = storage::being_filled(&info);
    apply(app, || async {
        let key = key::volume_stats(volume);
        let seen = fetch::one(app.store(), &key).await?;
        Ok(Change::of([(seen.get() != Some(&told)).then(|| key.put(&seen, &told))], ""))
    })
    .await
    .map(drop)
}
