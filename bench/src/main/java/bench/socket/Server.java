// SPDX-License-Identifier: Apache-2.0
package bench.socket;

import com.sun.management.ThreadMXBean;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.lang.management.GarbageCollectorMXBean;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import vfio.pci.api.PciAddress;
import vfio.pci.api.VfioException;
import vfio.user.VfioUserServer;

/// The vfio-user server over bench devices, in a process of its own. Each line of its input is answered by what all its threads, also
/// those that ended, have allocated so far and what its collectors did; the end of its input ends it.
final class Server {
    private Server() {
    }

    /// `SOCKET...`: a device for each. The property `bench.spin` is the microseconds of [VfioUserServer#setSpin].
    public static void main(String[] sockets) throws VfioException, IOException {
        BenchPci pci = new BenchPci();
        VfioUserServer server = new VfioUserServer(pci, pci);
        Integer spin = Integer.getInteger("bench.spin");
        if (spin != null) {
            server.setSpin(Duration.ofNanos(spin * 1000L));
        }
        try {
            for (int i = 0; i < sockets.length; i++) {
                server.serve(PciAddress.ofRoutingId(0, i), Path.of(sockets[i]));
            }
            System.out.println("ready");
            BufferedReader input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII));
            while (input.readLine() != null) {
                System.out.println(state());
            }
        } finally {
            server.deactivate();
        }
    }

    private static String state() {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long allocated = threads.getTotalThreadAllocatedBytes();
        long collections = 0;
        long millis = 0;
        for (GarbageCollectorMXBean collector : ManagementFactory.getGarbageCollectorMXBeans()) {
            collections += collector.getCollectionCount();
            millis += collector.getCollectionTime();
        }
        return "allocated=" + allocated + " collections=" + collections + " millis=" + millis;
    }
}
