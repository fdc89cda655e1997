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
import vfio.pci.api.admin.ProvidedMediator;
import vfio.pci.api.admin.ProvisionAdmin;

/// `vfio:mediators`.
@Component(service = MediatorCommands.class, property = {"osgi.command.scope=vfio", "osgi.command.function=mediators"})
public final class MediatorCommands {
    @Reference(cardinality = ReferenceCardinality.OPTIONAL, policy = ReferencePolicy.DYNAMIC, policyOption = ReferencePolicyOption.GREEDY)
    volatile DeviceAdmin devices;
    @Reference(cardinality = ReferenceCardinality.OPTIONAL, policy = ReferencePolicy.DYNAMIC, policyOption = ReferencePolicyOption.GREEDY)
    volatile ProvisionAdmin provisioning;

    /// Lists the mediators in the order they are asked, and which were loaded on demand.
    public void mediators(String[] typed) {
        Arguments arguments = Arguments.of(Command.MEDIATORS, typed);
        if (arguments.answeredHelp(System.out)) {
            return;
        }
        List<MediatorStatus> all = Services.core(devices).mediators();
        ProvisionAdmin present = provisioning;
        List<ProvidedMediator> provided = present == null ? List.of() : present.provided();
        if (arguments.json()) {
            System.out.println(Json.list(all.stream().map(status -> MediatorReport.json(status, provided)).toList()));
        } else {
            MediatorReport.print(all, System.out);
            StackReport.print(Services.core(devices).devices(), System.out);
            PlanReport.print(provided, System.out);
        }
    }
}
