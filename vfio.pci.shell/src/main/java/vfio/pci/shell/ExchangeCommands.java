// SPDX-License-Identifier: Apache-2.0
package vfio.pci.shell;

import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.component.annotations.ReferencePolicyOption;
import vfio.pci.api.PciAddress;
import vfio.pci.api.VfioException;
import vfio.pci.api.admin.DeviceAdmin;
import vfio.pci.api.admin.Exchange;
import vfio.pci.api.admin.MediatorPolicy;

/// `vfio:policy`, `vfio:stack`, `vfio:rebind`, `vfio:swap`, `vfio:renew` and `vfio:unload`: who mediates open devices, and what becomes of
/// them without.
@Component(service = ExchangeCommands.class, property = {
    "osgi.command.scope=vfio", "osgi.command.function=policy", "osgi.command.function=stack", "osgi.command.function=rebind",
    "osgi.command.function=swap", "osgi.command.function=renew", "osgi.command.function=unload"})
public final class ExchangeCommands {
    @Reference(cardinality = ReferenceCardinality.OPTIONAL, policy = ReferencePolicy.DYNAMIC, policyOption = ReferencePolicyOption.GREEDY)
    volatile DeviceAdmin devices;

    /// Shows or changes the policy of a device.
    public void policy(String[] typed) throws VfioException {
        Arguments arguments = Arguments.of(Command.POLICY, typed);
        if (arguments.answeredHelp(System.out)) {
            return;
        }
        DeviceAdmin admin = Services.core(devices);
        PciAddress address = arguments.address(Services.known(admin));
        if (arguments.count() > 1) {
            String text = arguments.text(1);
            admin.policy(address, MediatorPolicy.of(text).orElseThrow(() -> new IllegalArgumentException(
                "policy=%s expected=one of %s".formatted(text, String.join(", ",
                    Stream.of(MediatorPolicy.values()).map(MediatorPolicy::toString).toList())))));
        }
        MediatorPolicy now = admin.policy(address);
        System.out.println(arguments.json() ? new Json().put("address", address).put("policy", now) : now);
    }

    /// Shows or declares the layers of a device.
    public void stack(String[] typed) throws VfioException {
        Arguments arguments = Arguments.of(Command.STACK, typed);
        if (arguments.answeredHelp(System.out)) {
            return;
        }
        DeviceAdmin admin = Services.core(devices);
        PciAddress address = arguments.address(Services.known(admin));
        if (arguments.count() > 1) {
            admin.stack(address, arguments.texts(1));
        }
        StackReport report = new StackReport(admin.device(address), admin.stack(address));
        if (arguments.json()) {
            System.out.println(report.json());
        } else {
            report.print(System.out);
        }
    }

    /// Binds an open device anew.
    public void rebind(String[] typed) throws VfioException {
        Arguments arguments = Arguments.of(Command.REBIND, typed);
        if (arguments.answeredHelp(System.out)) {
            return;
        }
        DeviceAdmin admin = Services.core(devices);
        Optional<String> mediator = arguments.count() > 1 ? Optional.of(arguments.text(1)) : Optional.empty();
        print(arguments, List.of(admin.rebind(arguments.address(Services.known(admin)), mediator)));
    }

    /// Exchanges mediators.
    public void swap(String[] typed) throws VfioException {
        Arguments arguments = Arguments.of(Command.SWAP, typed);
        if (arguments.answeredHelp(System.out)) {
            return;
        }
        DeviceAdmin admin = Services.core(devices);
        Optional<PciAddress> address = arguments.text(0).equals(Arguments.ALL) ? Optional.empty()
            : Optional.of(arguments.address(Services.known(admin)));
        List<Exchange> all = admin.swap(address, arguments.text(1), arguments.text(2));
        print(arguments, all);
        List<Exchange> failed = all.stream().filter(each -> each.failure().isPresent()).toList();
        if (!failed.isEmpty()) {
            throw new IllegalStateException("devices=%d of %d go on as before: %s".formatted(failed.size(), all.size(),
                failed.getFirst().failure().orElseThrow()));
        }
    }

    /// Binds a function afresh.
    public void renew(String[] typed) throws VfioException {
        Arguments arguments = Arguments.of(Command.RENEW, typed);
        if (arguments.answeredHelp(System.out)) {
            return;
        }
        DeviceAdmin admin = Services.core(devices);
        print(arguments, List.of(admin.renew(arguments.address(Services.known(admin)))));
    }

    /// Stops a mediator.
    public void unload(String[] typed) throws VfioException {
        Arguments arguments = Arguments.of(Command.UNLOAD, typed);
        if (arguments.answeredHelp(System.out)) {
            return;
        }
        String mediator = Services.core(devices).unload(arguments.text(0));
        System.out.println(arguments.json() ? new Json().put("mediator", mediator) : "stopped " + mediator);
    }

    private static void print(Arguments arguments, List<Exchange> all) {
        if (arguments.json()) {
            System.out.println(Json.list(all.stream().map(ExchangeReport::json).toList()));
        } else {
            ExchangeReport.print(all, System.out);
        }
    }
}
