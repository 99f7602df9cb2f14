//! `POST /restore`

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use pvc_common::api::Message;
use pvc_common::zk::Seen;
use pvc_common::zk::key::{self, node_suffix};
use pvc_zk::SubtreeError;
use pvc_zk::dump::Dumped;
use utoipa::IntoParams;

use crate::api::ApiError;
use crate::api::args::{Args, CONFIRMATION};
use crate::app::App;
use crate::fetch;

/// Arguments of a restoration.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
struct RestoreArgs {
    /// What a backup gave, as a JSON object from paths to texts. Send it in a form.
    cluster_data: String,
}

/// Writes a backup over what the cluster's database holds. What the backup does not name stays,
/// and so does which node may be running each VM, and everything about the death of nodes.
#[utoipa::path(post, path = "/api/v1/restore", operation_id = "restore", tag = "root",
    params(RestoreArgs,
        ("yes-i-really-mean-it" = String, Query, description = "Must be given, with any text")),
    responses((status = 200, body = Message), (status = 400, description = "Not restored")))]
pub(in crate::api) async fn restore(
    State(app): State<App>,
    args: Args,
) -> Result<Json<Message>, ApiError> {
    args.required(CONFIRMATION)?;
    let RestoreArgs { cluster_data } =
        RestoreArgs { cluster_data: args.required("cluster_data")?.to_owned() };
    let data = parse(&cluster_data)?;
    let version: Seen<u32> = fetch::one(app.store(), &key::schema_version()).await?;
    same_schema(&data, &version)?;
    let dump: Vec<Dumped> = data
        .into_iter()
        .filter(|(path, _)| !is_of_now(path))
        .map(|(path, text)| Dumped { path, data: text.into_bytes() })
        .collect();
    app.store().restore(&dump).await.map_err(|error| match error {
        SubtreeError::Read(error) => error.into(),
        SubtreeError::Write(error) => ApiError::from(error),
    })?;
    Ok(Json(Message::new("Restore completed successfully.")))
}

/// A backup as it was made, or as it came in its wrapping of a JSON text.
fn parse(text: &str) -> Result<BTreeMap<String, String>, ApiError> {
    let wrapped: Option<String> = serde_json::from_str(text).ok();
    let text = wrapped.as_deref().unwrap_or(text);
    let mut data: BTreeMap<String, String> = serde_json::from_str(text).map_err(|error| {
        let message = format!("ERROR: Failed to parse JSON data: {error}");
        ApiError::refused("bad-backup", message)
    })?;
    // The root is always there and holds nothing.
    data.remove("/");
    match data.keys().find(|path| !path.starts_with('/') || path.ends_with('/')) {
        Some(path) => Err(ApiError::refused(
            "bad-backup",
            format!("ERROR: Failed to parse JSON data: '{path}' is not a path"),
        )),
        None => Ok(data),
    }
}

/// What is a fact of now, which no backup knows. Were a claim restored, two nodes could run one
/// VM; were a lease or a fence, a node would be proved dead that lives.
fn is_of_now(path: &str) -> bool {
    let ends = |suffixes: &[&str]| suffixes.iter().any(|suffix| path.ends_with(suffix));
    let suspicions = format!("{}/", node_suffix::SUSPICIONS);
    (path.starts_with(key::DOMAINS) && ends(&[key::vm_suffix::CLAIM]))
        || (path.starts_with(key::NODES) && (ends(&OF_NOW) || path.contains(&suspicions)))
}

/// What nodes and coordinators tell of a node's life and death.
const OF_NOW: [&str; 7] = [
    node_suffix::PRESENCE,
    node_suffix::LEASE,
    node_suffix::FENCEABLE,
    node_suffix::HEARS,
    node_suffix::FENCE,
    node_suffix::FENCE_ORDER,
    node_suffix::SHUT_OUT,
];

fn same_schema(data: &BTreeMap<String, String>, version: &Seen<u32>) -> Result<(), ApiError> {
    let theirs = data.get(key::schema_version().path()).map_or("none", String::as_str);
    let ours = version.get().map_or_else(|| "none".to_owned(), ToString::to_string);
    if theirs == ours {
        return Ok(());
    }
    let message = format!(
        "ERROR: Schema version of the backup ({theirs}) does not match that of the cluster \
         ({ours})."
    );
    Err(ApiError::refused("other-schema", message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backup_is_taken_with_and_without_its_wrapping() {
        let plain = r#"{"/": "", "/config": "pvc"}"#;
        let wrapped = serde_json::to_string(plain).unwrap();
        for text in [plain, &wrapped] {
            let data = parse(text).unwrap();
            assert_eq!(data, BTreeMap::from([("/config".to_owned(), "pvc".to_owned())]));
        }
    }

    #[test]
    fn what_is_a_fact_of_now_is_not_restored() {
        for now in [
            "/domains/u/claim",
            "/nodes/hv1/lease",
            "/nodes/hv1/presence",
            "/nodes/hv1/fence",
            "/nodes/hv1/fence_order",
            "/nodes/hv1/shut_out",
            "/nodes/hv1/suspicions/hv2",
        ] {
            assert!(is_of_now(now), "{now}");
        }
        for kept in ["/domains/u/state", "/nodes/hv1/suspicions", "/nodes/hv1", "/fences/hv1-1"] {
            assert!(!is_of_now(kept), "{kept}");
        }
    }

    #[test]
    fn what_is_no_backup_is_refused() {
        for bad in ["", "x", "[]", r#"{"config": ""}"#, r#"{"/a": 1}"#, r#"{"/a/": ""}"#] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
