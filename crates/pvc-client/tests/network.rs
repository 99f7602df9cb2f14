//! Requests about networks, as they travel.

mod support;

use pvc_client::Destructive;
use pvc_client::call::network::{self, Settings};

use support::line_of;

#[tokio::test]
async fn network_operations_make_the_documented_requests() {
    let agreed = Destructive::agreed();
    line_of(network::list(Some("a")), "GET /network?limit=a").await;
    line_of(network::info("1001"), "GET /network/1001").await;
    let settings = Settings {
        description: Some("office".into()),
        mtu: Some(String::new()),
        domain: Some("a.b".into()),
        name_servers: vec!["10.0.0.1".into(), "10.0.0.2".into()],
        ip4_network: Some("10.1.0.0/24".into()),
        ip4_gateway: Some("10.1.0.1".into()),
        ip6_network: Some("fd00::/64".into()),
        ip6_gateway: Some("fd00::1".into()),
        dhcp4: Some(true),
        dhcp4_start: Some("10.1.0.2".into()),
        dhcp4_end: Some("10.1.0.9".into()),
    };
    let all = "mtu=&domain=a.b&name_servers=10.0.0.1&name_servers=10.0.0.2\
               &ip4_network=10.1.0.0%2F24&ip4_gateway=10.1.0.1&ip6_network=fd00%3A%3A%2F64\
               &ip6_gateway=fd00%3A%3A1&dhcp4=True&dhcp4_start=10.1.0.2&dhcp4_end=10.1.0.9";
    let line = format!("POST /network?vni=1001&description=office&nettype=managed&{all}");
    line_of(network::add("1001", "managed", &settings), &line).await;
    let line = format!("PUT /network/1001?description=office&{all}");
    line_of(network::modify("1001", &settings), &line).await;
    line_of(network::modify("1001", &Settings::default()), "PUT /network/1001").await;
    line_of(network::remove("1001", false, &agreed), "DELETE /network/1001").await;
    line_of(network::remove("1001", true, &agreed), "DELETE /network/1001?force=True").await;
}

#[tokio::test]
async fn operations_on_what_networks_hold_make_the_documented_requests() {
    let agreed = Destructive::agreed();
    let line = "GET /network/1001/lease?limit=52&static=True";
    line_of(network::leases("1001", Some("52"), true), line).await;
    let mac = "52:54:00:00:00:01";
    let line = "POST /network/1001/lease?macaddress=52%3A54%3A00%3A00%3A00%3A01\
                &ipaddress=10.1.0.9&hostname=web1";
    line_of(network::add_reservation("1001", mac, "10.1.0.9", "web1"), line).await;
    let line = "DELETE /network/1001/lease/52:54:00:00:00:01";
    line_of(network::remove_lease("1001", mac, &agreed), line).await;
    let line = "GET /network/1001/acl?limit=a&direction=in";
    line_of(network::rules("1001", Some("a"), Some("in")), line).await;
    let line =
        "POST /network/1001/acl?description=ssh&direction=in&rule=tcp+dport+22+accept&order=0";
    line_of(network::add_rule("1001", "ssh", "in", "tcp dport 22 accept", Some(0)), line).await;
    line_of(network::remove_rule("1001", "ssh", &agreed), "DELETE /network/1001/acl/ssh").await;
}
