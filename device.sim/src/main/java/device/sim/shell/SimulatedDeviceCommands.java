// SPDX-License-Identifier: Apache-2.0
package device.sim.shell;

import device.sim.bus.SimulatedBus;
import device.sim.function.FrameRecording;
import device.sim.function.NetworkSide;
import device.sim.function.SimulatedFunction;
import device.sim.settings.HardwareAddress;
import device.sim.wire.Recording;
import java.io.PrintStream;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;
import vfio.pci.api.Errno;
import vfio.pci.api.PciAddress;
import vfio.pci.api.VfioException;

/// The `sim:` commands. Each prints for itself; a failure is an exception whose message says what was expected. Arguments are text, numbers
/// decimal or with `0x`.
@Component(service = SimulatedDeviceCommands.class, property = {
    "osgi.command.scope=sim",
    "osgi.command.function=list",
    "osgi.command.function=interrupt",
    "osgi.command.function=link",
    "osgi.command.function=mac",
    "osgi.command.function=vlan",
    "osgi.command.function=stats",
    "osgi.command.function=record",
    "osgi.command.function=peek",
    "osgi.command.function=poke",
    "osgi.command.function=plug",
    "osgi.command.function=unplug"})
public final class SimulatedDeviceCommands {
    private static final String ROW = "%-13s %-10s %-8s %-13s %s%n";

    private static final int LAST_VLAN = 4094;
    private static final String STANDARD_MIB = "64";
    private static final int MOST_MIB = 1 << 16;
    private static final int MIB_SHIFT = 20;

    private final SimulatedBus bus;

    /// Commands for what is on this bus.
    @Activate
    public SimulatedDeviceCommands(@Reference SimulatedBus bus) {
        this.bus = bus;
    }

    /// `sim:list`: all simulated functions.
    public void list() {
        out().printf(ROW, "ADDRESS", "ID", "STATE", "PF", "DRIVER");
        bus.functions().forEach((function, plugged) -> out().printf(ROW, function.address(), function.id().vendorAndDevice(),
            plugged ? "plugged" : "out", function.physicalFunction().map(PciAddress::toString).orElse("-"),
            function.driver().orElse("-")));
    }

    /// `sim:interrupt ADDRESS VECTOR`: the device raises an interrupt, whatever its own enables say.
    public void interrupt(String address, String vector) throws VfioException {
        boolean taken = function(address).interrupt((int) number("VECTOR", vector, Integer.MAX_VALUE));
        out().printf("interrupt address=%s vector=%s %s%n", address, vector, taken ? "taken" : "pending: nobody takes it");
    }

    /// `sim:peek ADDRESS BAR OFFSET WIDTH`: what the device's own side sees, without a side effect.
    public void peek(String address, String bar, String offset, String width) throws VfioException {
        long at = number("OFFSET", offset, Long.MAX_VALUE);
        int bytes = width(width, at);
        SimulatedFunction function = function(address);
        int index = (int) number("BAR", bar, Integer.MAX_VALUE);
        long value = function.peek(index, at & ~3L) & 0xFFFF_FFFFL;
        if (bytes == Long.BYTES) {
            value |= (long) function.peek(index, at + Integer.BYTES) << Integer.SIZE;
        } else {
            value = value >>> Byte.SIZE * (at & 3) & mask(bytes);
        }
        out().printf("0x%0" + 2 * bytes + "x%n", value);
    }

    /// `sim:poke ADDRESS BAR OFFSET WIDTH VALUE`: the device's own side sets a register or a word in memory.
    public void poke(String address, String bar, String offset, String width, String value) throws VfioException {
        long at = number("OFFSET", offset, Long.MAX_VALUE);
        int bytes = width(width, at);
        SimulatedFunction function = function(address);
        int index = (int) number("BAR", bar, Integer.MAX_VALUE);
        long bits = bytes == Long.BYTES ? Long.parseUnsignedLong(digits(value), radix(value)) : number("VALUE", value, mask(bytes));
        if (bytes >= Integer.BYTES) {
            function.poke(index, at, (int) bits);
            if (bytes == Long.BYTES) {
                function.poke(index, at + Integer.BYTES, (int) (bits >>> Integer.SIZE));
            }
            return;
        }
        int shift = Byte.SIZE * (int) (at & 3);
        int kept = function.peek(index, at & ~3L) & ~((int) mask(bytes) << shift);
        function.poke(index, at & ~3L, kept | (int) bits << shift);
    }

    /// `sim:link ADDRESS up|down`: the cable is plugged in or out.
    public void link(String address, String state) throws VfioException {
        if (!state.equals("up") && !state.equals("down")) {
            throw new VfioException(Errno.EINVAL, "link=%s expected=up or down".formatted(state));
        }
        network(address).link(state.equals("up"));
        out().printf("link address=%s %s%n", address, state);
    }

    /// `sim:mac ADDRESS MAC`: the host gives the function a hardware address, and resets it.
    public void mac(String address, String mac) throws VfioException {
        NetworkSide network = network(address);
        try {
            network.address(HardwareAddress.parse(mac));
        } catch (IllegalArgumentException e) {
            throw new VfioException(Errno.EINVAL, e.getMessage());
        }
        out().printf("mac address=%s %s%n", address, mac);
    }

    /// `sim:vlan ADDRESS ID`: the host puts the function in a VLAN, or with 0 in none, and resets it.
    public void vlan(String address, String vlan) throws VfioException {
        network(address).vlan((int) number("ID", vlan, LAST_VLAN));
        out().printf("vlan address=%s %s%n", address, vlan);
    }

    /// `sim:stats ADDRESS`: how a network device is, and what passed.
    public void stats(String address) throws VfioException {
        NetworkSide network = network(address);
        network.state().forEach((name, value) -> out().printf("%-24s %s%n", name, value));
        network.statistics().forEach((name, value) -> out().printf("%-24s %d%n", name, value));
    }

    /// `sim:record ADDRESS FILE`: as the other one, up to 64 MiB. `sim:record ADDRESS off`: ends the card's recording.
    public void record(String address, String file) throws VfioException {
        if (file.equals("off")) {
            stopRecording(address);
        } else {
            record(address, file, STANDARD_MIB);
        }
    }

    /// `sim:record ADDRESS FILE MIB`: writes what passes a virtual function, or through the physical one the whole card, to a pcapng file
    /// that is not there.
    public void record(String address, String file, String mib) throws VfioException {
        FrameRecording recording = recording(address);
        long most = number("MIB", mib, MOST_MIB) << MIB_SHIFT;
        if (most == 0) {
            throw new VfioException(Errno.EINVAL, "MIB=%s expected=1 to 0x%x".formatted(mib, MOST_MIB));
        }
        Path path = path(file);
        checkPresent(address);
        recording.start(path, most);
        try {
            // It may have gone meanwhile, and ended what was not there yet.
            checkPresent(address);
        } catch (VfioException gone) {
            recording.functionGone();
            throw gone;
        }
        out().printf("recording address=%s file=%s mib=%s%n", address, path, mib);
    }

    private void stopRecording(String address) throws VfioException {
        try {
            Recording ended = recording(address).stop().orElseThrow(() -> new VfioException(Errno.ENOENT,
                "address=%s expected=a recording".formatted(address)));
            out().printf("recorded address=%s file=%s frames=%d dropped=%d bytes=%d%s%n", address, ended.path(), ended.frames(),
                ended.dropped(), ended.bytes(), ended.full() ? " full" : "");
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new VfioException(Errno.EINTR, "address=%s the recording ends, not waited for".formatted(address));
        }
    }

    /// `sim:unplug ADDRESS`: the function goes; the virtual functions of a physical one go before it.
    public void unplug(String address) throws VfioException {
        bus.unplug(address(address));
        out().printf("unplugged address=%s%n", address);
    }

    /// `sim:plug ADDRESS`: the function comes again; a physical one brings its virtual functions.
    public void plug(String address) throws VfioException {
        bus.plug(address(address));
        out().printf("plugged address=%s%n", address);
    }

    private SimulatedFunction function(String address) throws VfioException {
        return bus.function(address(address));
    }

    private NetworkSide network(String address) throws VfioException {
        return function(address).model().network().orElseThrow(() -> new VfioException(Errno.EINVAL,
            "address=%s expected=a network device that is one by itself: a virtual function".formatted(address)));
    }

    private FrameRecording recording(String address) throws VfioException {
        return function(address).model().recording().orElseThrow(() -> new VfioException(Errno.EINVAL,
            "address=%s expected=a network device".formatted(address)));
    }

    private void checkPresent(String address) throws VfioException {
        if (!function(address).present()) {
            throw new VfioException(Errno.ENODEV, "address=%s state=unplugged expected=plugged".formatted(address));
        }
    }

    private static Path path(String text) throws VfioException {
        try {
            return Path.of(text).toAbsolutePath();
        } catch (InvalidPathException e) {
            throw new VfioException(Errno.EINVAL, "file=%s expected=a path".formatted(text));
        }
    }

    private static PciAddress address(String text) throws VfioException {
        try {
            return PciAddress.parse(text);
        } catch (IllegalArgumentException e) {
            throw new VfioException(Errno.EINVAL, e.getMessage());
        }
    }

    private static int width(String text, long offset) throws VfioException {
        int width = (int) number("WIDTH", text, Long.BYTES);
        if (Integer.bitCount(width) != 1 || offset % width != 0) {
            throw new VfioException(Errno.EINVAL, "width=%s offset=0x%x expected=1, 2, 4 or 8, aligned".formatted(text, offset));
        }
        return width;
    }

    private static long mask(int bytes) {
        return -1L >>> Long.SIZE - Byte.SIZE * bytes;
    }

    private static long number(String what, String text, long most) throws VfioException {
        try {
            long number = Long.parseLong(digits(text), radix(text));
            if (number >= 0 && number <= most) {
                return number;
            }
        } catch (NumberFormatException e) {
            // The line below says it.
        }
        throw new VfioException(Errno.EINVAL, "%s=%s expected=0 to 0x%x".formatted(what, text, most));
    }

    private static int radix(String text) {
        return text.startsWith("0x") ? 16 : 10;
    }

    private static String digits(String text) {
        return text.startsWith("0x") ? text.substring(2) : text;
    }

    /// The shell puts its own stream in place of the process's while a command runs.
    private static PrintStream out() {
        return System.out;
    }
}
