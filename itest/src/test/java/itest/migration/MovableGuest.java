// SPDX-License-Identifier: Apache-2.0
package itest.migration;

import itest.iavf.DriverOptions;
import itest.iavf.GuestMemory;
import itest.iavf.IavfDriver;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import vfio.pci.api.Errno;
import vfio.pci.api.PciAddress;
import vfio.pci.api.VfioException;
import vfio.user.wire.VersionCapabilities;
import vfio.user.wire.client.VfioUserClient;
import vmm.AssignedDevice;
import vmm.Machine;
import vmm.Ram;

/**
 * A virtual machine of Java with virtual functions of an XL710, whose drivers share its memory. What it is on one side is a {@link Side}:
 * memory and connections. Its processors' registers are the fields of its Java objects, which go on with another side when they are told.
 */
public final class MovableGuest {
    private static final long MEMORY = 32 << 20;
    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final int MOST_FDS = 16;

    private final List<PciAddress> functions;
    private final DriverOptions options;
    private final List<IavfDriver> drivers = new ArrayList<>();
    private final Processors processors = new Processors();
    private long moves;
    private Side current;

    private MovableGuest(List<PciAddress> functions, DriverOptions options) {
        this.functions = functions;
        this.options = options;
    }

    /** Starts a machine with these functions of a runtime, their queues open and their links up. */
    public static MovableGuest boot(RuntimeProcess runtime, List<PciAddress> functions, DriverOptions options) throws VfioException {
        var guest = new MovableGuest(functions, options);
        Side side = guest.new Side(runtime, GuestMemory.create(MEMORY));
        guest.current = side;
        for (VfioUserClient client : side.clients) {
            guest.drivers.add(IavfDriver.probe(client, side.memory, options));
        }
        for (IavfDriver driver : guest.drivers) {
            driver.start();
            driver.awaitLink(PATIENCE);
        }
        return guest;
    }

    /** Where it runs. */
    public Side side() {
        return current;
    }

    /** Another place for it: devices that are connected, and memory of zeros that is mapped into them. */
    public Side prepare(RuntimeProcess runtime) throws VfioException {
        Side side = new Side(runtime, current.memory.alike());
        boolean mapped = false;
        try {
            for (VfioUserClient client : side.clients) {
                side.memory.map(client);
            }
            mapped = true;
            return side;
        } finally {
            if (!mapped) {
                side.close();
            }
        }
    }

    /** Its drivers, one for each function. */
    public List<IavfDriver> drivers() {
        return List.copyOf(drivers);
    }

    Processors processors() {
        return processors;
    }

    /** What the machine is on one side. */
    public final class Side implements Machine, AutoCloseable {
        private final RuntimeProcess runtime;
        private final GuestMemory memory;
        private final List<VfioUserClient> clients = new ArrayList<>();
        private final List<AssignedDevice> devices = new ArrayList<>();

        private Side(RuntimeProcess runtime, GuestMemory memory) throws VfioException {
            this.runtime = runtime;
            this.memory = memory;
            boolean connected = false;
            try {
                for (PciAddress function : functions) {
                    clients.add(VfioUserClient.connect(runtime.socket(function), VersionCapabilities.NONE.withMaxMsgFds(MOST_FDS),
                        PATIENCE));
                    devices.add(new AssignedDevice("net" + devices.size(), clients.getLast()));
                }
                connected = true;
            } finally {
                if (!connected) {
                    close();
                }
            }
        }

        /** Whose devices these are. */
        public RuntimeProcess runtime() {
            return runtime;
        }

        /** Its connections, one for each function. */
        public List<VfioUserClient> clients() {
            return List.copyOf(clients);
        }

        @Override
        public List<Ram> memory() {
            return List.of(memory.ram());
        }

        @Override
        public List<AssignedDevice> devices() {
            return List.copyOf(devices);
        }

        @Override
        public void pause() {
            processors.pause();
        }

        @Override
        public byte[] processors() {
            return ByteBuffer.allocate(Long.BYTES).putLong(moves).array();
        }

        @Override
        public void processors(byte[] state) throws VfioException {
            if (state.length != Long.BYTES || ByteBuffer.wrap(state).getLong() != moves) {
                throw new VfioException(Errno.EINVAL, "processors=0x%x bytes expected=those of move %d".formatted(state.length, moves));
            }
            for (int i = 0; i < clients.size(); i++) {
                drivers.get(i).attachInterrupts(clients.get(i));
            }
        }

        /** Where it is the other side that goes on, the drivers do with this one. */
        @Override
        public void resume() throws VfioException {
            if (current != this) {
                for (int i = 0; i < clients.size(); i++) {
                    drivers.get(i).attach(clients.get(i), memory);
                }
                current = this;
                moves++;
            }
            processors.resume();
        }

        /** Leaves without a word to the devices. */
        @Override
        public void close() {
            clients.forEach(VfioUserClient::close);
            memory.close();
        }
    }

    /** How its drivers are set up. */
    public DriverOptions options() {
        return options;
    }
}
