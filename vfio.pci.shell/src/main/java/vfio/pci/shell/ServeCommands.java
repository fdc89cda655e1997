// SPDX-License-Identifier: Apache-2.0
package vfio.pci.shell;

import java.nio.file.Path;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.component.annotations.ReferencePolicyOption;
import vfio.pci.api.PciAddress;
import vfio.pci.api.VfioException;
import vfio.pci.api.admin.DeviceAdmin;
import vfio.pci.api.admin.ServeAdmin;

/// `vfio:serve` and `vfio:unserve`.
@Component(service = ServeCommands.class, property = {
    "osgi.command.scope=vfio", "osgi.command.function=serve", "osgi.command.function=unserve"})
public final class ServeCommands {
    @Reference(cardinality = ReferenceCardinality.OPTIONAL, policy = ReferencePolicy.DYNAMIC, policyOption = ReferencePolicyOption.GREEDY)
    volatile DeviceAdmin devices;

    @Reference(cardinality = ReferenceCardinality.OPTIONAL, policy = ReferencePolicy.DYNAMIC, policyOption = ReferencePolicyOption.GREEDY)
    volatile ServeAdmin transport;

    /// Serves a device on a socket.
    public void serve(String[] typed) throws VfioException {
        Arguments arguments = Arguments.of(Command.SERVE, typed);
        if (arguments.answeredHelp(System.out)) {
            return;
        }
        PciAddress address = address(arguments);
        Path socket = arguments.socket();
        transport().serve(address, socket);
        if (arguments.json()) {
            System.out.println(new Json().put("address", address).put("socket", socket));
        } else {
            System.out.printf("serving %s on %s%n", address, socket);
        }
    }

    /// Ends serving a device.
    public void unserve(String[] typed) throws VfioException {
        Arguments arguments = Arguments.of(Command.UNSERVE, typed);
        if (arguments.answeredHelp(System.out)) {
            return;
        }
        PciAddress address = address(arguments);
        transport().unserve(address);
        if (arguments.json()) {
            System.out.println(new Json().put("address", address));
        }
    }

    /// The address, of a function that exists: the core's answer to an unknown one lists those that do.
    private PciAddress address(Arguments arguments) throws VfioException {
        DeviceAdmin admin = Services.core(devices);
        return admin.device(arguments.address(Services.known(admin))).address();
    }

    private ServeAdmin transport() {
        return Services.require(transport, ServeAdmin.class, "a transport (vfio.user)");
    }
}
