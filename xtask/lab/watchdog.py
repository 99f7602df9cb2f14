#!/usr/bin/python3
"""A host's hardware watchdog: `watchdog.py FOLDER STATE COMMAND...`

Serves FOLDER/watchdog, which the lab binds onto the host's /dev/watchdog, by FUSE: it runs outside
the host, so that it fires although every process there stands still. Unfed, it runs COMMAND once.
STATE always holds one line: `idle`, `armed SECONDS` or `fired SECONDS`.

It behaves as the kernel's documentation of the watchdog interface says: opening it arms it, every
write and WDIOC_KEEPALIVE feed it, closing it disarms it only if the last write had a `V`, and
WDIOC_SETTIMEOUT and its like are honoured. WDIOC_SETOPTIONS is not: its number promises the kernel
that nothing is passed in, so that FUSE passes nothing.
"""

import ctypes
import errno
import os
import stat
import struct
import subprocess
import sys
import threading
import time

try:
    from fusepy import FUSE, FuseOSError, Operations
except ImportError:
    from fuse import FUSE, FuseOSError, Operations

NAME = "/watchdog"

GET_SUPPORT = 0x80285700
GET_STATUS = 0x80045701
GET_BOOT_STATUS = 0x80045702
KEEP_ALIVE = 0x80045705
SET_TIMEOUT = 0xC0045706
GET_TIMEOUT = 0x80045707
GET_TIME_LEFT = 0x8004570A

# Sets its timeout, closes by a magic letter, tells of being fed.
ABILITIES = 0x80 | 0x100 | 0x8000
LONGEST = 65535


def say(text):
    print("%.3f %s" % (time.time(), text), flush=True)


class Watchdog(Operations):
    def __init__(self, state, command):
        self.state, self.command = state, command
        self.seconds = 60
        self.armed = self.opened = self.may_close = False
        self.fed = time.monotonic()
        self.changed = threading.Condition()
        self.tell("idle")

    def init(self, path):
        # Not before: FUSE puts this process in the background first if it is asked to.
        threading.Thread(target=self.watch, daemon=True).start()

    def tell(self, state):
        fresh = self.state + ".new"
        with open(fresh, "w") as file:
            file.write(state + "\n")
        os.replace(fresh, self.state)

    def watch(self):
        with self.changed:
            while True:
                left = self.left() if self.armed else None
                if left is None or left > 0:
                    self.changed.wait(left)
                    continue
                self.armed = False
                say("fired: not fed for %d s" % self.seconds)
                self.tell("fired %d" % self.seconds)
                subprocess.Popen(self.command, stdin=subprocess.DEVNULL, start_new_session=True)

    def left(self):
        return self.fed + self.seconds - time.monotonic()

    def feed(self):
        self.fed = time.monotonic()
        self.changed.notify()

    def arm(self):
        self.armed = True
        self.feed()
        say("armed: %d s" % self.seconds)
        self.tell("armed %d" % self.seconds)

    def getattr(self, path, fh=None):
        if path == "/":
            return {"st_mode": stat.S_IFDIR | 0o755, "st_nlink": 2}
        if path == NAME:
            return {"st_mode": stat.S_IFREG | 0o600, "st_nlink": 1, "st_size": 0}
        raise FuseOSError(errno.ENOENT)

    def readdir(self, path, fh):
        return [".", "..", NAME[1:]]

    def truncate(self, path, length, fh=None):
        return 0

    def open(self, path, flags):
        with self.changed:
            if self.opened:
                raise FuseOSError(errno.EBUSY)
            self.opened, self.may_close = True, False
            self.arm()
            return 0

    def write(self, path, data, offset, fh):
        with self.changed:
            self.may_close = b"V" in data
            self.feed()
            return len(data)

    def release(self, path, fh):
        with self.changed:
            self.opened = False
            if self.may_close:
                self.armed = False
                say("disarmed")
                self.tell("idle")
            else:
                # As the kernel does (watchdog_release of drivers/watchdog/watchdog_dev.c).
                self.feed()
                say("left armed")
            return 0

    def ioctl(self, path, command, argument, fip, flags, data):
        command &= 0xFFFFFFFF
        with self.changed:
            if command == KEEP_ALIVE:
                self.feed()
            elif command == SET_TIMEOUT:
                seconds = struct.unpack("i", ctypes.string_at(data, 4))[0]
                if not 1 <= seconds <= LONGEST:
                    raise FuseOSError(errno.EINVAL)
                self.seconds = seconds
                self.arm()
            elif command == GET_TIMEOUT:
                self.answer(data, "i", self.seconds)
            elif command == GET_TIME_LEFT:
                self.answer(data, "i", max(0, int(self.left())))
            elif command in (GET_STATUS, GET_BOOT_STATUS):
                self.answer(data, "i", 0)
            elif command == GET_SUPPORT:
                self.answer(data, "II32s", ABILITIES, 1, b"PVC lab watchdog")
            else:
                raise FuseOSError(errno.ENOTTY)
            return 0

    @staticmethod
    def answer(data, layout, *values):
        packed = struct.pack(layout, *values)
        ctypes.memmove(data, packed, len(packed))


if __name__ == "__main__":
    folder, state, command = sys.argv[1], sys.argv[2], sys.argv[3:]
    FUSE(Watchdog(state, command), folder, foreground=True, direct_io=True, allow_other=True)
