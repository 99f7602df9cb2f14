//! Cards by way of `/sys` and the programs `ip` and `modprobe`.

mod info;

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use pvc_command::Command;
use pvc_common::id::{MacAddress, PciAddress, SriovName};
use pvc_common::observed::{Card, CardFunction, FunctionDevice, SriovTable, VfSetting};
use pvc_common::state::Word;
use tokio::sync::Mutex;
use tokio::time::timeout;

use crate::{Sriov, SriovError};

/// A question or a small change is answered from the driver's memory, or by its firmware.
const PROGRAM_LIMIT: Duration = Duration::from_secs(10);
/// What a card shows is in memory: only a driver that hangs, or is about to divide it, takes longer.
const LOOK_LIMIT: Duration = Duration::from_secs(10);
/// Some drivers take a tenth of a second for each function that they make.
const DIVIDE_LIMIT: Duration = Duration::from_secs(25);
/// That a device is switched on, among its flags.
const IFF_UP: u32 = 1;

/// The cards of this machine.
#[derive(Clone, Debug)]
pub struct SysfsSriov {
    sys: PathBuf,
    ip: String,
    modprobe: String,
    /// Held by the thread that divides a card, however long the kernel keeps it.
    dividing: Arc<Mutex<()>>,
    /// The cards that a thread is looking at, however long the kernel keeps it: one for each.
    looking: Arc<std::sync::Mutex<BTreeSet<SriovName>>>,
}

impl Default for SysfsSriov {
    fn default() -> Self {
        Self {
            sys: "/sys".into(),
            ip: "ip".to_owned(),
            modprobe: "modprobe".to_owned(),
            dividing: Arc::default(),
            looking: Arc::default(),
        }
    }
}

impl SysfsSriov {
    /// The cards below another directory than `/sys`, for trying it out.
    #[must_use]
    pub fn below(mut self, sys: impl Into<PathBuf>) -> Self {
        self.sys = sys.into();
        self
    }

    /// Takes the programs from a directory rather than from `PATH`.
    #[must_use]
    pub fn programs_in(mut self, directory: &str) -> Self {
        self.ip = format!("{directory}/ip");
        self.modprobe = format!("{directory}/modprobe");
        self
    }

    fn device(&self, name: &str) -> PathBuf {
        self.sys.join("class/net").join(name)
    }

    fn unsafe_interrupts(&self) -> PathBuf {
        self.sys.join("module/vfio_iommu_type1/parameters/allow_unsafe_interrupts")
    }

    async fn ip(&self, args: &[&str]) -> Result<String, SriovError> {
        let output = Command::new(&self.ip, PROGRAM_LIMIT).args(args).run().await?;
        Ok(output.stdout)
    }

    async fn card(&self, name: &SriovName) -> Result<Option<Card>, SriovError> {
        let Some(mut card) = self.look(name).await? else { return Ok(None) };
        if card.functions.is_empty() {
            return Ok(Some(card));
        }
        let told = self.ip(&["-json", "-details", "link", "show", "dev", name.as_str()]).await?;
        let mut told = info::parse(&told)
            .map_err(|why| SriovError::Unreadable { device: name.clone(), why })?;
        for (number, function) in &mut card.functions {
            (function.mac, function.settings) = told.remove(number).unwrap_or_default();
        }
        Ok(Some(card))
    }

    /// Looks at a card by a thread of its own: a driver that hangs keeps that, but not its caller, nor
    /// another one at the next look.
    async fn look(&self, name: &SriovName) -> Result<Option<Card>, SriovError> {
        let file = self.device(name.as_str()).display().to_string();
        let late = || SriovError::TooLate { file, waited: LOOK_LIMIT };
        let Some(turn) = Turn::take(&self.looking, name) else { return Err(late()) };
        let (this, name) = (self.clone(), name.clone());
        let work = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            this.shown(&name)
        });
        match timeout(LOOK_LIMIT, work).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) | Err(_) => Err(late()),
        }
    }

    /// A card as `/sys` shows it.
    fn shown(&self, name: &SriovName) -> Result<Option<Card>, SriovError> {
        let device = self.device(name.as_str());
        let Some(mtu) = number(&device.join("mtu"))? else { return Ok(None) };
        let mut card = Card {
            up: flags(&device)? & IFF_UP != 0,
            mtu,
            capacity: number(&device.join("device/sriov_totalvfs"))?,
            functions: BTreeMap::new(),
        };
        if card.capacity.is_none() {
            return Ok(Some(card));
        }
        for number in 0..number(&device.join("device/sriov_numvfs"))?.unwrap_or(0) {
            let link = device.join(format!("device/virtfn{number}"));
            let (pci, device) = (place(&link)?, self.function_device(&link)?);
            card.functions.insert(number, CardFunction { pci, device, ..CardFunction::default() });
        }
        Ok(Some(card))
    }

    /// The network device of a function, unless a VM has the hardware.
    fn function_device(&self, function: &Path) -> Result<Option<FunctionDevice>, SriovError> {
        let net = function.join("net");
        let mut entries = match std::fs::read_dir(&net) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(file(&net, "read", source)),
        };
        let Some(entry) = entries.next() else { return Ok(None) };
        let entry = entry.map_err(|source| file(&net, "read", source))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let device = self.device(&name);
        // It may have gone to a VM since the directory was read.
        let Some(mtu) = number(&device.join("mtu"))? else { return Ok(None) };
        Ok(Some(FunctionDevice {
            up: flags(&device)? & IFF_UP != 0,
            mtu,
            mac: text(&device.join("address"))?.and_then(|text| text.parse().ok()).filter(given),
            name,
        }))
    }
}

/// The right to look at a card, which one thread has at a time.
struct Turn {
    looking: Arc<std::sync::Mutex<BTreeSet<SriovName>>>,
    name: SriovName,
}

impl Turn {
    fn take(
        looking: &Arc<std::sync::Mutex<BTreeSet<SriovName>>>,
        name: &SriovName,
    ) -> Option<Self> {
        let is_free = looking.lock().unwrap_or_else(PoisonError::into_inner).insert(name.clone());
        is_free.then(|| Self { looking: Arc::clone(looking), name: name.clone() })
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.looking.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.name);
    }
}

/// An address that somebody gave: a card shows noughts for a function that has none.
fn given(mac: &MacAddress) -> bool {
    mac.to_string() != "00:00:00:00:00:00"
}

/// Where a function is on the PCI bus: the name of what its link leads to.
fn place(link: &Path) -> Result<Option<PciAddress>, SriovError> {
    match std::fs::read_link(link) {
        Ok(target) => {
            let name = target.file_name().map(|name| name.to_string_lossy().into_owned());
            Ok(name.and_then(|name| name.parse().ok()))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(file(link, "read", source)),
    }
}

/// An error with its causes, on one line.
fn chain(error: &SriovError) -> String {
    let causes = std::iter::successors(error.source(), |error| (*error).source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

fn file(path: &Path, verb: &'static str, source: io::Error) -> SriovError {
    SriovError::File { file: path.display().to_string(), verb, source }
}

/// What a file of the kernel says; `None` if there is no such file.
fn text(path: &Path) -> Result<Option<String>, SriovError> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text.trim().to_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(file(path, "read", source)),
    }
}

fn parsed(path: &Path, parse: impl FnOnce(&str) -> Option<u32>) -> Result<Option<u32>, SriovError> {
    let Some(text) = text(path)? else { return Ok(None) };
    let bad = || file(path, "read", io::Error::new(io::ErrorKind::InvalidData, "no number"));
    parse(&text).map(Some).ok_or_else(bad)
}

fn number(path: &Path) -> Result<Option<u32>, SriovError> {
    parsed(path, |text| text.parse().ok())
}

fn flags(device: &Path) -> Result<u32, SriovError> {
    let hex = |text: &str| u32::from_str_radix(text.trim_start_matches("0x"), 16).ok();
    Ok(parsed(&device.join("flags"), hex)?.unwrap_or(0))
}

/// Tells the kernel something by a file that it has.
fn write(path: &Path, text: &str) -> Result<(), SriovError> {
    let opened = OpenOptions::new().write(true).truncate(true).open(path);
    let written = opened.and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|source| file(path, "written", source))
}

/// Takes all functions away, and makes as many as are wanted: the kernel does not add to them.
fn divide(count: &Path, into: u32) -> Result<(), SriovError> {
    let write = |number: u32| write(count, &number.to_string());
    let present = number(count)?.unwrap_or(0);
    if present == into {
        return Ok(());
    }
    if present > 0 {
        write(0)?;
    }
    if into > 0 { write(into) } else { Ok(()) }
}

impl Sriov for SysfsSriov {
    async fn observe(&self, devices: &[SriovName]) -> Result<SriovTable, SriovError> {
        let allowed = text(&self.unsafe_interrupts())?;
        let hands_through = allowed.as_deref() == Some("Y");
        let mut table = SriovTable { hands_through, ..SriovTable::default() };
        for name in devices {
            match self.card(name).await {
                Ok(Some(card)) => drop(table.cards.insert(name.clone(), card)),
                Ok(None) => {}
                Err(error) => drop(table.unseen.insert(name.clone(), chain(&error))),
            }
        }
        Ok(table)
    }

    async fn allow_handing_through(&self) -> Result<(), SriovError> {
        let args = ["vfio_iommu_type1", "allow_unsafe_interrupts=1"];
        Command::new(&self.modprobe, PROGRAM_LIMIT).args(args).run().await?;
        // A module that was loaded before has not read that.
        let path = self.unsafe_interrupts();
        if text(&path)?.as_deref() == Some("Y") {
            return Ok(());
        }
        write(&path, "Y")
    }

    async fn divide(&self, device: &SriovName, into: u32) -> Result<(), SriovError> {
        let count = self.device(device.as_str()).join("device/sriov_numvfs");
        let name = count.display().to_string();
        let late = || SriovError::TooLate { file: name, waited: DIVIDE_LIMIT };
        // A driver that hangs keeps one thread, and the lock, but not its caller.
        let Ok(turn) = Arc::clone(&self.dividing).try_lock_owned() else { return Err(late()) };
        let work = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            divide(&count, into)
        });
        match timeout(DIVIDE_LIMIT, work).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) | Err(_) => Err(late()),
        }
    }

    async fn set_mtu(&self, device: &str, mtu: u32) -> Result<(), SriovError> {
        let mtu = mtu.to_string();
        self.ip(&["link", "set", "dev", device, "mtu", &mtu]).await.map(drop)
    }

    async fn switch_on(&self, device: &str) -> Result<(), SriovError> {
        self.ip(&["link", "set", "dev", device, "up"]).await.map(drop)
    }

    async fn set(
        &self,
        card: &SriovName,
        number: u32,
        setting: VfSetting,
    ) -> Result<(), SriovError> {
        let number = number.to_string();
        let mut args = vec!["link", "set", "dev", card.as_str(), "vf", &number];
        let words = words(setting);
        args.extend(words.iter().map(String::as_str));
        self.ip(&args).await.map(drop)
    }
}

/// A setting in the words of `ip link set dev CARD vf NUMBER`.
fn words(setting: VfSetting) -> Vec<String> {
    let switch = |name: &str, on: bool| vec![name.to_owned(), on_off(on)];
    match setting {
        VfSetting::Vlan { id, qos } => {
            vec!["vlan".to_owned(), id.to_string(), "qos".to_owned(), qos.to_string()]
        }
        VfSetting::Rate { min, max } => vec![
            "max_tx_rate".to_owned(),
            max.to_string(),
            "min_tx_rate".to_owned(),
            min.to_string(),
        ],
        VfSetting::SpoofCheck(on) => switch("spoofchk", on),
        VfSetting::LinkState(state) => vec!["state".to_owned(), state.text().to_owned()],
        VfSetting::Trust(on) => switch("trust", on),
        VfSetting::QueryRss(on) => switch("query_rss", on),
    }
}

fn on_off(on: bool) -> String {
    if on { "on" } else { "off" }.to_owned()
}
