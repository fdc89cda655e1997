#!/usr/bin/python3 -IS
# SPDX-License-Identifier: Apache-2.0
"""Accesses a PCI function's registers from the guest's user space, each with exactly one load or store of the width given.

mmio.py BDF BAR OPERATION [+ OPERATION]...     BAR: 0 to 5, or config for the configuration space (then r and w only)
  r OFFSET WIDTH [COUNT]           reads (COUNT times) and prints the last value
  w OFFSET WIDTH VALUE [COUNT]     writes (COUNT times)
  loop OFFSET WIDTH VALUE[,VALUE]... SECONDS [OFFSET=VALUE]
                                   reads and checks against the values allowed, until the time is up or the 4-byte register at
                                   OFFSET has VALUE; says how it goes every half second
  echo OFFSET WIDTH SECONDS [OFFSET=VALUE]
                                   writes a new value each time and checks that it reads back; ends and reports as a loop does

A loop's lines are `mmio: N accesses, W wrong, R/s, longest L us`, the last one begins with `mmio: end: `.
Exit code 1 if a value was wrong, 2 if it could not be done.
"""
import mmap
import os
import sys
import time

FORMATS = {1: "B", 2: "H", 4: "I", 8: "Q"}
REPORT_SECONDS = 0.5
WRONG_SHOWN = 10


class Memory:
    """A BAR, mapped. An item of a cast memoryview is moved by one load or store of the item's width."""

    def __init__(self, device, bar):
        with open(device + "/enable", "r+") as enable:
            if enable.read().strip() == "0":
                enable.write("1")
        fd = os.open(device + "/resource" + bar, os.O_RDWR | os.O_SYNC)
        self.bytes = memoryview(mmap.mmap(fd, os.fstat(fd).st_size))
        os.close(fd)
        self.views = {}

    def items(self, offset, width):
        if offset % width or not 0 <= offset <= len(self.bytes) - width:
            raise ValueError("offset %#x is not aligned to %d bytes, or past the end of the BAR, %#x" % (offset, width, len(self.bytes)))
        if width not in self.views:
            self.views[width] = self.bytes.cast(FORMATS[width])
        return self.views[width], offset // width

    def read(self, offset, width):
        items, index = self.items(offset, width)
        return items[index]

    def write(self, offset, width, value):
        items, index = self.items(offset, width)
        items[index] = value


class Config:
    """The configuration space; the kernel makes one access of what is asked for if that is aligned and up to 4 bytes."""

    def __init__(self, device):
        self.fd = os.open(device + "/config", os.O_RDWR)

    def read(self, offset, width):
        data = os.pread(self.fd, width, offset)
        if len(data) != width:
            raise ValueError("offset %#x is past the end of the configuration space" % offset)
        return int.from_bytes(data, "little")

    def write(self, offset, width, value):
        os.pwrite(self.fd, value.to_bytes(width, "little"), offset)


class Tally:
    """Counts checked accesses, reports now and then, and knows when to end: at a time, or when a register has a value."""

    def __init__(self, target, seconds, until):
        self.target = target
        self.stop = [number(part) for part in until.split("=")] if until else None
        self.start = self.reported = time.monotonic()
        self.end = self.start + float(seconds)
        self.count = self.reported_count = self.wrong = 0
        self.longest = 0.0

    def check(self, value, allowed, began):
        now = time.monotonic()
        self.count += 1
        self.longest = max(self.longest, now - began)
        if value not in allowed:
            self.wrong += 1
            if self.wrong <= WRONG_SHOWN:
                print("mmio: access %d gave %#x" % (self.count, value), flush=True)
        return now

    def goes_on(self, now):
        if now - self.reported < REPORT_SECONDS and now < self.end:
            return True
        self.report("", self.reported, self.reported_count, now)
        self.reported, self.reported_count = now, self.count
        return now < self.end and not (self.stop and self.target.read(self.stop[0], 4) == self.stop[1])

    def report(self, prefix, since, counted, now):
        rate = (self.count - counted) / max(now - since, 1e-6)
        print("mmio: %s%d accesses, %d wrong, %d/s, longest %d us" % (prefix, self.count, self.wrong, rate, self.longest * 1e6), flush=True)

    def final(self):
        self.report("end: ", self.start, 0, time.monotonic())
        return self.wrong == 0


def number(text):
    return int(text, 0)


def read(target, offset, width, count="1"):
    value = 0
    for _ in range(number(count)):
        value = target.read(number(offset), number(width))
    print("0x%0*x" % (2 * number(width), value), flush=True)
    return True


def write(target, offset, width, value, count="1"):
    for _ in range(number(count)):
        target.write(number(offset), number(width), number(value))
    return True


def loop(target, offset, width, values, seconds, until=None):
    allowed = frozenset(number(value) for value in values.split(","))
    items, index = target.items(number(offset), number(width))
    tally = Tally(target, seconds, until)
    now = tally.start
    while tally.goes_on(now):
        began = time.monotonic()
        now = tally.check(items[index], allowed, began)
    return tally.final()


def echo(target, offset, width, seconds, until=None):
    items, index = target.items(number(offset), number(width))
    mask = (1 << 8 * number(width)) - 1
    tally = Tally(target, seconds, until)
    now = tally.start
    value = 0
    while tally.goes_on(now):
        value = (value + 0x0101010101010101) & mask
        began = time.monotonic()
        items[index] = value
        now = tally.check(items[index], (value,), began)
    return tally.final()


OPERATIONS = {"r": read, "w": write, "loop": loop, "echo": echo}


def main(bdf, bar, *words):
    device = "/sys/bus/pci/devices/" + bdf
    target = Config(device) if bar == "config" else Memory(device, bar)
    good = True
    words = list(words) + ["+"]
    while words:
        end = words.index("+")
        operation, *arguments = words[:end]
        words = words[end + 1:]
        good = OPERATIONS[operation](target, *arguments) and good
    return 0 if good else 1


if __name__ == "__main__":
    try:
        sys.exit(main(*sys.argv[1:]))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        print("mmio: %s: %s (%s)" % (type(error).__name__, error, " ".join(sys.argv[1:])), flush=True)
        sys.exit(2)
