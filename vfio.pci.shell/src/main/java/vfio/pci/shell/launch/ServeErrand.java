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
import vfio.pci.shell.Services;
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
            List<String> lines = lines(text);
            DeviceAdmin devices = await(DeviceAdmin.class, "the core (vfio.pci.core)");
            ServeAdmin transport = await(ServeAdmin.class, "a transport (vfio.user)");
            var addresses = new ArrayList<PciAddress>();
            for (int i = 0; i < lines.size(); i += 2) {
                addresses.add(devices.device(Services.address(lines.get(i), Services.known(devices))).address());
            }
            for (int i = 0; i < addresses.size(); i++) {
                Path socket = Path.of(lines.get(2 * i + 1)).toAbsolutePath();
                transport.serve(addresses.get(i), socket);
                System.out.printf("serving %s on %s%n", addresses.get(i), socket);
            }
            return STAY;
        } catch (VfioException | IllegalArgumentException | IllegalStateException e) {
            System.err.println("error: " + (e instanceof VfioException ? e : e.getMessage()));
            return CommandRunner.FAILURE;
        }
    }

    /// @throws IllegalArgumentException for anything but pairs of lines
    static List<String> lines(String text) {
        List<String> lines = text.lines().toList();
        if (lines.isEmpty() || lines.size() % 2 != 0) {
            throw new IllegalArgumentException("arguments=%d expected=ADDRESS SOCKET [ADDRESS SOCKET]...".formatted(lines.size()));
        }
        return lines;
    }

    /// The service as soon as it is there. The tracker stays open: the services are used as long as the runtime lives.
    private <T> T await(Class<T> type, String provider) throws InterruptedException {
        var tracker = new ServiceTracker<T, T>(context, type, null);
        tracker.open();
        return Services.require(tracker.waitForService(SERVICE_TIMEOUT_MILLIS), type, provider);
    }
}
