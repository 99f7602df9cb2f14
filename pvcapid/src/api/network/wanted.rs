//! What requests ask of a network's settings.

use pvc_common::state::NetworkType;
use utoipa::IntoParams;

use super::checked;
use crate::api::ApiError;
use crate::api::args::Args;
use crate::change::network::{Given, Ip4Wish, Ip6Wish, Wish, parse};

/// Settings of a network. In a change, an empty text unsets what may be unset, and what is not given
/// stays.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes the arguments, which are read into a wish")]
pub(super) struct Settings {
    /// Size of packets, from 576; the greatest that fits if it is not set.
    mtu: Option<u32>,
    /// DNS domain; `<description>.local` if it is not set.
    domain: Option<String>,
    /// Name servers that are asked what its own does not know, with commas or repeated.
    name_servers: Option<Vec<String>>,
    /// IPv4 network, such as `10.1.0.0/24`; no other network's, and not the cluster's own.
    ip4_network: Option<String>,
    /// IPv4 gateway, which the primary has.
    ip4_gateway: Option<String>,
    /// IPv6 network of 64 bits, such as `fd00:1::/64`.
    ip6_network: Option<String>,
    /// IPv6 gateway, which the primary has; the network's first address if it is not given.
    ip6_gateway: Option<String>,
    /// Whether VMs get IPv4 addresses by DHCP.
    dhcp4: Option<bool>,
    /// First address that DHCP gives away.
    dhcp4_start: Option<String>,
    /// Last address that DHCP gives away.
    dhcp4_end: Option<String>,
}

/// The words for how a network is carried.
pub(super) const TYPES: [(&str, NetworkType); 2] =
    [("managed", NetworkType::Managed), ("bridged", NetworkType::Bridged)];

/// Reads every setting that was given, and checks each by itself.
pub(super) fn wish(args: &Args) -> Result<Wish, ApiError> {
    let servers = args.list("name_servers");
    let servers = servers.map(|texts| checked("name_servers", parse::name_servers(&texts)));
    let description =
        args.text("description").map(|text| checked("description", parse::description(text)));
    Ok(Wish {
        description: description.transpose()?,
        mtu: given(args, "mtu", parse::mtu)?,
        domain: given(args, "domain", parse::domain)?,
        name_servers: servers.transpose()?,
        ip4: Ip4Wish {
            network: given(args, "ip4_network", parse::network4)?,
            gateway: given(args, "ip4_gateway", parse::address4)?,
            dhcp: args.switch("dhcp4")?,
            start: given(args, "dhcp4_start", parse::address4)?,
            end: given(args, "dhcp4_end", parse::address4)?,
        },
        ip6: Ip6Wish {
            network: given(args, "ip6_network", parse::network6)?,
            gateway: given(args, "ip6_gateway", parse::address6)?,
        },
    })
}

/// A setting that may be unset, which is written as nothing or as it is shown: `None`.
fn given<T>(
    args: &Args,
    name: &str,
    parse: fn(&str) -> Result<T, String>,
) -> Result<Given<T>, ApiError> {
    match args.text(name) {
        None => Ok(None),
        Some("" | "None" | "none") => Ok(Some(None)),
        Some(text) => checked(name, parse(text)).map(|value| Some(Some(value))),
    }
}
