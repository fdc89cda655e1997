// SPDX-License-Identifier: Apache-2.0
package itest.wire;

import itest.Await;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.junit.rules.ExternalResource;
import org.junit.rules.TemporaryFolder;
import vfio.pci.api.Errno;
import vfio.pci.api.PciAddress;
import vfio.pci.api.VfioException;
import vfio.pci.api.admin.ServeAdmin;

/** A device that is served during a test. Afterwards the clients are hung up, and then nothing may be left of them. */
public final class ServedDevice extends ExternalResource {
    private final Supplier<ServeAdmin> transport;
    private final TemporaryFolder folder;
    private final PciAddress address;
    private final List<RawClient> clients = new ArrayList<>();
    private Held before;
    private Held served;

    /** For a test whose services are injected after its rules are made. */
    public ServedDevice(Supplier<ServeAdmin> transport, TemporaryFolder folder, PciAddress address) {
        this.transport = transport;
        this.folder = folder;
        this.address = address;
    }

    @Override
    protected void before() throws Exception {
        before = Held.now();
        Await.until("the device is there", this::serve);
        served = Held.now();
    }

    private boolean serve() throws VfioException {
        try {
            transport.get().serve(address, path());
            return true;
        } catch (VfioException notYet) {
            if (notYet.errno() == Errno.ENODEV || notYet.errno() == Errno.ENOENT) {
                return false;
            }
            throw notYet;
        }
    }

    @Override
    protected void after() {
        try {
            hangUp();
            transport.get().unserve(address);
            Held.awaitNoMoreThan(before);
        } catch (VfioException e) {
            throw new AssertionError(e);
        }
    }

    /** Hangs up, and returns when the server has let go of everything that these clients made it hold. */
    public void hangUp() {
        clients.forEach(RawClient::close);
        clients.clear();
        Held.awaitNoMoreThan(served);
    }

    /** Where it is served. */
    public Path path() {
        return folder.getRoot().toPath().resolve(address + ".sock");
    }

    /** A client that has said nothing yet. */
    public RawClient connect() throws VfioException {
        RawClient client = RawClient.connect(path());
        clients.add(client);
        return client;
    }

    /** A client that has said what QEMU says, and was answered. */
    public RawClient ready() throws VfioException {
        return ready(Payload.QEMU);
    }

    /** A client that has proposed this, and was answered. */
    public RawClient ready(String json) throws VfioException {
        RawClient client = connect();
        Message version = client.call(Command.VERSION, Payload.version(json));
        if (version.isError()) {
            throw new AssertionError("VERSION errno=" + version.errno());
        }
        return client;
    }
}
