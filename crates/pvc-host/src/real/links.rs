//! Network devices by way of netlink.

use std::future::Future;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use futures_util::TryStreamExt;
use ipnet::{Ipv4Net, Ipv6Net};
use netlink_packet_route::AddressFamily;
use netlink_packet_route::address::{AddressAttribute, AddressHeaderFlags, AddressMessage};
use rtnetlink::{
    AddressMessageBuilder, Error, Handle, LinkBridge, LinkMessageBuilder, LinkUnspec,
    RouteMessageBuilder,
};

use super::look;
use super::socket::connect;
use crate::{DefaultRoute, LinkError, LinkStep, LinkTable, Links};

/// The kernel answers in microseconds; only a system in agony takes longer.
const LIMIT: Duration = Duration::from_secs(5);

/// The network devices of this process's network namespace.
#[derive(Clone, Debug)]
pub struct Netlink {
    pub(super) handle: Handle,
}

impl Netlink {
    /// Opens a netlink socket of the present thread's network namespace.
    ///
    /// # Errors
    /// When the kernel gives none.
    pub fn open() -> std::io::Result<Self> {
        Ok(Self { handle: connect()? })
    }

    pub(super) async fn index(&self, device: &str) -> Result<u32, LinkError> {
        let found = self.handle.link().get().match_name(device).execute();
        let links: Vec<_> = on(device, "see devices", found.try_collect()).await?;
        let index = links.first().map(|link| link.header.index);
        index.ok_or_else(|| LinkError::Missing { device: device.to_owned() })
    }

    async fn bridge(&self, name: &str, like: &str, what: &str) -> Result<(), LinkError> {
        let links = self.observe().await?.links;
        if !links.contains_key(name) {
            let model = links.get(like);
            let model = model.ok_or_else(|| LinkError::Missing { device: like.to_owned() })?;
            let mut bridge = LinkBridge::new(name);
            if let Some(mac) = model.mac {
                bridge = bridge.address(mac.0.to_vec());
            }
            let made = self.handle.link().add(bridge.build()).execute();
            ask(what, async { already(made.await, libc::EEXIST) }).await?;
        }
        self.set(LinkUnspec::new_with_name(name).up(), what).await
    }

    async fn set(
        &self,
        change: rtnetlink::LinkMessageBuilder<LinkUnspec>,
        what: &str,
    ) -> Result<(), LinkError> {
        ask(what, self.handle.link().set(change.build()).execute()).await
    }

    /// Changes a device by its name, which takes one question instead of two.
    pub(super) async fn change(
        &self,
        device: &str,
        what: &str,
        change: impl FnOnce(LinkMessageBuilder<LinkUnspec>) -> LinkMessageBuilder<LinkUnspec>,
    ) -> Result<(), LinkError> {
        let message = change(LinkUnspec::new_with_name(device)).build();
        on(device, what, self.handle.link().set(message).execute()).await
    }

    /// An IPv6 address of a device, as the kernel is told of it.
    ///
    /// Without the search for duplicates: for a second the address would be there and not usable.
    /// Whoever had it before has let go of it, or is dead.
    async fn address_v6(
        &self,
        device: &str,
        address: Ipv6Net,
    ) -> Result<AddressMessage, LinkError> {
        let mut message = AddressMessageBuilder::<Ipv6Addr>::new()
            .index(self.index(device).await?)
            .address(address.addr(), address.prefix_len())
            .build();
        message.header.family = AddressFamily::Inet6;
        message.header.flags |= AddressHeaderFlags::Nodad;
        message.attributes.push(AddressAttribute::Local(address.addr().into()));
        Ok(message)
    }

    async fn remove_v4(&self, device: &str, address: Ipv4Net, what: &str) -> Result<(), LinkError> {
        let mut message = AddressMessageBuilder::<Ipv4Addr>::new()
            .index(self.index(device).await?)
            .address(address.addr(), address.prefix_len())
            .build();
        message.header.family = AddressFamily::Inet;
        message.attributes.push(AddressAttribute::Local(address.addr().into()));
        self.remove_address(device, message, &[libc::EADDRNOTAVAIL], what).await
    }

    async fn remove_v6(&self, device: &str, address: Ipv6Net, what: &str) -> Result<(), LinkError> {
        let message = self.address_v6(device, address).await?;
        // A device has no IPv6 while its packets are too small for it, and a kernel without it has none.
        let gone = [libc::EADDRNOTAVAIL, libc::ENXIO, libc::EOPNOTSUPP];
        self.remove_address(device, message, &gone, what).await
    }

    async fn remove_address(
        &self,
        device: &str,
        message: AddressMessage,
        gone: &[i32],
        what: &str,
    ) -> Result<(), LinkError> {
        let removed = self.handle.address().del(message).execute();
        let removed = async {
            let answer = removed.await;
            let is_gone = errno(&answer).is_some_and(|number| gone.contains(&number));
            if is_gone { Ok(()) } else { answer }
        };
        on(device, what, removed).await
    }

    async fn default_route(&self, wanted: &DefaultRoute, what: &str) -> Result<(), LinkError> {
        let index = self.index(&wanted.device).await?;
        let route = RouteMessageBuilder::<Ipv4Addr>::new()
            .gateway(wanted.gateway)
            .output_interface(index)
            .build();
        ask(what, self.handle.route().add(route).replace().execute()).await
    }
}

impl Links for Netlink {
    async fn observe(&self) -> Result<LinkTable, LinkError> {
        look::all().await
    }

    async fn observe_some(&self, devices: &[String]) -> Result<LinkTable, LinkError> {
        look::some(devices).await
    }

    async fn apply(&self, step: &LinkStep) -> Result<(), LinkError> {
        let what = step.to_string();
        match step {
            LinkStep::Bridge { name, like } => self.bridge(name, like, &what).await,
            LinkStep::Enslave { device, bridge } => {
                let (device, bridge) = (self.index(device).await?, self.index(bridge).await?);
                self.set(LinkUnspec::new_with_index(device).controller(bridge), &what).await
            }
            LinkStep::Mtu { device, mtu } => self.change(device, &what, |to| to.mtu(*mtu)).await,
            LinkStep::Up { device } => self.change(device, &what, LinkMessageBuilder::up).await,
            LinkStep::Down { device } => self.change(device, &what, LinkMessageBuilder::down).await,
            LinkStep::Address { device, mac } => {
                self.change(device, &what, |to| to.address(mac.0.to_vec())).await
            }
            LinkStep::Make { name, kind } => self.make(name, kind, &what).await,
            LinkStep::Remove { device } => self.remove(device, &what).await,
            LinkStep::RemoveTogether { devices, group } => {
                self.remove_together(devices, *group, &what).await
            }
            LinkStep::Quiet { device } => self.quiet(device, &what).await,
            LinkStep::Unlearning { device } => self.unlearning(device, &what).await,
            LinkStep::AddAddress { device, address } => {
                let index = self.index(device).await?;
                let added =
                    self.handle.address().add(index, address.addr().into(), address.prefix_len());
                ask(&what, async { already(added.execute().await, libc::EEXIST) }).await
            }
            LinkStep::RemoveAddress { device, address } => {
                gone_with_device(self.remove_v4(device, *address, &what).await)
            }
            LinkStep::AddAddressV6 { device, address } => {
                let message = self.address_v6(device, *address).await?;
                let mut added = self.handle.address().add(
                    message.header.index,
                    address.addr().into(),
                    address.prefix_len(),
                );
                *added.message_mut() = message;
                ask(&what, async { already(added.execute().await, libc::EEXIST) }).await
            }
            LinkStep::RemoveAddressV6 { device, address } => {
                gone_with_device(self.remove_v6(device, *address, &what).await)
            }
            LinkStep::DefaultRoute(route) => self.default_route(route, &what).await,
        }
    }
}

/// Takes the answer that a thing is so already for success.
pub(super) fn already(answer: Result<(), Error>, is_so: i32) -> Result<(), Error> {
    if errno(&answer) == Some(is_so) { Ok(()) } else { answer }
}

/// The kernel's error number, if that is what the answer is.
pub(super) fn errno<T>(answer: &Result<T, Error>) -> Option<i32> {
    match answer {
        Err(Error::NetlinkError(message)) => Some(-message.raw_code()),
        Ok(_) | Err(_) => None,
    }
}

/// Takes it for success that there is no such device: its addresses are gone with it.
fn gone_with_device(removed: Result<(), LinkError>) -> Result<(), LinkError> {
    match removed {
        Err(LinkError::Missing { .. }) => Ok(()),
        outcome => outcome,
    }
}

/// Has the kernel do something to a device, which may be missing.
pub(super) async fn on<T>(
    device: &str,
    what: &str,
    act: impl Future<Output = Result<T, Error>>,
) -> Result<T, LinkError> {
    let mut missing = false;
    let act = async {
        let answer = act.await;
        missing = errno(&answer) == Some(libc::ENODEV);
        answer
    };
    let outcome = ask(what, act).await;
    if missing { Err(LinkError::Missing { device: device.to_owned() }) } else { outcome }
}

pub(super) async fn ask<T>(
    what: &str,
    question: impl Future<Output = Result<T, Error>>,
) -> Result<T, LinkError> {
    match tokio::time::timeout(LIMIT, question).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error)) => Err(LinkError::Refused { what: what.to_owned(), why: reason(&error) }),
        Err(_) => Err(LinkError::NoAnswer { waited: LIMIT }),
    }
}

/// The kernel's reason in the words of its error number.
fn reason(error: &Error) -> String {
    match error {
        Error::NetlinkError(message) => {
            std::io::Error::from_raw_os_error(-message.raw_code()).to_string()
        }
        other => other.to_string(),
    }
}
