//! One suite for the firewall, on one in memory and on the kernel's in a namespace.

#![expect(clippy::unwrap_used, reason = "tests")]

use pvc_common::observed::FirewallTable;
use pvc_host::fake::FakeFirewall;
use pvc_host::real::Nft;
use pvc_host::{Detail, Firewall, FirewallError};

const MAKE: &str = "add table inet pvc
add map inet pvc entering { type ifname : verdict; }
add map inet pvc within { type ifname . ifname : verdict; }
add chain inet pvc a
add rule inet pvc a counter tcp dport { 22, 80 } accept
add chain inet pvc base { type filter hook forward priority filter; policy accept; }
add rule inet pvc base iifname . oifname vmap @within
add rule inet pvc base oifname vmap @entering
add element inet pvc entering { \"vmbr1\" : jump a }
add element inet pvc within { \"vmbr1\" . \"vmbr1\" : return }
";

const REPLACE: &str = "add chain inet pvc b
add rule inet pvc b counter ct state established,related accept
add rule inet pvc b counter drop
delete element inet pvc entering { \"vmbr1\" }
add element inet pvc entering { \"vmbr1\" : jump b }
flush chain inet pvc a
delete chain inet pvc a
";

const TRIAL: &str = "add table inet trial
add chain inet trial rules
add chain inet trial base { type filter hook forward priority filter; }
add rule inet trial base jump rules
";

fn table(chains: &[&str], way: &str) -> FirewallTable {
    let ways = |key: &str, verdict: &str| [(key.to_owned(), verdict.to_owned())].into();
    let maps = [("entering", ways("vmbr1", way)), ("within", ways("vmbr1 . vmbr1", "return"))];
    FirewallTable {
        chains: chains.iter().map(|chain| ((*chain).to_owned(), None)).collect(),
        maps: maps.map(|(name, elements)| (name.to_owned(), elements)).into(),
    }
}

fn is_refused(outcome: &Result<(), FirewallError>) -> bool {
    matches!(outcome, Err(FirewallError::Refused { message }) if !message.is_empty())
}

async fn suite(firewall: &impl Firewall) {
    assert_eq!(firewall.observe(Detail::Ways).await.unwrap(), None);
    firewall.apply("add table inet others\nadd chain inet others b\n").await.unwrap();
    assert_eq!(firewall.observe(Detail::Ways).await.unwrap(), None, "that table is not ours");

    firewall.apply(MAKE).await.unwrap();
    let made = table(&["a", "base"], "jump a");
    assert_eq!(firewall.observe(Detail::Ways).await.unwrap(), Some(made.clone()));

    counts_rules(firewall, &made).await;

    // What is wrong at the end leaves nothing of what was right before it.
    for wrong in [
        "add rule inet pvc b counter frobnicate",
        "delete chain inet pvc base2",
        "delete element inet pvc entering { \"vmbr2\" }",
        "add element inet pvc entering { \"vmbr3\" : jump nowhere }",
        "add element inet pvc entering { \"vmbr1\" : jump hook3 }",
    ] {
        let outcome = firewall.apply(&format!("{REPLACE}{wrong}\n")).await;
        assert!(is_refused(&outcome), "{wrong}: {outcome:?}");
        assert_eq!(firewall.observe(Detail::Ways).await.unwrap(), Some(made.clone()), "{wrong}");
    }
    let outcome = firewall.apply("flush chain inet pvc a\ndelete chain inet pvc a\n").await;
    assert!(is_refused(&outcome), "something leads there: {outcome:?}");

    firewall.apply(REPLACE).await.unwrap();
    assert_eq!(
        firewall.observe(Detail::Ways).await.unwrap(),
        Some(table(&["b", "base"], "jump b"))
    );

    let tried = async |rule: &str| {
        let rule = format!("add rule inet trial rules counter {rule}\n");
        firewall.check(&format!("{TRIAL}{rule}")).await
    };
    for good in ["tcp dport 22 accept", "ip saddr 10.0.0.0/8 drop", "ct state new reject"] {
        tried(good).await.unwrap();
    }
    for bad in ["frobnicate", "tcp dport 22 acept", "jump nowhere", "ip saddr vmap @entering"] {
        let outcome = tried(bad).await;
        assert!(is_refused(&outcome), "{bad}: {outcome:?}");
    }
    let untouched = firewall.observe(Detail::Ways).await.unwrap();
    assert_eq!(untouched, Some(table(&["b", "base"], "jump b")), "trials touch nothing");
    firewall.apply("add table inet others\ndelete table inet others\n").await.unwrap();
}

/// A look at rules notices what one at chains and maps does not.
async fn counts_rules(firewall: &impl Firewall, made: &FirewallTable) {
    let counts = async || {
        let table = firewall.observe(Detail::Rules).await.unwrap().unwrap();
        assert_eq!(table.maps, made.maps);
        (table.chains["a"].unwrap(), table.chains["base"].unwrap())
    };
    assert_eq!(counts().await, (1, 2));
    for (others, expected) in [
        ("add rule inet pvc a accept", (2, 2)),
        ("flush chain inet pvc a", (0, 2)),
        ("flush table inet pvc", (0, 0)),
    ] {
        firewall.apply(&format!("{others}\n")).await.unwrap();
        assert_eq!(counts().await, expected, "{others}");
        let ways = firewall.observe(Detail::Ways).await.unwrap();
        assert_eq!(ways.as_ref(), Some(made), "{others}");
    }
    firewall.apply("delete table inet pvc\n").await.unwrap();
    assert_eq!(firewall.observe(Detail::Rules).await.unwrap(), None);
    firewall.apply(MAKE).await.unwrap();
}

#[tokio::test]
async fn a_firewall_in_memory_keeps_the_contract() {
    let firewall = FakeFirewall::new();
    suite(&firewall).await;
    firewall.uninstall(true);
    let outcome = firewall.apply("add table inet pvc\n").await;
    assert!(matches!(outcome, Err(FirewallError::Unusable(_))), "{outcome:?}");
}

/// On one thread: a network namespace belongs to the thread that made it.
#[tokio::test(flavor = "current_thread")]
async fn the_kernel_keeps_the_contract() {
    if !own_namespace() {
        return;
    }
    suite(&Nft).await;
}

/// What only the kernel notices, when it puts a rule into force.
#[tokio::test(flavor = "current_thread")]
async fn a_trial_notices_what_a_check_of_the_text_does_not() {
    if !own_namespace() {
        return;
    }
    for rule in ["masquerade", "redirect", "socket transparent 1 accept"] {
        let rule = format!("add rule inet trial rules counter {rule}\n");
        let outcome = Nft.check(&format!("{TRIAL}{rule}")).await;
        assert!(is_refused(&outcome), "{rule}: {outcome:?}");
    }
    // Nobody is asked for an address, so a rule means the same on every node.
    let rule = "add rule inet trial rules counter ip saddr www.example.com drop\n";
    let began = std::time::Instant::now();
    assert!(is_refused(&Nft.check(&format!("{TRIAL}{rule}")).await));
    assert!(began.elapsed() < std::time::Duration::from_secs(3), "{:?}", began.elapsed());
}

/// Moves this thread into a network namespace of its own.
///
/// `false` where that is not permitted and the environment says that this is known.
#[expect(unsafe_code, reason = "the standard library knows no namespaces")]
fn own_namespace() -> bool {
    if std::env::var_os("PVC_TEST_NO_SERVICES").is_some() {
        return false;
    }
    // SAFETY: a call with a plain number that affects this thread's view of the network only.
    let moved = unsafe { libc::unshare(libc::CLONE_NEWNET) };
    assert_eq!(moved, 0, "a network namespace needs root; PVC_TEST_NO_SERVICES=1 leaves this out");
    true
}
