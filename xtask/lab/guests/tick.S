# The guest `tick`: a boot sector that prints four or five lines a second on the first serial port
#
#     tick 0000002a 12:34:56
#
# a counter and the hardware clock's time, sleeps in between, and powers off when the power button
# is pressed. It needs no memory but its own sector, writes nothing, and knows QEMU's `pc` machine:
# power management at port 0x600, where its firmware puts it.

        .set    SERIAL, 0x3f8
        .set    LINE_STATUS, 5          # register of SERIAL
        .set    HOLDING_EMPTY, 0x20
        .set    PM_EVENTS, 0x600
        .set    PM_ENABLE, 0x602
        .set    PM_CONTROL, 0x604
        .set    POWER_BUTTON, 0x100
        .set    SLEEP_OFF, 0x2000
        .set    BIOS_TICKS, 0x46c       # counts 18.2 a second
        .set    PAUSE, 4                # such ticks

        .code16
        .globl  _start
_start:
        ljmp    $0, $begin
begin:
        xorw    %ax, %ax
        movw    %ax, %ds
        movw    %ax, %ss
        movw    $_start, %sp
        sti
        movw    $PM_ENABLE, %dx
        movw    $POWER_BUTTON, %ax
        outw    %ax, %dx

line:
        movw    $word, %si
1:      lodsb
        testb   %al, %al
        jz      2f
        call    put
        jmp     1b
2:      movl    count, %ebx
        movw    $8, %cx
        call    digits
        movb    $' ', %al
        call    put

1:      movb    $0x0a, %al              # never read the clock while it changes
        call    clock
        testb   $0x80, %al
        jnz     1b
        movb    $4, %al
        call    two_digits
        movb    $':', %al
        call    put
        movb    $2, %al
        call    two_digits
        movb    $':', %al
        call    put
        movb    $0, %al
        call    two_digits
        movb    $'\r', %al
        call    put
        movb    $'\n', %al
        call    put
        incl    count

        movw    BIOS_TICKS, %di
pause:
        hlt
        movw    $PM_EVENTS, %dx
        inw     %dx, %ax
        testw   $POWER_BUTTON, %ax
        jnz     power_off
        movw    BIOS_TICKS, %ax
        subw    %di, %ax
        cmpw    $PAUSE, %ax
        jb      pause
        jmp     line

power_off:
        movw    $PM_CONTROL, %dx
        movw    $SLEEP_OFF, %ax
        outw    %ax, %dx
1:      hlt
        jmp     1b

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

word:   .asciz  "tick "
        .balign 4
count:  .long   0

        .org    510
        .word   0xaa55
