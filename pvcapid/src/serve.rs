//! The daemon from its start to its end.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use axum_server::Handle;
use axum_server::accept::NoDelayAcceptor;
use axum_server::tls_rustls::{RustlsAcceptor, RustlsConfig};
use pvc_ceph::CephCli;
use pvc_host::real::Nft;
use pvc_runtime::banner::banner;
use pvc_runtime::drain::Drain;
use pvc_zk::{Mirror, Settings, Tree, ZkTree};
use tokio::sync::watch;

use crate::api;
use crate::app::{App, Limits, Outside};
use crate::config::{Authentication, Config, Tls};
use crate::exporter::Ports;
use crate::firewall::Tried;
use crate::image::{ApiImage, Arrivals, ROOTS, View};
use crate::listing::Listed;
use crate::metadata;
use crate::rules::Rules;
use crate::storage::Storage;
use crate::store::Store;

/// How long requests under way may take to finish when the daemon is asked to end: the next
/// primary is waiting for the address.
const FAREWELL: Duration = Duration::from_secs(2);
/// How long Ceph may take for a command that moves no data. A person waits for it, and a loaded
/// cluster shall not be given up too early: what was given up may be done all the same.
const CEPH_LIMIT: Duration = Duration::from_secs(15);
/// How often at most the JSON of what changed is made ahead of requests.
const WARMING: Duration = Duration::from_secs(1);

/// Serves until it is asked to stop.
///
/// # Errors
/// When the address cannot be listened at or the certificate cannot be read.
pub async fn serve(config: &Config, drain: Drain) -> io::Result<()> {
    let url = config.url();
    let authentication = config.authentication.is_some();
    let facts: [(&str, &dyn std::fmt::Display); 4] = [
        ("API version", &"1.0"),
        ("Listening at", &url),
        ("TLS", &config.tls.is_some()),
        ("Auth", &authentication),
    ];
    for line in banner("pvcapid", config.debug, &facts) {
        tracing::info!("{line}");
    }
    let listener = TcpListener::bind(SocketAddr::new(config.address, config.port))?;
    listener.set_nonblocking(true)?;
    let tree = ZkTree::connect(config.zookeeper.clone(), Settings::default());
    let outside = Outside {
        storage: Storage::new(CephCli::new().limit(CEPH_LIMIT)),
        rules: Rules::new(Tried(Nft)),
    };
    let (authentication, limits) = (config.authentication.as_ref(), Limits::default());
    let (app, mirror) = follow(&tree, outside, authentication, limits, Ports::default());
    let warming = tokio::spawn(warm(mirror.view()));
    let vms = tokio::spawn(metadata::serve(app.clone(), drain.clone()));
    let router = api::router(app, config.prometheus);
    let outcome = answer(listener, config.tls.as_ref(), router, drain).await;
    warming.abort();
    vms.abort();
    drop(mirror);
    tree.close().await;
    outcome
}

/// Of how many objects the JSON is made before others may go on: some tenths of a millisecond.
const FEW: usize = 16;

/// Makes an app on a tree, and the mirror that it lives on while that is kept.
pub fn follow(
    tree: &impl Tree,
    outside: Outside,
    authentication: Option<&Authentication>,
    limits: Limits,
    ports: Ports,
) -> (App, Mirror<View>) {
    let arrivals = Arrivals::default();
    let mirror = Mirror::follow(tree, &ROOTS, ApiImage::new(arrivals.clone()));
    let store = Store::new(tree.clone());
    (App::new(store, outside, mirror.view(), arrivals, authentication, limits, ports), mirror)
}

async fn answer(
    listener: TcpListener,
    tls: Option<&Tls>,
    router: axum::Router,
    drain: Drain,
) -> io::Result<()> {
    let handle = Handle::new();
    let ending = handle.clone();
    tokio::spawn(async move {
        drain.drained().await;
        ending.graceful_shutdown(Some(FAREWELL));
    });
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let server = axum_server::from_tcp(listener)?.handle(handle);
    // The end of an answer shall not wait until the client has acknowledged what came before.
    let at_once = NoDelayAcceptor::new();
    match tls {
        None => server.acceptor(at_once).serve(service).await,
        Some(tls) => {
            // Fails only if it was chosen before, which is as good.
            drop(rustls::crypto::ring::default_provider().install_default());
            let config = RustlsConfig::from_pem_file(&tls.cert_file, &tls.key_file).await?;
            let encrypted = RustlsAcceptor::new(config).acceptor(at_once);
            server.acceptor(encrypted).serve(service).await
        }
    }
}

/// Makes the JSON of what changed, so that no request has to wait for all of it.
async fn warm(mut views: watch::Receiver<Option<Arc<View>>>) {
    while views.changed().await.is_ok() {
        let view = views.borrow_and_update().clone();
        if let Some(view) = view {
            warm_all(view.vms_by_uuid()).await;
            warm_all(view.shown_volumes().by_id()).await;
        }
        // Not to wait for anything: to spend little on what may not be asked for.
        tokio::time::sleep(WARMING).await;
    }
}

async fn warm_all<T: Listed>(objects: &[Arc<T>]) {
    for few in objects.chunks(FEW) {
        few.iter().for_each(|object| object.warm());
        tokio::task::yield_now().await;
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpStream;

    use axum::routing::get;
    use pvc_runtime::drain::drain;

    use super::*;
    use crate::auth::Caller;

    /// What a connection of our own is answered, and its address.
    fn ask(server: SocketAddr) -> (SocketAddr, String) {
        let mut stream = TcpStream::connect(server).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        stream.write_all(b"GET / HTTP/1.0\r\n\r\n").unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        (stream.local_addr().unwrap(), text)
    }

    #[tokio::test]
    async fn a_handler_knows_the_address_of_whoever_asks() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let server = listener.local_addr().unwrap();
        let router = axum::Router::new().route("/", get(async |caller: Caller| caller.to_string()));
        let (trigger, drain) = drain();
        let serving = tokio::spawn(async move { answer(listener, None, router, drain).await });
        let (own, text) = tokio::task::spawn_blocking(move || ask(server)).await.unwrap();
        assert!(text.ends_with(&format!("somebody without a token from {own}")), "{text}");
        trigger.drain();
        serving.await.unwrap().unwrap();
    }
}
