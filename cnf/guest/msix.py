#!/usr/bin/python3 -IS
# SPDX-License-Identifier: Apache-2.0
"""Takes a PCI function through vfio-pci in the guest, receives its MSI-X interrupts in user space, and lends it memory.

msix.py BDF [ACTION]...     binds BDF to vfio-pci, opens it and does, in the order given:
  arm COUNT                 enables vectors 0 to COUNT-1, an eventfd each; says `msix: armed COUNT`
  wait VECTOR SECONDS       says `msix: vector VECTOR arrived COUNT` as soon as it does, or fails
  quiet VECTOR SECONDS      the other way round: says `msix: vector VECTOR quiet`, or fails if it arrives
  fire VECTOR               has the kernel itself signal the vector (a loopback without the device)
  read BAR OFFSET WIDTH     one register read by vfio-pci; says `msix: read VALUE`
  write BAR OFFSET WIDTH VALUE
  reset                     VFIO_DEVICE_RESET; says `msix: reset`
  map IOVA PAGES            lends it that many pages of memory from that address on; says `msix: mapped PAGES pages`
  unmap IOVA PAGES          takes them back; says `msix: unmapped PAGES pages`
  disarm                    disables MSI-X; says `msix: disarmed`
  say WORD                  says `msix: WORD`: a mark for whoever reads along

First it says `msix: BDF has COUNT vectors`. Needs a virtual IOMMU (boot --iommu) and the modules vfio-pci and vfio_iommu_type1.
Exit code 1 and one line if an interrupt did not come, or came; 2 if it could not be done. All waits are bounded.
ioctl numbers and structures: Linux include/uapi/linux/vfio.h.
"""
import fcntl
import mmap
import os
import select
import struct
import sys

VFIO_TYPE1_IOMMU = 1
VFIO_PCI_MSIX_IRQ_INDEX = 2
VFIO_PCI_CONFIG_REGION_INDEX = 7
VFIO_GROUP_FLAGS_VIABLE = 1
VFIO_IRQ_SET_DATA_NONE = 1 << 0
VFIO_IRQ_SET_DATA_BOOL = 1 << 1
VFIO_IRQ_SET_DATA_EVENTFD = 1 << 2
VFIO_IRQ_SET_ACTION_TRIGGER = 1 << 5
VFIO_DMA_MAP_FLAG_READ = 1 << 0
VFIO_DMA_MAP_FLAG_WRITE = 1 << 1
LENT = "/tmp/lent"
PCI_COMMAND = 4
PCI_COMMAND_MASTER = 1 << 2


def _io(number):
    """_IO(VFIO_TYPE, VFIO_BASE + number)"""
    return ord(";") << 8 | 100 + number


VFIO_SET_IOMMU = _io(2)
VFIO_GROUP_GET_STATUS = _io(3)
VFIO_GROUP_SET_CONTAINER = _io(4)
VFIO_GROUP_GET_DEVICE_FD = _io(6)
VFIO_DEVICE_GET_REGION_INFO = _io(8)
VFIO_DEVICE_GET_IRQ_INFO = _io(9)
VFIO_DEVICE_SET_IRQS = _io(10)
VFIO_DEVICE_RESET = _io(11)
VFIO_IOMMU_MAP_DMA = _io(13)
VFIO_IOMMU_UNMAP_DMA = _io(14)

REGION_INFO = "=IIIIQQ"
IRQ_INFO = "=IIII"
IRQ_SET = "=IIIII"
GROUP_STATUS = "=II"
DMA_MAP = "=IIQQQ"
DMA_UNMAP = "=IIQQ"


def ask(fd, request, layout, *fields):
    """An ioctl with a structure that begins with its size, and is written over by the answer."""
    data = bytearray(struct.pack(layout, struct.calcsize(layout), *fields))
    fcntl.ioctl(fd, request, data)
    return struct.unpack(layout, data)


def number(text):
    return int(text, 0)


def sysfs_write(path, text):
    fd = os.open(path, os.O_WRONLY)
    try:
        os.write(fd, text.encode())
    finally:
        os.close(fd)


def bind(bdf):
    device = "/sys/bus/pci/devices/" + bdf
    driver = device + "/driver"
    if os.path.exists(driver):
        if os.path.basename(os.readlink(driver)) == "vfio-pci":
            return
        sysfs_write(driver + "/unbind", bdf)
    sysfs_write(device + "/driver_override", "vfio-pci")
    sysfs_write("/sys/bus/pci/drivers_probe", bdf)
    if not os.path.exists(driver):
        raise OSError("vfio-pci did not take %s" % bdf)


def open_device(bdf):
    link = "/sys/bus/pci/devices/%s/iommu_group" % bdf
    if not os.path.exists(link):
        raise OSError("%s is behind no IOMMU" % bdf)
    container = os.open("/dev/vfio/vfio", os.O_RDWR)
    group = os.open("/dev/vfio/" + os.path.basename(os.readlink(link)), os.O_RDWR)
    if not ask(group, VFIO_GROUP_GET_STATUS, GROUP_STATUS, 0)[1] & VFIO_GROUP_FLAGS_VIABLE:
        raise OSError("another device of the IOMMU group has a driver of its own")
    fcntl.ioctl(group, VFIO_GROUP_SET_CONTAINER, struct.pack("=i", container))
    fcntl.ioctl(container, VFIO_SET_IOMMU, VFIO_TYPE1_IOMMU)
    return container, fcntl.ioctl(group, VFIO_GROUP_GET_DEVICE_FD, bytearray(bdf.encode() + b"\0"))


def address_of(path):
    """Where a file is mapped in this process; there is no other way to an address without ctypes."""
    with open("/proc/self/maps") as maps:
        for line in maps:
            if line.rstrip().endswith(path):
                return int(line.split("-")[0], 16)
    raise OSError("%s is not mapped" % path)


class Missed(Exception):
    """An interrupt that did not come, or that should not have come."""


class Device:
    def __init__(self, bdf):
        bind(bdf)
        self.container, self.fd = open_device(bdf)
        self.events = []
        self.lent = []
        self.say("%s has %d vectors" % (bdf, ask(self.fd, VFIO_DEVICE_GET_IRQ_INFO, IRQ_INFO, 0, VFIO_PCI_MSIX_IRQ_INDEX, 0)[3]))

    def say(self, text):
        print("msix: " + text, flush=True)

    def set_irqs(self, data, start, count, payload=b""):
        size = struct.calcsize(IRQ_SET) + len(payload)
        header = struct.pack(IRQ_SET, size, data | VFIO_IRQ_SET_ACTION_TRIGGER, VFIO_PCI_MSIX_IRQ_INDEX, start, count)
        fcntl.ioctl(self.fd, VFIO_DEVICE_SET_IRQS, header + payload)

    def enable_bus_master(self):
        """An interrupt message is a write by the device: nothing arrives without it, and vfio-pci begins with it off."""
        command = self.offset(VFIO_PCI_CONFIG_REGION_INDEX, PCI_COMMAND)
        value = int.from_bytes(os.pread(self.fd, 2, command), "little")
        os.pwrite(self.fd, (value | PCI_COMMAND_MASTER).to_bytes(2, "little"), command)

    def arm(self, count):
        self.enable_bus_master()
        self.events = [os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC) for _ in range(number(count))]
        self.set_irqs(VFIO_IRQ_SET_DATA_EVENTFD, 0, len(self.events), struct.pack("=%di" % len(self.events), *self.events))
        self.say("armed %d" % len(self.events))

    def arrived(self, vector, seconds):
        event = self.events[number(vector)]
        if not select.select([event], [], [], float(seconds))[0]:
            return 0
        return os.eventfd_read(event)

    def wait(self, vector, seconds):
        count = self.arrived(vector, seconds)
        if not count:
            raise Missed("vector %s did not arrive in %s s" % (vector, seconds))
        self.say("vector %s arrived %d" % (vector, count))

    def quiet(self, vector, seconds):
        count = self.arrived(vector, seconds)
        if count:
            raise Missed("vector %s arrived %d unasked" % (vector, count))
        self.say("vector %s quiet" % vector)

    def fire(self, vector):
        self.set_irqs(VFIO_IRQ_SET_DATA_BOOL, number(vector), 1, b"\1")

    def offset(self, region, offset):
        """Where a register of a region is in the device's file."""
        return ask(self.fd, VFIO_DEVICE_GET_REGION_INFO, REGION_INFO, 0, region, 0, 0, 0)[5] + offset

    def read(self, bar, offset, width):
        data = os.pread(self.fd, number(width), self.offset(number(bar), number(offset)))
        self.say("read 0x%0*x" % (2 * number(width), int.from_bytes(data, "little")))

    def write(self, bar, offset, width, value):
        os.pwrite(self.fd, number(value).to_bytes(number(width), "little"), self.offset(number(bar), number(offset)))

    def reset(self):
        fcntl.ioctl(self.fd, VFIO_DEVICE_RESET)
        self.say("reset")

    def map(self, iova, pages):
        size = number(pages) * mmap.PAGESIZE
        path = "%s-%x" % (LENT, number(iova))
        with open(path, "w+b") as file:
            file.truncate(size)
            self.lent.append(mmap.mmap(file.fileno(), size))
        ask(self.container, VFIO_IOMMU_MAP_DMA, DMA_MAP, VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE, address_of(path),
            number(iova), size)
        self.say("mapped %s pages" % pages)

    def unmap(self, iova, pages):
        ask(self.container, VFIO_IOMMU_UNMAP_DMA, DMA_UNMAP, 0, number(iova), number(pages) * mmap.PAGESIZE)
        self.say("unmapped %s pages" % pages)

    def disarm(self):
        self.set_irqs(VFIO_IRQ_SET_DATA_NONE, 0, 0)
        self.events = []
        self.say("disarmed")


# Each action with its number of arguments.
ACTIONS = {
    "arm": (Device.arm, 1), "wait": (Device.wait, 2), "quiet": (Device.quiet, 2), "fire": (Device.fire, 1), "read": (Device.read, 3),
    "write": (Device.write, 4), "reset": (Device.reset, 0), "map": (Device.map, 2), "unmap": (Device.unmap, 2),
    "disarm": (Device.disarm, 0), "say": (Device.say, 1),
}


def main(bdf, *words):
    device = Device(bdf)
    while words:
        action, arguments = ACTIONS[words[0]]
        action(device, *words[1:1 + arguments])
        words = words[1 + arguments:]


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except Missed as error:
        print("msix: %s" % error, flush=True)
        sys.exit(1)
    except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
        print("msix: %s: %s (%s)" % (type(error).__name__, error, " ".join(sys.argv[1:])), flush=True)
        sys.exit(2)
