# The guest `store`: a boot sector that writes to the disk it booted from, about every 100 ms, one
# sector after the other from the 2048th, the line
#
#     25123456-9f3c 0000002a
#
# of its boot and a counter, as the guest `writer` tells it. Once the disk has acknowledged a line, it
# appends it to a record on the second serial port. So the disk holds what the record tells, and at
# most one line more of each boot. A boot goes on at the first sector that nobody has written to. A
# write that fails is tried again for ever. It powers off when the power button is pressed.

        .set    SERIAL, 0x2f8
        .set    PAUSE, 2                # ticks of the firmware
        .set    BUFFER, 0x8000
        .set    LINE, 23                # bytes
        .set    READ, 0x42              # functions of interrupt 0x13
        .set    WRITE, 0x43

        .code16
        .globl  _start
_start:
        ljmp    $0, $begin
begin:
        xorw    %ax, %ax
        movw    %ax, %ds
        movw    %ax, %es
        movw    %ax, %ss
        movw    $_start, %sp
        sti
        cld
        movb    %dl, drive
        movw    $PM_ENABLE, %dx
        movw    $POWER_BUTTON, %ax
        outw    %ax, %dx

        rdtsc
        movw    %ax, ticks
        call    settle
        movw    $registers, %si
        movw    $moment + 3, %di
1:      lodsb
        call    clock
        movb    %al, (%di)
        decw    %di
        cmpw    $moment, %di
        jae     1b

        movb    $'\n', %al
        call    put
        jmp     2f
1:      incl    sector
2:      movb    $READ, %ah
        call    disk
        jc      2b
        cmpb    $0, BUFFER
        jne     1b
        # That sector was empty, and so is the rest of the buffer from now on.

line:
        movw    $BUFFER, %di
        movl    moment, %ebx
        movw    $8, %cx
        call    hex
        movb    $'-', %al
        stosb
        movl    ticks - 2, %ebx
        movw    $4, %cx
        call    hex
        movb    $' ', %al
        stosb
        movl    count, %ebx
        movw    $8, %cx
        call    hex
        movb    $'\n', %al
        stosb
1:      movb    $WRITE, %ah
        call    disk
        jnc     2f
        call    pause
        jmp     1b
2:      incl    sector
        incl    count
        movw    $BUFFER, %si
        movw    $LINE, %cx
1:      lodsb
        call    put
        loop    1b
        call    pause
        jmp     line

pause:
        movw    $PAUSE, %cx
        jmp     rest

# Reads or writes a sector, as %ah says; the carry flag tells that it failed.
disk:
        movb    $0, %al
        movw    $1, packet + 2          # a failure leaves 0 there
        movb    drive, %dl
        movw    $packet, %si
        int     $0x13
        ret

# Puts the %cx highest hexadecimal digits of %ebx to %di.
hex:
        roll    $4, %ebx
        movb    %bl, %al
        andb    $15, %al
        addb    $'0', %al
        cmpb    $'9', %al
        jbe     1f
        addb    $('a' - '9' - 1), %al
1:      stosb
        loop    hex
        ret

registers:
        .byte   7, 4, 2, 0              # day of the month, hour, minute, second
drive:  .byte   0
        .balign 4
packet: .byte   16, 0
        .word   1, BUFFER, 0
sector: .long   2048, 0
count:  .long   0
moment: .long   0
        .word   0
ticks:  .word   0

