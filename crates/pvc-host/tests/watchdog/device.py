#!/usr/bin/python3
"""device.py DIRECTORY MODE: a watchdog, DIRECTORY/watchdog, served by FUSE.

DIRECTORY/state tells how it is. MODE is one of:
  usual        behaves as most devices do
  short        takes no timeout longer than 5 seconds
  fixed        knows only one timeout, of 7 seconds
  unstoppable  nothing stops it once it is armed
  careless     closing it disarms it, whatever was written before
"""

import ctypes
import errno
import stat
import struct
import sys
import threading
import time

from fusepy import FUSE, FuseOSError, Operations

GET_SUPPORT = 0x80285700
SET_OPTIONS = 0x80045704
SET_TIMEOUT = 0xC0045706
GET_TIMEOUT = 0x80045707
MAGIC_CLOSE = 0x0100


class Device(Operations):
    def __init__(self, mode):
        self.mode = mode
        self.guard = threading.Lock()
        self.timeout = 7 if mode == "fixed" else 60
        self.armed = self.held = self.goodbye = self.fired = False
        self.feeds = 0
        self.fed = time.monotonic()

    def look(self):
        if self.armed and time.monotonic() - self.fed > self.timeout:
            self.armed, self.fired = False, True

    def getattr(self, path, fh=None):
        if path == "/":
            return {"st_mode": stat.S_IFDIR | 0o755, "st_nlink": 2}
        if path in ("/watchdog", "/state"):
            return {"st_mode": stat.S_IFREG | 0o600, "st_nlink": 1, "st_size": 0}
        raise FuseOSError(errno.ENOENT)

    def open(self, path, flags):
        with self.guard:
            if path == "/watchdog":
                if self.held:
                    raise FuseOSError(errno.EBUSY)
                self.look()
                self.held, self.goodbye = True, False
                self.armed = not self.fired
                self.fed = time.monotonic()
            return 0

    def read(self, path, size, offset, fh):
        with self.guard:
            self.look()
            names = ("armed", "held", "fired", "timeout", "feeds")
            state = " ".join(f"{name}={int(getattr(self, name))}" for name in names)
            return state.encode()[offset : offset + size]

    def write(self, path, data, offset, fh):
        with self.guard:
            self.look()
            self.fed = time.monotonic()
            self.feeds += 1
            self.goodbye = b"V" in data
            return len(data)

    def release(self, path, fh):
        with self.guard:
            if path == "/watchdog":
                self.held = False
                stops = self.mode == "careless" or self.goodbye
                if stops and self.mode != "unstoppable":
                    self.armed = False
            return 0

    def ioctl(self, path, command, arg, fip, flags, data):
        with self.guard:
            return self.obey(command & 0xFFFFFFFF, data)

    def obey(self, command, data):
        if command == GET_SUPPORT:
            options = 0x8080 | (0 if self.mode == "careless" else MAGIC_CLOSE)
            ctypes.memmove(data, struct.pack("II32s", options, 1, b"served"), 40)
        elif command == SET_TIMEOUT:
            if self.mode == "fixed":
                raise FuseOSError(errno.EOPNOTSUPP)
            (asked,) = struct.unpack("i", ctypes.string_at(data, 4))
            self.timeout = min(asked, 5) if self.mode == "short" else asked
        elif command == GET_TIMEOUT:
            ctypes.memmove(data, struct.pack("i", self.timeout), 4)
        elif command == SET_OPTIONS:
            # The number says that the kernel reads nothing, so FUSE does not hand it over; only
            # stopping is ever asked for here.
            if self.mode == "unstoppable":
                raise FuseOSError(errno.EBUSY)
            if self.mode == "fixed":
                raise FuseOSError(errno.ENOTTY)
            self.armed = False
        else:
            raise FuseOSError(errno.ENOTTY)
        return 0


if __name__ == "__main__":
    directory, mode = sys.argv[1:]
    FUSE(Device(mode), directory, foreground=True, direct_io=True)
