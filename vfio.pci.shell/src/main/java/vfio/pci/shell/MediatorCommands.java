// SPDX-License-Identifier: Apache-2.0
package vfio.pci.shell;

import java.util.List;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.component.annotations.ReferencePolicyOption;
import vfio.pci.api.admin.DeviceAdmin;
import vfio.pci.api.admin.MediatorStatus;

/// `vfio:mediators`.
@Component(service = MediatorCommands.class, property = {"osgi.command.scope=vfio", "osgi.command.function=mediators"})
public final class MediatorCommands {
    @Reference(cardinality = ReferenceCardinality.OPTIONAL, policy = ReferencePolicy.DYNAMIC, policyOption = ReferencePolicyOption.GREEDY)
    volatile DeviceAdmin devices;

    /// Lists the mediators in the order they are asked.
    public void mediators(String[] typed) {
        Arguments arguments = Arguments.of(Command.MEDIATORS, typed);
        if (arguments.answeredHelp(System.out)) {
            return;
        }
        List<MediatorStatus> all = Services.core(devices).mediators();
        if (arguments.json()) {
            System.out.println(Json.list(all.stream().map(MediatorReport::json).toList()));
        } else {
            MediatorReport.print(all, System.out);
        }
    }
}
