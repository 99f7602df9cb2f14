//! The networks: who can send to whom, and what is lost on the way.

use crate::chance::Chance;
use crate::script::{NETS, Net};
use crate::world::HostId;

/// What is wrong with the networks.
#[derive(Clone, Debug, Default)]
pub struct Network {
    /// By host and network: whether it is cut from it.
    cut: Vec<[bool; 3]>,
    /// By sender and receiver: whether nothing passes, on any network.
    one_way: Vec<Vec<bool>>,
    /// By host: how many percent of its packets are lost.
    loss: Vec<u64>,
    /// By host: whether a firewall swallows the mesh's datagrams, and nothing else.
    walled: Vec<bool>,
}

impl Network {
    /// Networks of so many hosts, without fault.
    #[must_use]
    pub fn new(hosts: usize) -> Self {
        Self {
            cut: vec![[false; 3]; hosts],
            one_way: vec![vec![false; hosts]; hosts],
            loss: vec![0; hosts],
            walled: vec![false; hosts],
        }
    }

    /// Cuts a host from a network.
    pub fn cut(&mut self, host: HostId, net: Net) {
        self.cut[host][net as usize] = true;
    }

    /// Whether a host is cut from a network.
    #[must_use]
    pub fn is_cut(&self, host: HostId, net: Net) -> bool {
        self.cut[host][net as usize]
    }

    /// Connects a host to every network again.
    pub fn heal(&mut self, host: HostId) {
        self.cut[host] = [false; 3];
    }

    /// Lets nothing pass from one to the other, or everything again.
    pub fn one_way(&mut self, from: HostId, to: HostId, cut: bool) {
        self.one_way[from][to] = cut;
    }

    /// Lets so many percent of a host's packets be lost.
    pub fn lose(&mut self, host: HostId, percent: u64) {
        self.loss[host] = percent.min(100);
    }

    /// Puts a firewall before a host that swallows the mesh's datagrams, or takes it away.
    pub fn wall(&mut self, host: HostId, there: bool) {
        self.walled[host] = there;
    }

    /// Whether a firewall swallows what two hosts send each other on the mesh.
    #[must_use]
    pub fn swallows(&self, a: HostId, b: HostId) -> bool {
        self.walled[a] || self.walled[b]
    }

    /// Whether two hosts can talk: both ways, if not without loss.
    #[must_use]
    pub fn talk(&self, a: HostId, b: HostId, net: Net) -> bool {
        a == b || self.passes(a, b, net) && self.passes(b, a, net)
    }

    fn passes(&self, from: HostId, to: HostId, net: Net) -> bool {
        !self.is_cut(from, net)
            && !self.is_cut(to, net)
            && !self.one_way[from][to]
            && self.loss[from] < 100
            && self.loss[to] < 100
    }

    /// Whether two hosts talk so well on one of the mesh's networks that a probe in twenty is
    /// lost at most.
    #[must_use]
    pub fn talk_well(&self, a: HostId, b: HostId) -> bool {
        self.loss[a] <= 10 && self.loss[b] <= 10 && !self.swallows(a, b) && self.meshed(a, b)
    }

    /// Whether two hosts can talk on one of the mesh's networks.
    #[must_use]
    pub fn meshed(&self, a: HostId, b: HostId) -> bool {
        self.talk(a, b, Net::Cluster) || self.talk(a, b, Net::Storage)
    }

    /// Whether a packet from one host reaches the other.
    pub fn carries(&self, from: HostId, to: HostId, net: Net, chance: &mut Chance) -> bool {
        let arrives =
            100_u64.saturating_sub(self.loss[from]) * 100_u64.saturating_sub(self.loss[to]);
        self.passes(from, to, net) && (arrives == 10_000 || chance.below(10_000) < arrives)
    }

    /// Whether anything is wrong with any network.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.cut.iter().all(|cut| *cut == [false; 3])
            && self.one_way.iter().flatten().all(|cut| !cut)
            && self.loss.iter().all(|loss| *loss == 0)
            && self.walled.iter().all(|walled| !walled)
    }

    /// Ends every fault.
    pub fn mend(&mut self) {
        *self = Self::new(self.cut.len());
    }

    /// Whether a host is cut from anything.
    #[must_use]
    pub fn is_hurt(&self, host: HostId) -> bool {
        NETS.into_iter().any(|net| self.is_cut(host, net))
    }
}
