//! The calls of libvirt's C library that its Rust binding lacks or gets wrong: events, figures
//! of all VMs at once (the binding leaks them), jobs. The only unsafe code of this crate.
#![expect(unsafe_code, reason = "calls into a C library; each says why it is sound")]

use std::collections::HashMap;
use std::ffi::{CStr, c_char, c_int, c_uint, c_void};
use std::ptr;

use tokio::sync::watch;
use virt::connect::Connect;
use virt::domain::Domain;
use virt::error::Error;
use virt_sys as sys;

/// A value of libvirt's typed parameters. All that is read of them are counts and texts.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    /// A whole number; libvirt's own four kinds of them fit.
    Number(i128),
    /// A name or path.
    Text(String),
}

/// Typed parameters by name.
pub(super) type Values = HashMap<String, Value>;

/// The parameters of one VM.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) uuid: String,
    pub(super) name: String,
    pub(super) values: Values,
}

/// Registers libvirt's own event loop; to be called once, before any connection is opened.
pub(super) fn register_event_loop() -> Result<(), Error> {
    // SAFETY: no arguments; the caller sees to the order.
    checked(unsafe { sys::virEventRegisterDefaultImpl() })
}

/// Waits for the next events and handles them.
pub(super) fn run_event_loop_once() -> Result<(), Error> {
    // SAFETY: no arguments; the loop was registered.
    checked(unsafe { sys::virEventRunDefaultImpl() })
}

/// What callbacks of a connection are given: who is told that something happened.
///
/// It lives as long as the process, for libvirt may call back from its own thread at any
/// moment, even while a connection is being closed.
pub(super) type Told = &'static watch::Sender<u64>;

fn opaque(told: Told) -> *mut c_void {
    ptr::from_ref(told).cast_mut().cast()
}

/// Tells who listens. Called by libvirt's event loop.
///
/// # Safety
/// `opaque` comes from [`opaque()`].
unsafe fn tell(opaque: *mut c_void) {
    // SAFETY: it was made of a reference that lives for ever.
    let told = unsafe { &*opaque.cast::<watch::Sender<u64>>() };
    told.send_modify(|count| *count = count.wrapping_add(1));
}

unsafe extern "C" fn lifecycle(
    _: sys::virConnectPtr,
    _: sys::virDomainPtr,
    _event: c_int,
    _detail: c_int,
    opaque: *mut c_void,
) -> c_int {
    // SAFETY: registered together with what `opaque` made.
    unsafe { tell(opaque) };
    0
}

unsafe extern "C" fn closed(_: sys::virConnectPtr, _reason: c_int, opaque: *mut c_void) {
    // SAFETY: registered together with what `opaque` made.
    unsafe { tell(opaque) };
}

/// Tells of everything that happens to a VM; returns the number to deregister it by.
pub(super) fn watch_lifecycle(connect: &Connect, told: Told) -> Result<c_int, Error> {
    type Lifecycle = unsafe extern "C" fn(
        sys::virConnectPtr,
        sys::virDomainPtr,
        c_int,
        c_int,
        *mut c_void,
    ) -> c_int;
    type Generic = unsafe extern "C" fn(sys::virConnectPtr, sys::virDomainPtr, *mut c_void);
    // SAFETY: libvirt calls what is registered for this event by its own signature, not by the
    // generic one it is passed under.
    let callback = unsafe { std::mem::transmute::<Lifecycle, Generic>(lifecycle) };
    let event = sys::VIR_DOMAIN_EVENT_ID_LIFECYCLE.cast_signed();
    // SAFETY: the connection is open; no VM means all; nothing needs to be freed.
    let id = unsafe {
        sys::virConnectDomainEventRegisterAny(
            connect.as_ptr(),
            ptr::null_mut(),
            event,
            Some(callback),
            opaque(told),
            None,
        )
    };
    checked(id).map(|()| id)
}

/// Ends what [`watch_lifecycle`] began; needed before closing, for it holds the connection.
pub(super) fn forget_lifecycle(connect: &Connect, id: c_int) -> Result<(), Error> {
    // SAFETY: the connection is open, if perhaps broken.
    checked(unsafe { sys::virConnectDomainEventDeregisterAny(connect.as_ptr(), id) })
}

/// Tells when the connection breaks.
pub(super) fn watch_close(connect: &Connect, told: Told) -> Result<(), Error> {
    // SAFETY: the connection is open; nothing needs to be freed.
    checked(unsafe {
        sys::virConnectRegisterCloseCallback(connect.as_ptr(), Some(closed), opaque(told), None)
    })
}

/// Ends what [`watch_close`] began.
pub(super) fn forget_close(connect: &Connect) -> Result<(), Error> {
    // SAFETY: the connection is open, if perhaps broken.
    checked(unsafe { sys::virConnectUnregisterCloseCallback(connect.as_ptr(), Some(closed)) })
}

/// The figures of many VMs in one call.
pub(super) fn records(
    connect: &Connect,
    groups: c_uint,
    flags: c_uint,
) -> Result<Vec<Record>, Error> {
    let mut list: *mut sys::virDomainStatsRecordPtr = ptr::null_mut();
    // SAFETY: the connection is open; libvirt stores a list that ends with a null pointer.
    let count =
        unsafe { sys::virConnectGetAllDomainStats(connect.as_ptr(), groups, &raw mut list, flags) };
    checked(count)?;
    let count = usize::try_from(count).unwrap_or(0);
    let records = (0..count)
        .map(|index| {
            // SAFETY: libvirt stored that many valid records, which live until freed below.
            unsafe {
                let record = &**list.add(index);
                Record {
                    uuid: uuid_of(record.dom),
                    name: text(sys::virDomainGetName(record.dom)),
                    values: values(record.params, record.nparams),
                }
            }
        })
        .collect();
    // SAFETY: the list is libvirt's, and nothing refers to it any more.
    unsafe { sys::virDomainStatsRecordListFree(list) };
    Ok(records)
}

/// # Safety
/// `domain` is valid.
unsafe fn uuid_of(domain: sys::virDomainPtr) -> String {
    // A UUID's text and its terminating zero.
    let mut buffer: [c_char; 37] = [0; 37];
    // SAFETY: the buffer is as long as libvirt demands (VIR_UUID_STRING_BUFLEN).
    unsafe {
        match sys::virDomainGetUUIDString(domain, buffer.as_mut_ptr()) {
            0 => text(buffer.as_ptr()),
            _ => String::new(),
        }
    }
}

/// The job under way for a VM: its type and its figures.
pub(super) fn job(domain: &Domain) -> Result<(c_int, Values), Error> {
    let (mut kind, mut count) = (0, 0);
    let mut params: sys::virTypedParameterPtr = ptr::null_mut();
    // SAFETY: the handle is valid; libvirt stores an array of `count` parameters.
    checked(unsafe {
        sys::virDomainGetJobStats(
            domain.as_ptr(),
            &raw mut kind,
            &raw mut params,
            &raw mut count,
            0,
        )
    })?;
    // SAFETY: the array is libvirt's; its values are copied before it is freed.
    let values = unsafe {
        let values = values(params, count);
        sys::virTypedParamsFree(params, count);
        values
    };
    Ok((kind, values))
}

/// Gives up the job under way for a VM.
pub(super) fn abort_job(domain: &Domain) -> Result<(), Error> {
    // SAFETY: the handle is valid.
    checked(unsafe { sys::virDomainAbortJob(domain.as_ptr()) })
}

/// # Safety
/// `params` points to `count` parameters.
unsafe fn values(params: sys::virTypedParameterPtr, count: c_int) -> Values {
    let count = usize::try_from(count).unwrap_or(0);
    let mut values = Values::with_capacity(count);
    for index in 0..count {
        // SAFETY: by the contract; the type says which member of the union is set.
        let (name, value) = unsafe {
            let param = &*params.add(index);
            let value = match param.type_.cast_unsigned() {
                sys::VIR_TYPED_PARAM_INT => Value::Number(param.value.i.into()),
                sys::VIR_TYPED_PARAM_UINT => Value::Number(param.value.ui.into()),
                sys::VIR_TYPED_PARAM_LLONG => Value::Number(param.value.l.into()),
                sys::VIR_TYPED_PARAM_ULLONG => Value::Number(param.value.ul.into()),
                sys::VIR_TYPED_PARAM_BOOLEAN => Value::Number(param.value.b.into()),
                sys::VIR_TYPED_PARAM_STRING => Value::Text(text(param.value.s)),
                // Fractions, and kinds yet to be invented: nothing here reads any.
                _ => continue,
            };
            (text(param.field.as_ptr()), value)
        };
        values.insert(name, value);
    }
    values
}

/// # Safety
/// `text` is null or ends with a zero.
unsafe fn text(text: *const c_char) -> String {
    if text.is_null() {
        return String::new();
    }
    // SAFETY: by the contract.
    unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned()
}

/// libvirt says -1 when it failed, and keeps the reason for this thread.
fn checked(result: c_int) -> Result<(), Error> {
    if result < 0 { Err(Error::last_error()) } else { Ok(()) }
}
