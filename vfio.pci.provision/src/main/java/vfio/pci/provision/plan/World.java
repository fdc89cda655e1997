// SPDX-License-Identifier: Apache-2.0
package vfio.pci.provision.plan;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Comparator;
import java.util.UUID;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import vfio.pci.provision.bundles.RunningDevices;

/// The state that a plan is made for: bundles with their states and contents, who has which device open, and its policy.
final class World {
    private final BundleContext context;
    private final RunningDevices devices;

    World(BundleContext context, RunningDevices devices) {
        this.context = context;
        this.devices = devices;
    }

    /// A name of the state as it is now: another state has another one.
    String state() {
        StringBuilder all = new StringBuilder();
        Arrays.stream(context.getBundles()).sorted(Comparator.comparingLong(Bundle::getBundleId)).forEach(bundle -> all
            .append(bundle.getBundleId()).append(' ').append(bundle.getSymbolicName()).append(' ').append(bundle.getVersion()).append(' ')
            .append(bundle.getState()).append(' ').append(bundle.getLastModified()).append('\n'));
        devices.open().forEach(device -> all.append(device.address()).append(' ').append(device.mediator()).append(' ')
            .append(device.clients()).append('\n'));
        all.append(devices.policies());
        return UUID.nameUUIDFromBytes(all.toString().getBytes(StandardCharsets.UTF_8)).toString().substring(0, 8);
    }
}
