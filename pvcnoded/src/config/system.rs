//! How long is waited for what, what is done about the dead, and how Ceph is reached.

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use pvc_ceph::Layout;
use pvc_common::id::NodeName;
use pvc_common::secret::Secret;
use pvc_runtime::config::{Kind, NAME, PATH, Section, TEXT, WHOLE};

use super::kinds::SECONDS;
use super::network::Subnets;

/// How long is waited for what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Intervals {
    /// Time between two keepalives.
    pub keepalive: Duration,
    /// After how many missed keepalives a node is taken for dead; `None`: never.
    pub fence: Option<NonZeroU32>,
    /// After how many missed keepalives a node resets itself; `None`: never.
    pub suicide: Option<NonZeroU32>,
    /// How long a VM may take to shut down before it is cut off.
    pub vm_shutdown: Duration,
}

/// What happens to a dead node's VMs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AfterFence {
    /// They are started elsewhere.
    Migrate,
    /// Nothing.
    Nothing,
}

/// This node's own BMC, by which the others may cut its power.
#[derive(Clone)]
pub struct Ipmi {
    /// Host name or address.
    pub host: String,
    /// Who logs in.
    pub user: String,
    /// With which password.
    pub password: Secret<String>,
}

/// What is done about a dead node.
#[derive(Clone)]
pub struct Fencing {
    /// Once its death is proved.
    pub successful: AfterFence,
    /// When its death cannot be proved.
    pub failed: AfterFence,
    /// This node's own BMC.
    pub ipmi: Ipmi,
}

/// How Ceph is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CephFiles {
    /// Its configuration file.
    pub config: PathBuf,
    /// The keyring of its administrator, if not the one that its configuration means.
    pub admin_keyring: Option<PathBuf>,
    /// How OSDs are put on disks.
    pub osd_layout: Layout,
}

const LAYOUT: Kind<Layout> = Kind {
    expected: "lvm or raw",
    parse: |text| match text {
        "lvm" => Some(Layout::Lvm),
        "raw" => Some(Layout::Raw),
        _ => None,
    },
};

const AFTER_FENCE: Kind<AfterFence> = Kind {
    expected: "migrate or None",
    parse: |text| match text {
        "migrate" => Some(AfterFence::Migrate),
        "" | "None" | "none" => Some(AfterFence::Nothing),
        _ => None,
    },
};

/// An interval section as it is written: either of the two places it may stand in.
#[derive(Clone, Copy, Default)]
struct Written {
    keepalive: Option<Duration>,
    fence: Option<u32>,
    suicide: Option<u32>,
    vm_shutdown: Option<Duration>,
}

impl Written {
    /// Reads a section, given what the other one says, with which it must not disagree.
    fn read(section: &Section<'_>, other: Self) -> Self {
        let written = Self {
            keepalive: section.optional("keepalive_interval", SECONDS),
            fence: section.optional("fence_intervals", WHOLE),
            suicide: section.optional("suicide_intervals", WHOLE),
            vm_shutdown: section.optional("vm_shutdown_timeout", SECONDS),
        };
        agree(section, "keepalive_interval", written.keepalive, other.keepalive);
        agree(section, "fence_intervals", written.fence, other.fence);
        agree(section, "suicide_intervals", written.suicide, other.suicide);
        agree(section, "vm_shutdown_timeout", written.vm_shutdown, other.vm_shutdown);
        written
    }
}

fn agree<T: PartialEq>(
    section: &Section<'_>,
    key: &'static str,
    here: Option<T>,
    there: Option<T>,
) {
    if here.is_some() && there.is_some() && here != there {
        section.refuse(key, "the same value as in pvc.system.intervals, or only one of the two");
    }
}

/// Reads `system.intervals` and `system.fencing`, which may hold the intervals instead.
pub(super) fn read_fencing(
    system: &Section<'_>,
    node: Option<&NodeName>,
) -> Option<(Intervals, FencingDraft)> {
    let own = system
        .optional_section("intervals", |section| Some(Written::read(section, Written::default())))
        .unwrap_or_default();
    let mut nested = Written::default();
    let fencing = system.section("fencing", |fencing| {
        let written =
            fencing.optional_section("intervals", |section| Some(Written::read(section, own)));
        nested = written.unwrap_or_default();
        let suicide = own.suicide.or(nested.suicide).unwrap_or(0);
        FencingDraft::read(fencing, suicide, node)
    });
    let intervals = Intervals {
        keepalive: own.keepalive.or(nested.keepalive).unwrap_or(Duration::from_secs(5)),
        fence: NonZeroU32::new(own.fence.or(nested.fence).unwrap_or(6)),
        suicide: NonZeroU32::new(own.suicide.or(nested.suicide).unwrap_or(0)),
        vm_shutdown: own.vm_shutdown.or(nested.vm_shutdown).unwrap_or(Duration::from_secs(180)),
    };
    Some((intervals, fencing?))
}

/// [`Fencing`] before the BMC's default name is known.
pub(super) struct FencingDraft {
    successful: AfterFence,
    failed: AfterFence,
    host: Option<String>,
    user: String,
    password: Secret<String>,
}

impl FencingDraft {
    fn read(fencing: &Section<'_>, suicide: u32, node: Option<&NodeName>) -> Option<Self> {
        let actions = fencing.optional_section("actions", |actions| {
            let successful = actions.or("successful_fence", AFTER_FENCE, AfterFence::Migrate);
            let failed = actions.or("failed_fence", AFTER_FENCE, AfterFence::Nothing);
            // Otherwise VMs may be started a second time while nothing ends the first.
            if failed == AfterFence::Migrate && suicide == 0 {
                let expected = "None, unless suicide_intervals is set: \
                                without proof of death VMs would run twice";
                actions.refuse("failed_fence", expected);
            }
            Some((successful, failed))
        });
        let (successful, failed) = actions.unwrap_or((AfterFence::Migrate, AfterFence::Nothing));
        let ipmi = fencing.section("ipmi", |ipmi| {
            let host = ipmi.optional("host", NAME);
            let user = ipmi.required("user", TEXT);
            let password = ipmi.secret("pass");
            Some((host, user?, password?))
        });
        let (host, user, password) = ipmi?;
        node?;
        Some(Self { successful, failed, host, user, password })
    }

    /// Names the BMC by custom (`<node>-lom.<domain>`) where the file does not name it.
    pub(super) fn with_default_host(self, node: &NodeName, subnets: Option<&Subnets>) -> Fencing {
        let custom = || match subnets.and_then(Subnets::upstream_domain) {
            Some(domain) => format!("{node}-lom.{domain}"),
            None => format!("{node}-lom"),
        };
        Fencing {
            successful: self.successful,
            failed: self.failed,
            ipmi: Ipmi {
                host: self.host.unwrap_or_else(custom),
                user: self.user,
                password: self.password,
            },
        }
    }
}

impl CephFiles {
    pub(super) fn read(storage: &Section<'_>) -> Option<Self> {
        let default = Self::default();
        Some(Self {
            config: storage.or("ceph_config_file", PATH, default.config),
            admin_keyring: storage.optional("ceph_admin_keyring", PATH),
            osd_layout: storage.or("osd_layout", LAYOUT, default.osd_layout),
        })
    }
}

impl Default for CephFiles {
    fn default() -> Self {
        Self { config: "/etc/ceph/ceph.conf".into(), admin_keyring: None, osd_layout: Layout::Lvm }
    }
}
