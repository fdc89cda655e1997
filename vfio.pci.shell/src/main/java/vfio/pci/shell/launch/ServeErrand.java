// SPDX-License-Identifier: Apache-2.0
package vfio.pci.shell.launch;

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

    /// @param text an address and a place in turn, each a line
    ServeErrand(BundleContext context, String text) {
        this.context = context;
        this.text = text;
    }

    @Override
    public int run() throws InterruptedException {
        try {
            List<ServeOrder> orders = ServeOrder.read(text);
            DeviceAdmin devices = await(DeviceAdmin.class, "the core (vfio.pci.core)");
            ServeAdmin transport = await(ServeAdmin.class, "a transport (vfio.user)");
            var addresses = new ArrayList<PciAddress>();
            for (ServeOrder order : orders) {
                addresses.add(devices.device(Services.address(order.address(), Services.known(devices))).address());
            }
            for (int i = 0; i < addresses.size(); i++) {
                orders.get(i).place().serve(transport, addresses.get(i));
                System.out.printf("serving %s on %s%n", addresses.get(i), orders.get(i).place());
            }
            return STAY;
        } catch (VfioException | IllegalArgumentException | IllegalStateException e) {
            System.err.println("error: " + (e instanceof VfioException ? e : e.getMessage()));
            return CommandRunner.FAILURE;
        }
    }

    /// The service as soon as it is there. The tracker stays open: the services are used as long as the runtime lives.
    private <T> T await(Class<T> type, String provider) throws InterruptedException {
        var tracker = new ServiceTracker<T, T>(context, type, null);
        tracker.open();
        return Services.require(tracker.waitForService(SERVICE_TIMEOUT_MILLIS), type, provider);
    }
}
