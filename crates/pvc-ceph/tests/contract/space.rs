//! Network namespaces on one bridge, so that clients of the storage have addresses of their own.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;

/// A namespace that lives as long as the process that holds it.
struct Space(Child);

impl Space {
    fn new() -> Self {
        let holder = Command::new("setpriv")
            .args(["--pdeathsig", "KILL", "unshare", "--net", "sleep", "infinity"])
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let space = Self(holder);
        while !space.is_apart() {
            std::thread::yield_now();
        }
        space.ip("link set lo up");
        space
    }

    /// Whether its process has left this one's namespace.
    fn is_apart(&self) -> bool {
        let of = |pid: &str| std::fs::read_link(format!("/proc/{pid}/ns/net")).ok();
        let its = of(&self.0.id().to_string());
        its.is_some() && its != of("self")
    }

    /// The words before a program that shall run there.
    fn enter(&self) -> Vec<String> {
        let pid = self.0.id().to_string();
        ["nsenter", "--net", "--target", &pid].map(str::to_owned).to_vec()
    }

    fn ip(&self, words: &str) {
        let enter = self.enter();
        let mut command = Command::new(&enter[0]);
        command.args(&enter[1..]).arg("ip").args(words.split(' '));
        assert!(command.status().unwrap().success(), "ip {words}");
    }
}

impl Drop for Space {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

/// One namespace for the daemons, and one for each address of clients.
pub(crate) struct Spaces {
    daemons: Space,
    clients: Mutex<BTreeMap<Ipv4Addr, Space>>,
}

impl Spaces {
    pub(crate) fn new() -> Self {
        let daemons = Space::new();
        daemons.ip("link add br0 type bridge");
        daemons.ip(&format!("address add {}/24 dev br0", address(1)));
        daemons.ip("link set br0 up");
        Self { daemons, clients: Mutex::default() }
    }

    /// The words before a program that shall run where the daemons do.
    pub(crate) fn enter(&self) -> Vec<String> {
        self.daemons.enter()
    }

    /// The words before a program that shall run at a client's address.
    pub(crate) fn enter_as(&self, client: Ipv4Addr) -> Vec<String> {
        let mut clients = self.clients.lock().unwrap();
        clients.entry(client).or_insert_with(|| self.client(client)).enter()
    }

    fn client(&self, client: Ipv4Addr) -> Space {
        let space = Space::new();
        let (pid, port) = (space.0.id(), format!("p{}", client.octets()[3]));
        self.daemons.ip(&format!("link add {port} type veth peer name eth0 netns {pid}"));
        self.daemons.ip(&format!("link set {port} master br0 up"));
        space.ip(&format!("address add {client}/24 dev eth0"));
        space.ip("link set eth0 up");
        space
    }
}

/// An address of the namespaces' network; the daemons have number 1.
pub(crate) const fn address(number: u8) -> Ipv4Addr {
    Ipv4Addr::new(10, 254, 77, number)
}
