//! `GET /storage` and `GET /storage/ceph`

use axum::Json;

/// Says nothing; what there is to know of the storage is below.
#[utoipa::path(get, path = "/api/v1/storage", operation_id = "storage", tag = "storage",
    responses((status = 200, description = "Always `null`")))]
pub(in crate::api) async fn root() -> Json<()> {
    Json(())
}

/// Says nothing; what there is to know of Ceph is below.
#[utoipa::path(get, path = "/api/v1/storage/ceph", operation_id = "storage_ceph", tag = "storage",
    responses((status = 200, description = "Always `null`")))]
pub(in crate::api) async fn ceph() -> Json<()> {
    Json(())
}
