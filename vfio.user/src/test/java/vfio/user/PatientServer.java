// SPDX-License-Identifier: Apache-2.0
package vfio.user;

import java.nio.file.Path;
import vfio.pci.api.VfioException;

/// A second server beside that of a test, whose requests may take any time.
final class PatientServer implements AutoCloseable {
    final Path socket;
    private final TestPci pci = new TestPci();
    private final VfioUserServer server;

    PatientServer(ServerFixture beside) throws VfioException {
        socket = beside.folder.resolve("patient.sock");
        server = new VfioUserServer(pci, pci);
        server.setRules(ServerFixture.PATIENT, SocketRules.standard());
        server.serve(TestPci.FIRST, socket);
    }

    TestDevice device() throws InterruptedException {
        return pci.next();
    }

    @Override
    public void close() {
        server.deactivate();
    }
}
