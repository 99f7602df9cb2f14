# The guest `writer`: a boot sector that appends to a record, on the second serial port, about every
# 100 ms the line
#
#     25123456-9f3c 0000002a
#
# of its boot and a counter. A boot is named by the hardware clock's day and time and by the
# processor's ticks, which no two starts have in common. A boot begins with an empty line, in case
# another was cut off in the middle of one. It powers off when the power button is pressed.

        .set    SERIAL, 0x2f8
        .set    PAUSE, 2                # ticks of the firmware

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

        rdtsc
        movw    %ax, ticks
        call    settle
        movb    $7, %al                 # day of the month
        call    clock
        movb    %al, moment + 3
        movb    $4, %al
        call    clock
        movb    %al, moment + 2
        movb    $2, %al
        call    clock
        movb    %al, moment + 1
        movb    $0, %al
        call    clock
        movb    %al, moment

        movb    $'\n', %al
        call    put
line:
        movl    moment, %ebx
        movw    $8, %cx
        call    digits
        movb    $'-', %al
        call    put
        movl    ticks - 2, %ebx
        movw    $4, %cx
        call    digits
        movb    $' ', %al
        call    put
        movl    count, %ebx
        movw    $8, %cx
        call    digits
        movb    $'\n', %al
        call    put
        incl    count
        movw    $PAUSE, %cx
        call    rest
        jmp     line

        .balign 4
count:  .long   0
moment: .long   0
        .word   0
ticks:  .word   0

