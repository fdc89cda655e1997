// SPDX-License-Identifier: Apache-2.0
package vfio.pci.shell;

import java.util.List;
import java.util.Optional;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.component.annotations.ReferencePolicyOption;
import vfio.pci.api.PciAddress;
import vfio.pci.api.VfioException;
import vfio.pci.api.admin.AccessStats;
import vfio.pci.api.admin.DeviceAdmin;
import vfio.pci.api.admin.DeviceStatus;
import vfio.pci.api.admin.ServeAdmin;
import vfio.pci.api.admin.ServedStatus;
import vfio.pci.api.admin.ServedTraffic;

/// `vfio:devices`, `vfio:device` and `vfio:stats`.
@Component(service = DeviceCommands.class, property = {
    "osgi.command.scope=vfio", "osgi.command.function=devices", "osgi.command.function=device", "osgi.command.function=stats"})
public final class DeviceCommands {
    @Reference(cardinality = ReferenceCardinality.OPTIONAL, policy = ReferencePolicy.DYNAMIC, policyOption = ReferencePolicyOption.GREEDY)
    volatile DeviceAdmin devices;

    @Reference(cardinality = ReferenceCardinality.OPTIONAL, policy = ReferencePolicy.DYNAMIC, policyOption = ReferencePolicyOption.GREEDY)
    volatile ServeAdmin transport;

    /// Lists all functions.
    public void devices(String[] typed) {
        Arguments arguments = Arguments.of(Command.DEVICES, typed);
        if (arguments.answeredHelp(System.out)) {
            return;
        }
        List<DeviceStatus> all = Services.core(devices).devices();
        List<ServedStatus> served = served();
        if (arguments.json()) {
            System.out.println(Json.list(all.stream().map(status -> DeviceReport.json(status, served)).toList()));
        } else {
            DeviceReport.table(all, served).print(System.out);
        }
    }

    /// Shows one function.
    public void device(String[] typed) throws VfioException {
        Arguments arguments = Arguments.of(Command.DEVICE, typed);
        if (arguments.answeredHelp(System.out)) {
            return;
        }
        DeviceAdmin admin = Services.core(devices);
        DeviceStatus status = admin.device(arguments.address(Services.known(admin)));
        if (arguments.json()) {
            System.out.println(DeviceReport.json(status, served()));
        } else {
            DeviceReport.print(status, served(), System.out);
        }
    }

    /// Shows the counters of one device.
    public void stats(String[] typed) throws VfioException {
        Arguments arguments = Arguments.of(Command.STATS, typed);
        if (arguments.answeredHelp(System.out)) {
            return;
        }
        DeviceAdmin admin = Services.core(devices);
        PciAddress address = arguments.address(Services.known(admin));
        AccessStats stats = admin.stats(address);
        Optional<ServedTraffic> traffic = served().stream().filter(each -> each.address().equals(address)).findFirst()
            .map(ServedStatus::traffic);
        if (arguments.json()) {
            System.out.println(StatsReport.json(address, stats, traffic));
        } else {
            StatsReport.print(stats, traffic, System.out);
        }
    }

    private List<ServedStatus> served() {
        ServeAdmin present = transport;
        return present == null ? List.of() : present.served();
    }
}
