// SPDX-License-Identifier: Apache-2.0
package vfio.pci.shell.launch;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.osgi.framework.BundleContext;
import org.osgi.util.tracker.ServiceTracker;
import vfio.pci.api.PciAddress;
import vfio.pci.api.VfioException;
import vfio.pci.api.admin.DeviceAdmin;
import vfio.pci.api.admin.ServeAdmin;
import vfio.pci.shell.control.CommandRunner;

/// Serves the devices the command line names; all or none.
final class ServeErrand implements Errand {
    private static final long SERVICE_TIMEOUT_MILLIS = 10_000;

    private final BundleContext context;
    private final String text;

    /// @param text an address and a path in turn, each a line
    ServeErrand(BundleContext context, String text) {
        this.context = context;
        this.text = text;
    }

    @Override
    public int run() throws InterruptedException {
        try {
            List<Pair> pairs = parse(text);
            DeviceAdmin devices = await(DeviceAdmin.class, "the core (vfio.pci.core)");
            ServeAdmin transport = await(ServeAdmin.class, "a transport (vfio.user)");
            for (Pair pair : pairs) {
                devices.device(pair.address);
            }
            for (Pair pair : pairs) {
                transport.serve(pair.address, pair.socket);
                System.out.printf("serving %s on %s%n", pair.address, pair.socket);
            }
            return STAY;
        } catch (VfioException | IllegalArgumentException | IllegalStateException e) {
            System.err.println("error: " + (e instanceof VfioException ? e : e.getMessage()));
            return CommandRunner.FAILURE;
        }
    }

    /// What to serve where.
    record Pair(PciAddress address, Path socket) {
    }

    /// @throws IllegalArgumentException for anything but pairs of an address and a path
    static List<Pair> parse(String text) {
        List<String> lines = text.lines().toList();
        if (lines.isEmpty() || lines.size() % 2 != 0) {
            throw new IllegalArgumentException("arguments=%d expected=ADDRESS SOCKET [ADDRESS SOCKET]...".formatted(lines.size()));
        }
        var pairs = new ArrayList<Pair>();
        for (int i = 0; i < lines.size(); i += 2) {
            pairs.add(new Pair(PciAddress.parse(lines.get(i)), Path.of(lines.get(i + 1)).toAbsolutePath()));
        }
        return pairs;
    }

    /// The service as soon as it is there. The tracker stays open: the services are used as long as the runtime lives.
    private <T> T await(Class<T> type, String provider) throws InterruptedException {
        var tracker = new ServiceTracker<T, T>(context, type, null);
        tracker.open();
        T service = tracker.waitForService(SERVICE_TIMEOUT_MILLIS);
        if (service == null) {
            throw new IllegalStateException("service=%s expected=%s; its bundle is not started or not configured"
                .formatted(type.getSimpleName(), provider));
        }
        return service;
    }
}
