//! `POST /storage/ceph/volume/{pool}/{volume}/upload`

use axum::Json;
use axum::extract::multipart::{Multipart, MultipartRejection};
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::http::header::CONTENT_LENGTH;
use pvc_ceph::ImageFormat;
use pvc_common::api::Message;
use utoipa::{IntoParams, ToSchema};

use super::named_volume;
use crate::api::ApiError;
use crate::api::args::QueryArgs;
use crate::app::App;
use crate::storage::{self, Announced};

/// Arguments of an upload. They come in the query, for the body is the file.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
struct UploadArgs {
    /// What the file is: `raw`, `qcow2`, `vmdk`, `qed`, `vdi` or `vpc`.
    #[param(value_type = String)]
    image_format: ImageFormat,
    /// How many bytes it has. It is refused if that is not so.
    file_size: Option<u64>,
}

/// A form with a file.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it is for the description; the file is read as it comes")]
struct UploadForm {
    /// The image.
    #[schema(value_type = String, format = Binary)]
    file: String,
}

/// Fills a volume from an image, which replaces what the volume holds as far as the image reaches.
#[utoipa::path(post, path = "/api/v1/storage/ceph/volume/{pool}/{volume}/upload",
    operation_id = "volume_upload", tag = "storage",
    params(("pool" = String, Path, description = "The pool that holds it"),
        ("volume" = String, Path, description = "Its name"), UploadArgs),
    request_body(content = UploadForm, content_type = "multipart/form-data"),
    responses((status = 200, body = Message), (status = 400, description = "Not filled"),
        (status = 408, description = "Nothing of the file came for too long"),
        (status = 429, description = "As many images are received already as are at once"),
        (status = 503, description = "The storage cluster does not answer")))]
pub(in crate::api) async fn upload(
    State(app): State<App>,
    Path((pool, volume)): Path<(String, String)>,
    QueryArgs(args): QueryArgs,
    headers: HeaderMap,
    form: Result<Multipart, MultipartRejection>,
) -> Result<Json<Message>, ApiError> {
    let formats = ImageFormat::ALL.map(|format| (format.text(), format));
    let wanted = UploadArgs {
        image_format: args.required_choice("image_format", &formats)?,
        file_size: args.number("file_size")?,
    };
    let form = form.map_err(|error| ApiError::bad_body(error.status(), error.body_text()))?;
    let body = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    let at_most = wanted.file_size.or(body).ok_or_else(|| {
        let help = "must be given if the request does not tell the length of its body";
        ApiError::argument("file_size", help)
    })?;
    let announced = Announced {
        volume: named_volume(&pool, &volume)?,
        format: wanted.image_format,
        length: wanted.file_size,
        at_most,
    };
    Ok(Json(Message::new(storage::upload(&app, announced, form).await?)))
}
