//! Making and removing devices, and what only some of them have, by way of netlink.

use netlink_packet_route::link::{
    AfSpecInet6, AfSpecUnspec, In6AddrGenMode, LinkAttribute, LinkMessage,
};
use pvc_common::observed::{LinkKind, Tunnel};
use rtnetlink::{LinkBridge, LinkBridgePort, LinkMessageBuilder, LinkUnspec, LinkVlan, LinkVxlan};

use super::Netlink;
use super::links::{already, ask, errno, on};
use crate::{LinkError, Links};

impl Netlink {
    pub(super) async fn make(
        &self,
        name: &str,
        kind: &LinkKind,
        what: &str,
    ) -> Result<(), LinkError> {
        let message = self.message(name, kind).await?;
        let (mut is_unknown, mut is_there) = (false, false);
        let act = async {
            let answer = self.handle.link().add(message).execute().await;
            is_unknown = errno(&answer) == Some(libc::EOPNOTSUPP);
            is_there = errno(&answer) == Some(libc::EEXIST);
            answer
        };
        let outcome = ask(what, act).await;
        if is_unknown {
            return Err(LinkError::NoSuchKind { kind: kind.name() });
        }
        if is_there {
            let found = self.observe().await?.links.remove(name);
            return match found {
                Some(link) if link.kind == *kind => Ok(()),
                Some(_) | None => Err(LinkError::Taken { device: name.to_owned() }),
            };
        }
        outcome
    }

    async fn message(&self, name: &str, kind: &LinkKind) -> Result<LinkMessage, LinkError> {
        Ok(match kind {
            // Not by `LinkBridge::new`, which switches it on: it would give itself an IPv6 address.
            LinkKind::Bridge => LinkMessageBuilder::<LinkBridge>::new(name).build(),
            LinkKind::Vxlan(Tunnel { vni, port, local, learning }) => {
                let vxlan = LinkVxlan::new(name, *vni).port(*port).learning(*learning);
                match local {
                    Some(local) => vxlan.local(*local),
                    None => vxlan,
                }
                .build()
            }
            LinkKind::Vlan { id, carrier } => {
                LinkVlan::new(name, self.index(carrier).await?, *id).build()
            }
            LinkKind::Other => return Err(LinkError::NoSuchKind { kind: kind.name() }),
        })
    }

    pub(super) async fn remove(&self, device: &str, what: &str) -> Result<(), LinkError> {
        let message = LinkUnspec::new_with_name(device).build();
        let removed = self.handle.link().del_with_message(message).execute();
        ask(what, async { already(removed.await, libc::ENODEV) }).await
    }

    pub(super) async fn remove_together(
        &self,
        devices: &[String],
        group: u32,
        what: &str,
    ) -> Result<(), LinkError> {
        let group = LinkAttribute::Group(group);
        for device in devices {
            let join = |to: LinkMessageBuilder<_>| to.append_extra_attribute(group.clone());
            match self.change(device, what, join).await {
                Ok(()) | Err(LinkError::Missing { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        let mut message = LinkMessage::default();
        message.attributes.push(group);
        let removed = self.handle.link().del_with_message(message).execute();
        ask(what, async { already(removed.await, libc::ENODEV) }).await
    }

    pub(super) async fn quiet(&self, device: &str, what: &str) -> Result<(), LinkError> {
        let mode = AfSpecInet6::AddrGenMode(In6AddrGenMode::None);
        let families = LinkAttribute::AfSpecUnspec(vec![AfSpecUnspec::Inet6(vec![mode])]);
        let message = LinkUnspec::new_with_name(device).append_extra_attribute(families).build();
        let set = self.handle.link().set(message).execute();
        // A device without IPv6 is quiet.
        on(device, what, async { already(set.await, libc::EAFNOSUPPORT) }).await
    }

    pub(super) async fn unlearning(&self, device: &str, what: &str) -> Result<(), LinkError> {
        let message = LinkBridgePort::new(self.index(device).await?).learning(false).build();
        ask(what, self.handle.link().set_port(message).execute()).await
    }
}
