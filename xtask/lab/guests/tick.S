# The guest `tick`: a boot sector that prints four or five lines a second on the first serial port
#
#     tick 0000002a 12:34:56
#
# a counter and the hardware clock's time, sleeps in between, and powers off when the power button
# is pressed. It needs no memory but its own sector, which `sector.S` completes, and writes nothing.

        .set    SERIAL, 0x3f8
        .set    PAUSE, 4                # ticks of the firmware

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

        call    settle
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

        movw    $PAUSE, %cx
        call    rest
        jmp     line

word:   .asciz  "tick "
        .balign 4
count:  .long   0

