// SPDX-License-Identifier: Apache-2.0
package itest;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.junit.rules.ExternalResource;
import org.junit.rules.TemporaryFolder;
import vfio.pci.api.PciAddress;
import vfio.pci.api.VfioException;
import vfio.pci.api.admin.ServeAdmin;

/** Sockets of devices that are served for a test, and served no more after it. */
final class ServedVfs extends ExternalResource {
    private final TemporaryFolder folder = new TemporaryFolder();
    private final Supplier<ServeAdmin> transport;
    private final List<PciAddress> served = new ArrayList<>();

    /** @param transport asked when it is needed first, as it is injected later than rules are made */
    ServedVfs(Supplier<ServeAdmin> transport) {
        this.transport = transport;
    }

    @Override
    protected void before() throws Throwable {
        folder.create();
    }

    /** The socket of a device, which is served from now on. */
    Path socket(PciAddress address) throws VfioException {
        Path socket = folder.getRoot().toPath().resolve(address + ".sock");
        if (!served.contains(address)) {
            transport.get().serve(address, socket);
            served.add(address);
        }
        return socket;
    }

    @Override
    protected void after() {
        try {
            for (PciAddress address : served) {
                transport.get().unserve(address);
            }
        } catch (VfioException e) {
            throw new AssertionError("a device is served no more", e);
        } finally {
            folder.delete();
        }
    }
}
