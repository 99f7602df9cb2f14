//! A small cluster in a tree in memory, and a client that asks the API about it.

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, HeaderMap};
use axum::http::{Method, Request, StatusCode};
use pvc_ceph::fake::FakeCeph;
use pvc_common::secret::Secret;
use pvc_common::zk::key::Direction;
use pvc_common::zk::{Expected, Op};
use pvc_zk::subtree::ensure_path;
use pvc_zk::{FakeTree, Mirror, Tree};
use pvcapid::api::ApiError;
use pvcapid::config::{Authentication, Token};
use pvcapid::serve::follow;
use pvcapid::{Limits, Outside, Ports, RuleCheck, Rules, Storage, View, api};
use serde_json::Value;
use tower::ServiceExt;

use crate::example::example;

/// The token that the API wants.
pub(crate) const TOKEN: &str = "the-token";
/// The VM that runs on hv1.
pub(crate) const WEB1: &str = "6f1c2a3e-8a61-4b07-9d43-0b1f6a2c9e10";
/// The VM that is stopped.
pub(crate) const DB1: &str = "7e2d3b4f-9b72-4c18-8e54-1c2a7b3d0f21";
/// Longer than anything in memory takes.
const PATIENCE: Duration = Duration::from_secs(10);

/// An API on a tree in memory.
pub(crate) struct Cluster {
    /// The tree, as another client of it.
    pub(crate) tree: FakeTree,
    /// The tree as the API itself uses it.
    pub(crate) own: FakeTree,
    pub(crate) router: Router,
    mirror: Mirror<View>,
    /// The storage cluster.
    pub(crate) ceph: FakeCeph,
}

/// An nft that knows good rules by their verdict, and does not always answer.
struct FakeNft;

impl RuleCheck for FakeNft {
    async fn check(&self, rule: &str, direction: Direction) -> Result<(), ApiError> {
        match rule.rsplit(' ').next() {
            Some("accept" | "drop") => Ok(()),
            Some("wait") => Err(ApiError::unavailable("Ask again later.", "nft does not answer")),
            _ => {
                let why = format!("syntax error in {}: {rule}", direction.text());
                Err(ApiError::refused("bad-rule", why))
            }
        }
    }
}

/// What was answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Answer {
    /// The sentence of a message or refusal.
    pub(crate) fn message(&self) -> &str {
        self.body["message"].as_str().unwrap_or_else(|| panic!("no sentence: {self:?}"))
    }

    /// Fails unless the status is as expected.
    #[track_caller]
    pub(crate) fn is(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{self:?}");
        self
    }
}

impl Cluster {
    /// The example cluster.
    pub(crate) async fn new() -> Self {
        let limits = Limits { arrival: PATIENCE, wait: PATIENCE };
        Self::with(&example(), limits, true).await
    }

    /// The example cluster, without metrics.
    pub(crate) async fn without_metrics() -> Self {
        let limits = Limits { arrival: PATIENCE, wait: PATIENCE };
        Self::with(&example(), limits, false).await
    }

    /// A tree that holds nothing.
    pub(crate) async fn empty() -> Self {
        Self::with(&[], Limits { arrival: PATIENCE, wait: PATIENCE }, true).await
    }

    /// The example cluster, with an API that waits no longer than `wait`.
    pub(crate) async fn hasty(wait: Duration) -> Self {
        Self::with(&example(), Limits { arrival: PATIENCE, wait }, true).await
    }

    /// The example cluster, with others' metrics at these ports.
    pub(crate) async fn exporting(ports: Ports) -> Self {
        let limits = Limits { arrival: PATIENCE, wait: PATIENCE };
        Self::at(&example(), limits, true, ports).await
    }

    async fn with(content: &[(String, String)], limits: Limits, prometheus: bool) -> Self {
        Self::at(content, limits, prometheus, Ports::default()).await
    }

    async fn at(
        content: &[(String, String)],
        limits: Limits,
        prometheus: bool,
        ports: Ports,
    ) -> Self {
        let own = FakeTree::new();
        for (path, text) in content {
            write(&own, path, text).await;
        }
        Self::on(own, limits, prometheus, ports).await
    }

    /// Another API of the same cluster, as it may be for a moment while another node becomes primary.
    pub(crate) async fn beside(&self) -> Self {
        let limits = Limits { arrival: PATIENCE, wait: PATIENCE };
        Self::on(self.tree.another(), limits, true, Ports::default()).await
    }

    async fn on(own: FakeTree, limits: Limits, prometheus: bool, ports: Ports) -> Self {
        let authentication = Authentication {
            secret_key: Secret::new("secret".to_owned()),
            tokens: vec![Token {
                description: "test".to_owned(),
                token: Secret::new(TOKEN.to_owned()),
            }],
        };
        let ceph = FakeCeph::new();
        let outside = Outside { storage: Storage::new(ceph.clone()), rules: Rules::new(FakeNft) };
        let (app, mirror) = follow(&own, outside, Some(&authentication), limits, ports);
        mirror.complete().await.unwrap();
        Self { tree: own.another(), own, router: api::router(app, prometheus), mirror, ceph }
    }

    /// Sends a request as it is.
    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        let bytes = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
        let body = if bytes.is_empty() {
            Value::Null
        } else {
            serde_json::from_slice(&bytes)
                .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&bytes).into_owned()))
        };
        Answer { status, headers, body }
    }

    async fn ask(&self, method: Method, path: &str, form: &str) -> Answer {
        let request = Request::builder()
            .method(method)
            .uri(format!("/api/v1{path}"))
            .header("X-Api-Key", TOKEN)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(form.to_owned()))
            .unwrap();
        self.send(request).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.ask(Method::GET, path, "").await
    }

    pub(crate) async fn post(&self, path: &str, form: &str) -> Answer {
        self.ask(Method::POST, path, form).await
    }

    pub(crate) async fn put(&self, path: &str, form: &str) -> Answer {
        self.ask(Method::PUT, path, form).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.ask(Method::DELETE, path, "").await
    }

    /// What the tree holds at a path.
    pub(crate) async fn read(&self, path: &str) -> Option<String> {
        let entry = self.tree.get(path).await.unwrap()?;
        Some(String::from_utf8(entry.data).unwrap())
    }

    /// Writes as a node would, and waits until the API knows.
    pub(crate) async fn write(&self, path: &str, text: &str) {
        let mut view = self.mirror.view();
        view.mark_unchanged();
        write(&self.tree, path, text).await;
        tokio::time::timeout(PATIENCE, view.changed()).await.unwrap().unwrap();
    }

    /// Deletes as a node would.
    pub(crate) async fn remove(&self, path: &str) {
        let version = self.tree.get(path).await.unwrap().unwrap().version;
        self.tree.commit(vec![Op::Delete { path: path.to_owned(), version }]).await.unwrap();
    }

    /// Waits until a path holds a text, as a node would.
    pub(crate) async fn until(&self, path: &str, text: &str) {
        let mut changes = self.tree.watch(path);
        let held = async {
            while self.read(path).await.as_deref() != Some(text) {
                changes.recv().await.unwrap();
            }
        };
        tokio::time::timeout(PATIENCE, held)
            .await
            .unwrap_or_else(|_| panic!("{path} never held {text}"));
    }
}

/// Writes whatever is there.
pub(crate) async fn write(tree: &FakeTree, path: &str, text: &str) {
    let parent = path.rsplit_once('/').map_or("", |(parent, _)| parent);
    if !parent.is_empty() {
        ensure_path(tree, parent).await.unwrap();
    }
    let entry = tree.get(path).await.unwrap();
    let expected = entry.map_or(Expected::Absent, |entry| Expected::Version(entry.version));
    tree.commit(vec![Op::put(path, text, expected)]).await.unwrap();
}

/// Percent-encodes a form value.
pub(crate) fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// The hardware address of a VM's interface in a definition.
pub(crate) fn mac(uuid: &str) -> String {
    format!("52:54:00:{}:{}:{}", &uuid[..2], &uuid[2..4], &uuid[4..6])
}

/// A definition.
pub(crate) fn definition(uuid: &str, name: &str, memory: u64) -> String {
    format!(
        "<domain type='kvm'><name>{name}</name><uuid>{uuid}</uuid>\
         <memory unit='MiB'>{memory}</memory><vcpu>2</vcpu>\
         <os><type arch='x86_64' machine='pc-i440fx-7.2'>hvm</type></os><devices>\
         <emulator>/usr/bin/qemu-system-x86_64</emulator>\
         <disk type='file' device='disk'><source file='/var/{name}.img'/>\
         <target dev='sda' bus='scsi'/></disk>\
         <interface type='bridge'><mac address='{mac}'/>\
         <source bridge='vmbr1001'/><model type='virtio'/></interface>\
         <console type='pty'/></devices></domain>",
        mac = mac(uuid)
    )
}
