//! `GET /sriov`

use axum::Json;

/// Says nothing; what there is to know of cards and functions is below.
#[utoipa::path(get, path = "/api/v1/sriov", operation_id = "sriov", tag = "sriov",
    responses((status = 200, description = "Always `null`")))]
pub(in crate::api) async fn root() -> Json<()> {
    Json(())
}
