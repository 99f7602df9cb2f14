//! A guest small enough to be written down: one boot sector.
//!
//! It writes to half a MiB of memory about 18 times a second, so that there is something to
//! migrate, and powers off when the power button is pressed. In between it halts.

/// A disk with the guest in its boot sector.
pub(crate) fn disk() -> Vec<u8> {
    let mut image = vec![0; 1 << 20];
    image[..CODE.len()].copy_from_slice(&CODE);
    image[510..512].copy_from_slice(&[0x55, 0xAA]);
    image
}

/// 16-bit code, loaded at 0x7C00. The addresses are those at which the BIOS puts the power
/// management of QEMU's `pc` machine.
#[rustfmt::skip]
const CODE: [u8; 53] = [
    0x31, 0xC0,             // xor ax, ax
    0x8E, 0xD0,             // mov ss, ax
    0xBC, 0x00, 0x7C,       // mov sp, 0x7C00
    0xBA, 0x02, 0x06,       // mov dx, 0x602       enable the event ...
    0xB8, 0x00, 0x01,       // mov ax, 0x100       ... of the power button
    0xEF,                   // out dx, ax
    0xFB,                   // sti
    // round:
    0xBA, 0x00, 0x06,       // mov dx, 0x600       has it been pressed?
    0xED,                   // in ax, dx
    0xF6, 0xC4, 0x01,       // test ah, 1
    0x74, 0x07,             // jz dirty
    0xBA, 0x04, 0x06,       // mov dx, 0x604       go to sleep state 5
    0xB8, 0x00, 0x20,       // mov ax, 0x2000
    0xEF,                   // out dx, ax
    // dirty:
    0xBB, 0x00, 0x10,       // mov bx, 0x1000
    // page:
    0x8E, 0xDB,             // mov ds, bx
    0xFE, 0x06, 0x00, 0x00, // inc byte [0]
    0x81, 0xC3, 0x00, 0x01, // add bx, 0x100       one page on
    0x81, 0xFB, 0x00, 0x90, // cmp bx, 0x9000
    0x72, 0xF0,             // jb page
    0xF4,                   // hlt                 until the timer's next tick
    0xEB, 0xDA,             // jmp round
];
