//! The client against a scripted API.

mod support;

use std::io::{Read, Write};
use std::net::TcpListener;

use pvc_client::call::{cluster, node, vm};
use pvc_client::fake::FakeApi;
use pvc_client::{Client, ClientError, Destructive, Endpoint, Scheme};
use serde_json::{Value, json};

use support::{client, line_of};

#[tokio::test]
async fn node_operations_make_the_documented_requests() {
    let filter = node::NodeFilter {
        limit: Some("hv".into()),
        domain_state: Some("ready".into()),
        ..Default::default()
    };
    line_of(node::list(&filter), "GET /node?limit=hv&domain_state=ready").await;
    line_of(node::info("hv1"), "GET /node/hv1").await;
    line_of(node::log("hv1", 7), "GET /node/hv1/log?lines=7").await;
    let primary = node::set_coordinator_state("hv1", "primary");
    line_of(primary, "POST /node/hv1/coordinator-state?state=primary").await;
    let flush = node::set_domain_state("hv1", "flush");
    line_of(flush, "POST /node/hv1/domain-state?state=flush").await;
}

#[tokio::test]
async fn fence_operations_make_the_documented_requests() {
    let agreed = Destructive::agreed();
    line_of(node::fences(None, None), "GET /fence").await;
    line_of(node::fences(Some("hv3"), Some(5)), "GET /fence?node=hv3&limit=5").await;
    line_of(node::fence("hv3-1"), "GET /fence/hv3-1").await;
    let sure = "yes-i-really-mean-it=yes";
    let line = format!("POST /node/hv3/fence?action=fence&{sure}");
    line_of(node::order_fence("hv3", &agreed), &line).await;
    let line = format!("POST /node/hv3/fence?action=confirm-dead&{sure}");
    line_of(node::confirm_dead("hv3", &agreed), &line).await;
    line_of(node::cancel_fence("hv3"), "POST /node/hv3/fence?action=cancel").await;
}

#[tokio::test]
async fn cluster_operations_make_the_documented_requests() {
    let agreed = Destructive::agreed();
    line_of(
        cluster::initialize(true, &agreed),
        "POST /initialize?yes-i-really-mean-it=yes&overwrite=True",
    )
    .await;
    line_of(
        cluster::restore("{}".into(), &agreed),
        "POST /restore?yes-i-really-mean-it=yes | cluster_data=%7B%7D",
    )
    .await;
    line_of(cluster::set_maintenance(true), "POST /status?state=true").await;
    line_of(cluster::faults(), "GET /faults?sort_key=last_reported").await;
    line_of(cluster::acknowledge_fault("A"), "PUT /faults/A").await;
    line_of(cluster::delete_all_faults(&agreed), "DELETE /faults").await;
}

#[tokio::test]
async fn vm_operations_make_the_documented_requests() {
    let agreed = Destructive::agreed();
    line_of(vm::list(&vm::VmFilter::default()), "GET /vm?negate=False").await;
    let new = vm::NewVm {
        xml: "<a b='1'/>".into(),
        user_tags: vec!["x".into(), "y".into()],
        meta: vm::VmMeta {
            autostart: Some(false),
            max_downtime_ms: Some(300),
            ..Default::default()
        },
        ..Default::default()
    };
    line_of(
        vm::define(new),
        "POST /vm?autostart=False&migration_max_downtime=300&user_tags=x&user_tags=y \
         | xml=%3Ca+b%3D%271%27%2F%3E",
    )
    .await;
    line_of(
        vm::stop("web1", true, &agreed),
        "POST /vm/web1/state?state=stop&force=True&wait=False",
    )
    .await;
    let transfer =
        vm::Transfer { node: Some("hv2".into()), force_live: true, ..Default::default() };
    line_of(
        vm::migrate("web1", &transfer),
        "POST /vm/web1/node?action=migrate&node=hv2&force=false&wait=false&force_live=true",
    )
    .await;
    line_of(vm::undefine("a", &agreed), "DELETE /vm/a?delete_disks=False").await;
    line_of(vm::rename("a", "b c", &agreed), "POST /vm/a/rename?new_name=b+c").await;
    line_of(vm::flush_locks("a"), "POST /vm/a/locks").await;
    let device = || "<disk/>".to_owned();
    line_of(vm::attach_device("a", device()), "POST /vm/a/device | xml=%3Cdisk%2F%3E").await;
    line_of(vm::detach_device("a", device()), "DELETE /vm/a/device | xml=%3Cdisk%2F%3E").await;
}

#[tokio::test]
async fn a_change_of_metadata_sends_only_what_was_given() {
    let meta = vm::VmMeta { selector: Some("mem".into()), ..Default::default() };
    line_of(vm::set_meta("a", &meta), "POST /vm/a/meta?selector=mem").await;
}

#[tokio::test]
async fn a_name_cannot_leave_its_place_in_the_path() {
    line_of(node::info("../vm?x"), "GET /node/..%2Fvm%3Fx").await;
}

#[tokio::test]
async fn the_key_travels_in_its_header() {
    let api = FakeApi::start();
    api.on("GET /status", 200, "{}");
    client(&api).send(&cluster::status()).await.unwrap();
    assert_eq!(api.received()[0].key.as_deref(), Some("secret"));
}

#[tokio::test]
async fn a_read_is_repeated_while_the_server_is_overloaded() {
    let api = FakeApi::start();
    api.on("GET /status", 503, "{}");
    api.on("GET /status", 502, "{}");
    api.on("GET /status", 200, json!({"pools": 1}));
    let status: Value = client(&api).read(&cluster::status()).await.unwrap();
    assert_eq!(status["pools"], 1);
    assert_eq!(api.received().len(), 3);
}

#[tokio::test]
async fn a_change_is_never_repeated() {
    let api = FakeApi::start();
    api.on("POST /status", 503, json!({"message": "later"}));
    let error = client(&api).send(&cluster::set_maintenance(true)).await.unwrap_err();
    assert!(matches!(error, ClientError::Broken { status: 503, .. }), "{error}");
    assert_eq!(api.received().len(), 1);
}

#[tokio::test]
async fn a_wrong_key_is_told_apart_and_not_shown() {
    let api = FakeApi::start();
    api.demand_key("other");
    let error = client(&api).send(&cluster::status()).await.unwrap_err();
    assert!(matches!(error, ClientError::Denied { .. }), "{error}");
    assert!(!format!("{error} {error:?}").contains("secret"));
}

#[tokio::test]
async fn a_refusal_carries_the_servers_message() {
    let api = FakeApi::start();
    api.on("GET /vm/x", 404, json!({"message": "VM not found."}));
    api.on("POST /status", 400, json!({"message": {"state": "bad choice"}}));
    let missing = client(&api).send(&vm::info("x")).await.unwrap_err();
    assert_eq!(missing.to_string(), "VM not found.");
    let refused = client(&api).send(&cluster::set_maintenance(true)).await.unwrap_err();
    assert_eq!(refused.to_string(), "state: bad choice");
}

#[tokio::test]
async fn an_answer_that_is_no_json_is_said_to_be_so() {
    let api = FakeApi::start();
    api.on("GET /status", 200, "<html>");
    let error = client(&api).read::<Value>(&cluster::status()).await.unwrap_err();
    assert!(matches!(error, ClientError::Garbled { .. }), "{error}");
}

#[tokio::test]
async fn a_page_that_is_missing_on_another_server_is_not_a_missing_thing() {
    let api = FakeApi::start();
    api.on("GET /vm", 404, "<h1>Not found</h1>");
    let list = vm::list(&vm::VmFilter::default());
    let error = client(&api).send(&list).await.unwrap_err();
    assert!(matches!(error, ClientError::Garbled { .. }), "{error}");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unreachable() {
    let endpoint = Endpoint { scheme: Scheme::Http, host: "127.0.0.1".into(), port: 1, key: None };
    let client = Client::new(endpoint, "test").unwrap();
    let error = client.send(&cluster::status()).await.unwrap_err();
    let text = error.to_string();
    assert!(text.contains("Connection refused"), "{text}");
    assert!(text.contains("tried 3 times"), "{text}");
    assert!(error.is_passing());
}

#[tokio::test]
async fn a_server_without_tls_is_not_trusted_as_https() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").unwrap();
        // Stays until the client leaves, so that its greeting does not reset the connection.
        stream.read_to_end(&mut Vec::new()).ok();
    });
    let endpoint = Endpoint {
        scheme: Scheme::Https { verify: false },
        host: "127.0.0.1".into(),
        port,
        key: None,
    };
    let client = Client::new(endpoint, "test").unwrap();
    let error = client.send(&cluster::status()).await.unwrap_err();
    assert!(matches!(error, ClientError::Untrusted { .. }), "{error}");
    server.join().unwrap();
}
