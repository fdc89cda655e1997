// SPDX-License-Identifier: Apache-2.0
package vfio.pci.shell;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Locale;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.component.annotations.ReferencePolicyOption;
import vfio.pci.api.PciAddress;
import vfio.pci.api.VfioException;
import vfio.pci.api.admin.DeviceAdmin;
import vfio.pci.api.device.Client;
import vfio.pci.api.device.DevicePort;
import vfio.pci.api.device.VfioDevice;
import vfio.pci.api.device.VfioPci;

/// `vfio:read` and `vfio:write`: one access, by the path a client's access takes.
@Component(service = AccessCommands.class, property = {
    "osgi.command.scope=vfio", "osgi.command.function=read", "osgi.command.function=write"})
public final class AccessCommands {
    private static final Client CLIENT = Client.standard("shell");
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN);

    @Reference(cardinality = ReferenceCardinality.OPTIONAL, policy = ReferencePolicy.DYNAMIC, policyOption = ReferencePolicyOption.GREEDY)
    volatile DeviceAdmin devices;

    @Reference(cardinality = ReferenceCardinality.OPTIONAL, policy = ReferencePolicy.DYNAMIC, policyOption = ReferencePolicyOption.GREEDY)
    volatile VfioPci core;

    /// Reads a register.
    public void read(String[] typed) throws VfioException {
        Arguments arguments = Arguments.of(Command.READ, typed);
        if (arguments.answeredHelp(System.out)) {
            return;
        }
        Access access = Access.of(arguments, devices);
        long value;
        try (VfioDevice device = open(access); DevicePort port = device.port(); Arena arena = Arena.ofConfined()) {
            access.checkRegion(device);
            // Eight zeroed bytes, so that a narrower value is the little-endian start of a long.
            MemorySegment buffer = arena.allocate(LONG);
            port.read(access.region, access.offset, buffer, 0, access.width);
            value = buffer.get(LONG, 0);
        }
        if (arguments.json()) {
            System.out.println(access.json(value));
        } else {
            System.out.println(access.hex(value));
        }
    }

    /// Writes a register.
    public void write(String[] typed) throws VfioException {
        Arguments arguments = Arguments.of(Command.WRITE, typed);
        if (arguments.answeredHelp(System.out)) {
            return;
        }
        Access access = Access.of(arguments, devices);
        long value = arguments.value();
        try (VfioDevice device = open(access); DevicePort port = device.port(); Arena arena = Arena.ofConfined()) {
            access.checkRegion(device);
            MemorySegment buffer = arena.allocate(LONG);
            buffer.set(LONG, 0, value);
            port.write(access.region, access.offset, buffer, 0, access.width);
        }
        if (arguments.json()) {
            System.out.println(access.json(value));
        }
    }

    private VfioDevice open(Access access) throws VfioException {
        return Services.require(core, VfioPci.class, "the core (vfio.pci.core)").open(access.address, CLIENT);
    }

    /// Which register.
    private record Access(PciAddress address, int region, long offset, int width) {
        static Access of(Arguments arguments, DeviceAdmin devices) {
            return new Access(arguments.address(Services.known(devices)), arguments.region(), arguments.offset(), arguments.width());
        }

        /// The core refuses such a region too, but does not know what it is called here.
        void checkRegion(VfioDevice device) {
            int regions = device.info().regions();
            if (region >= regions) {
                throw new IllegalArgumentException(
                    "region=%d expected=0 to %d, or one of %s".formatted(region, regions - 1, RegionName.all()));
            }
        }

        /// As many digits as the width has.
        String hex(long value) {
            return "0x" + String.format(Locale.ROOT, "%0" + 2 * width + "x", value);
        }

        Json json(long value) {
            return new Json().put("address", address).put("region", RegionName.of(region)).put("offset", "0x" + Long.toHexString(offset))
                .put("width", width).put("value", hex(value));
        }
    }
}
