//! What a VM is told of itself, in the form of EC2, at an address that is the same everywhere.
//!
//! The asking VM is known by its address: whose lease or reservation that is, is in the tree, and so
//! is which VM has that interface. Nothing else is asked, and nothing secret told.

mod asker;
mod door;
#[cfg(test)]
mod tests;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use axum::extract::{ConnectInfo, Path, State};
use axum::http::StatusCode;
use axum::routing::get;
use pvc_runtime::drain::Drain;
use tokio::sync::Mutex;

use crate::app::App;

use asker::{Asker, asker, network_of};

/// What every handler is given.
#[derive(Clone)]
struct Desk {
    app: App,
    /// Held while a VM is looked for, which is much work that any VM may ask for: however many ask,
    /// it takes one processor.
    looking: Arc<Mutex<()>>,
}

/// An answer that is no success, for a person who reads it in the VM.
type Refusal = (StatusCode, String);

/// The versions of the form that are asked for most; any is taken.
const VERSIONS: &str = "2009-04-04\nlatest\n";

/// What there is of a VM.
const KEYS: [&str; 7] =
    ["hostname", "instance-id", "local-hostname", "local-ipv4", "mac", "name", "profile"];

/// Answers VMs until the daemon is to end.
pub(crate) async fn serve(app: App, drain: Drain) {
    let views = app.clone();
    let network_of = move |ip| network_of(views.view().ok()?.as_ref(), ip);
    door::serve(router(app), network_of, drain).await;
}

/// Answers VMs. Who asks is taken from the connection.
fn router(app: App) -> Router {
    let desk = Desk { app, looking: Arc::default() };
    Router::new()
        .route("/", get(async || VERSIONS))
        .route("/{version}", get(topics))
        .route("/{version}/", get(topics))
        .route("/{version}/meta-data", get(keys))
        .route("/{version}/meta-data/", get(keys))
        .route("/{version}/meta-data/{key}", get(value))
        .route("/{version}/user-data", get(user_data))
        .fallback(async || (StatusCode::NOT_FOUND, "There is nothing of that name.\n"))
        .with_state(desk)
}

async fn topics() -> &'static str {
    "meta-data/\nuser-data\n"
}

async fn keys(
    State(desk): State<Desk>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
) -> Result<String, Refusal> {
    desk.asker(from.ip()).await?;
    Ok(KEYS.join("\n") + "\n")
}

async fn value(
    State(desk): State<Desk>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    Path((_, key)): Path<(String, String)>,
) -> Result<String, Refusal> {
    let Asker { uuid, name, profile, mac, ip } = desk.asker(from.ip()).await?;
    match key.as_str() {
        "instance-id" => Ok(uuid.to_string()),
        "name" | "hostname" | "local-hostname" => Ok(name),
        "profile" => Ok(profile.unwrap_or_default()),
        "local-ipv4" => Ok(ip.to_string()),
        "mac" => Ok(mac.to_string()),
        _ => Err((StatusCode::NOT_FOUND, "There is no such key.\n".to_owned())),
    }
}

/// There is none before there is a provisioner.
async fn user_data(
    State(desk): State<Desk>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
) -> Result<String, Refusal> {
    desk.asker(from.ip()).await.map(|_| String::new())
}

impl Desk {
    async fn asker(&self, from: IpAddr) -> Result<Asker, Refusal> {
        let _looking = self.looking.lock().await;
        let unavailable = "The cluster is still being read; ask again.\n".to_owned();
        let view = self.app.view().map_err(|_| (StatusCode::SERVICE_UNAVAILABLE, unavailable))?;
        let IpAddr::V4(from) = from.to_canonical() else {
            return Err((StatusCode::NOT_FOUND, "VMs are known by IPv4 addresses.\n".to_owned()));
        };
        asker(&view, from).map_err(|why| (StatusCode::NOT_FOUND, format!("{why}\n")))
    }
}
