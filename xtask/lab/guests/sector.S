# What the guests that fit into a boot sector share, and the sector's end. It follows their own part,
# which says which port is SERIAL. It knows QEMU's `pc` machine: power management at port 0x600,
# where its firmware puts it.

        .set    LINE_STATUS, 5          # register of SERIAL
        .set    HOLDING_EMPTY, 0x20
        .set    PM_EVENTS, 0x600
        .set    PM_ENABLE, 0x602
        .set    PM_CONTROL, 0x604
        .set    POWER_BUTTON, 0x100
        .set    SLEEP_OFF, 0x2000
        .set    BIOS_TICKS, 0x46c       # counts 18.2 a second

# Sleeps for %cx of the firmware's ticks, or powers off for good when the power button is pressed.
rest:
        movw    BIOS_TICKS, %di
1:      hlt
        movw    $PM_EVENTS, %dx
        inw     %dx, %ax
        testw   $POWER_BUTTON, %ax
        jnz     power_off
        movw    BIOS_TICKS, %ax
        subw    %di, %ax
        cmpw    %cx, %ax
        jb      1b
        ret

power_off:
        movw    $PM_CONTROL, %dx
        movw    $SLEEP_OFF, %ax
        outw    %ax, %dx
1:      hlt
        jmp     1b

# Waits until the clock may be read: never while it changes.
settle:
        movb    $0x0a, %al
        call    clock
        testb   $0x80, %al
        jnz     settle
        ret

# Prints the clock's register %al, which holds two decimal digits.
two_digits:
        call    clock
        movzbl  %al, %ebx
        shll    $24, %ebx
        movw    $2, %cx
# Prints the %cx highest hexadecimal digits of %ebx.
digits:
        roll    $4, %ebx
        movb    %bl, %al
        andb    $15, %al
        addb    $'0', %al
        cmpb    $'9', %al
        jbe     1f
        addb    $('a' - '9' - 1), %al
1:      call    put
        loop    digits
        ret

# Reads the clock's register %al into %al.
clock:
        outb    %al, $0x70
        inb     $0x71, %al
        ret

# Prints the character %al.
put:
        movb    %al, %ah
        movw    $(SERIAL + LINE_STATUS), %dx
1:      inb     %dx, %al
        testb   $HOLDING_EMPTY, %al
        jz      1b
        movw    $SERIAL, %dx
        movb    %ah, %al
        outb    %al, %dx
        ret

        .org    510
        .word   0xaa55
