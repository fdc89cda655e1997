// SPDX-License-Identifier: Apache-2.0
package itest;

import itest.iavf.DriverOptions;
import itest.iavf.GuestMemory;
import itest.iavf.IavfDriver;
import java.nio.file.Path;
import java.time.Duration;
import vfio.pci.api.VfioException;
import vfio.user.wire.VersionCapabilities;
import vfio.user.wire.client.VfioUserClient;

/** A guest with a virtual function of its own: a client of the server, memory, and the driver. For one thread at a time. */
final class GuestVf implements AutoCloseable {
    private static final long MEMORY = 32 << 20;
    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final int MOST_FDS = 16;

    private final VfioUserClient client;
    private final GuestMemory memory;
    private final IavfDriver driver;

    private GuestVf(VfioUserClient client, GuestMemory memory, IavfDriver driver) {
        this.client = client;
        this.memory = memory;
        this.driver = driver;
    }

    /** Connects to a device that is served, and finds the function there. */
    static GuestVf connect(Path socket, DriverOptions options) throws VfioException {
        GuestMemory memory = GuestMemory.create(MEMORY);
        VfioUserClient client = null;
        IavfDriver driver = null;
        try {
            client = VfioUserClient.connect(socket, VersionCapabilities.NONE.withMaxMsgFds(MOST_FDS), PATIENCE);
            driver = IavfDriver.probe(client, memory, options);
            return new GuestVf(client, memory, driver);
        } finally {
            if (driver == null) {
                if (client != null) {
                    client.close();
                }
                memory.close();
            }
        }
    }

    /** As {@link #connect}, with its queues open and its link up. */
    static GuestVf start(Path socket, DriverOptions options) throws VfioException {
        GuestVf guest = connect(socket, options);
        boolean up = false;
        try {
            guest.driver.start();
            guest.driver.awaitLink(PATIENCE);
            up = true;
            return guest;
        } finally {
            if (!up) {
                guest.close();
            }
        }
    }

    IavfDriver driver() {
        return driver;
    }

    VfioUserClient client() {
        return client;
    }

    GuestMemory memory() {
        return memory;
    }

    /** Leaves without a word to the device, as a virtual machine that is killed. */
    @Override
    public void close() {
        client.close();
        driver.close();
        memory.close();
    }
}
