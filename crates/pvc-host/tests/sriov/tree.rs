//! A machine's `/sys`, and programs that stand in for the system's.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;

use pvc_host::real::SysfsSriov;

/// A card as the kernel shows it.
pub(crate) struct Model {
    /// Its network device.
    device: &'static str,
    /// Where it is, below its bridge.
    place: &'static str,
    /// Where its functions are, by number.
    functions: fn(u32) -> String,
    capacity: u32,
    mtu: u32,
    /// What `ip` says of it.
    told: &'static str,
}

/// An Intel X710 with i40e.
pub(crate) const X710: Model = Model {
    device: "ens1f0",
    place: "0000:3b:00.0",
    functions: |number| format!("0000:3b:{:02x}.{}", 2 + number / 8, number % 8),
    capacity: 64,
    mtu: 9000,
    told: include_str!("x710.json"),
};

/// The second port of a Mellanox ConnectX-5 with mlx5.
pub(crate) const CONNECTX5: Model = Model {
    device: "ens3f1np1",
    place: "0000:af:00.1",
    functions: |number| format!("0000:af:00.{}", 5 + number),
    capacity: 8,
    mtu: 1500,
    told: include_str!("connectx5.json"),
};

/// What `ip` and `modprobe` do: they write down how they were called, and read out what is there.
const STAND_IN: &str = r#"#!/bin/sh
here=$(dirname "$0")
echo "$(basename "$0") $*" >> "$here/words"
if [ -e "$here/refusal" ]; then cat "$here/refusal" >&2; exit 2; fi
for device; do :; done
case "$*" in *show*) cat "$here/told-$device" ;; esac
"#;

pub(crate) struct Machine {
    root: tempfile::TempDir,
}

impl Machine {
    pub(crate) fn new() -> Self {
        let machine = Self { root: tempfile::tempdir().unwrap() };
        fs::create_dir_all(machine.path("sys/class/net")).unwrap();
        fs::create_dir_all(machine.path("bin")).unwrap();
        for program in ["ip", "modprobe"] {
            let path = machine.path(&format!("bin/{program}"));
            fs::write(&path, STAND_IN).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        machine
    }

    fn path(&self, below: &str) -> PathBuf {
        self.root.path().join(below)
    }

    pub(crate) fn sriov(&self) -> SysfsSriov {
        let programs = self.path("bin").display().to_string();
        SysfsSriov::default().below(self.path("sys")).programs_in(&programs)
    }

    /// Has a read of a card block until what is returned is called.
    pub(crate) fn hang(&self, model: &Model) -> impl FnOnce() + use<> {
        let path = self.path(&format!("{}/net/{}/mtu", Self::pci(model.place), model.device));
        fs::remove_file(&path).unwrap();
        assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
        let aside = path.with_extension("aside");
        move || {
            fs::rename(&path, &aside).unwrap();
            fs::write(&path, "9000\n").unwrap();
            fs::write(&aside, "9000\n").unwrap();
        }
    }

    fn pci(place: &str) -> String {
        format!("sys/devices/pci0000:3a/0000:3a:00.0/{place}")
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, format!("{text}\n")).unwrap();
    }

    /// A network device of the PCI device at `place`, linked as the kernel does.
    fn net(&self, place: &str, device: &str, flags: &str, mtu: u32, mac: &str) {
        let net = format!("{}/net/{device}", Self::pci(place));
        self.write(&format!("{net}/flags"), flags);
        self.write(&format!("{net}/mtu"), &mtu.to_string());
        self.write(&format!("{net}/address"), mac);
        symlink(format!("../../../{place}"), self.path(&format!("{net}/device"))).unwrap();
        let target = format!("../../devices/pci0000:3a/0000:3a:00.0/{place}/net/{device}");
        symlink(target, self.path(&format!("sys/class/net/{device}"))).unwrap();
    }

    pub(crate) fn plug_in(&self, model: &Model, functions: u32) {
        let pci = Self::pci(model.place);
        self.write(&format!("{pci}/sriov_totalvfs"), &model.capacity.to_string());
        self.write(&format!("{pci}/sriov_numvfs"), &functions.to_string());
        self.net(model.place, model.device, "0x1003", model.mtu, "3c:fd:fe:9e:7a:c0");
        self.write(&format!("bin/told-{}", model.device), model.told.trim());
        for number in 0..functions {
            let place = (model.functions)(number);
            let (device, mac) =
                (format!("{}v{number}", model.device), format!("9e:12:00:00:00:{number:02x}"));
            self.net(&place, &device, "0x1002", 1500, &mac);
            let link = self.path(&format!("{pci}/virtfn{number}"));
            symlink(format!("../{place}"), link).unwrap();
        }
    }

    /// What is left of a function's device when vfio has it: nothing.
    pub(crate) fn hand_through(&self, model: &Model, number: u32) {
        fs::remove_file(self.path(&format!("sys/class/net/{}v{number}", model.device))).unwrap();
        let net = format!("{}/net", Self::pci(&(model.functions)(number)));
        fs::remove_dir_all(self.path(&net)).unwrap();
    }

    /// A kernel that was built without.
    pub(crate) fn forget_sriov(&self, model: &Model) {
        let pci = Self::pci(model.place);
        fs::remove_file(self.path(&format!("{pci}/sriov_totalvfs"))).unwrap();
        fs::remove_file(self.path(&format!("{pci}/sriov_numvfs"))).unwrap();
    }

    pub(crate) fn load_vfio(&self, allowed: &str) {
        let path = "sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts";
        self.write(path, allowed);
    }

    pub(crate) fn count(&self, model: &Model) -> String {
        let path = format!("{}/sriov_numvfs", Self::pci(model.place));
        fs::read_to_string(self.path(&path)).unwrap().trim().to_owned()
    }

    pub(crate) fn refuse(&self, words: &str) {
        fs::write(self.path("bin/refusal"), words).unwrap();
    }

    /// How a program was called last.
    pub(crate) fn last_words(&self) -> String {
        let words = fs::read_to_string(self.path("bin/words")).unwrap();
        words.lines().last().unwrap().to_owned()
    }
}
