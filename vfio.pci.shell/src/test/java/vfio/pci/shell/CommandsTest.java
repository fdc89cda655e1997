// SPDX-License-Identifier: Apache-2.0
package vfio.pci.shell;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.reflect.Method;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/// What the commands say when the runtime has neither core nor transport; with them they are proven in a real framework.
class CommandsTest {
    private static final List<Class<?>> COMPONENTS = List.of(
        DeviceCommands.class, MediatorCommands.class, ExchangeCommands.class, ServeCommands.class, MigrateCommands.class,
        AccessCommands.class, ProvisionCommands.class, HelpCommand.class);

    @Test
    void everyCommandHasItsMethod() {
        Set<String> methods = COMPONENTS.stream().flatMap(type -> Arrays.stream(type.getDeclaredMethods()))
            .filter(method -> Arrays.equals(method.getParameterTypes(), new Class<?>[] {String[].class}))
            .map(Method::getName).collect(Collectors.toSet());
        assertThat(methods).containsExactlyInAnyOrderElementsOf(Arrays.stream(Command.values()).map(Command::function).toList());
    }

    @Test
    void saysThatThereIsNoCore() {
        String expected = "service=DeviceAdmin expected=the core (vfio.pci.core); its bundle is not started or not configured";
        assertThatThrownBy(() -> new DeviceCommands().devices(new String[0])).hasMessage(expected);
        assertThatThrownBy(() -> new DeviceCommands().stats(new String[] {"3b:02.0"})).hasMessage(expected);
        assertThatThrownBy(() -> new MediatorCommands().mediators(new String[0])).hasMessage(expected);
        assertThatThrownBy(() -> new ServeCommands().serve(new String[] {"3b:02.0", "/run/a"})).hasMessage(expected);
        assertThatThrownBy(() -> new AccessCommands().read(new String[] {"3b:02.0", "bar0", "0", "4"}))
            .hasMessage(expected.replace("DeviceAdmin", "VfioPci"));
    }

    @Test
    void saysThatThereIsNoProvisioning() {
        String expected = "service=ProvisionAdmin expected=the provisioning (vfio.pci.provision); "
            + "its bundle is not started or not configured";
        assertThatThrownBy(() -> new ProvisionCommands().plan(new String[] {"refresh", "a"})).hasMessage(expected);
        assertThatThrownBy(() -> new ProvisionCommands().apply(new String[0])).hasMessage(expected);
        assertThatThrownBy(() -> new ProvisionCommands().prefer(new String[0])).hasMessage(expected);
    }

    @Test
    void namesActionsOfAPlan() {
        assertThatThrownBy(() -> new ProvisionCommands().plan(new String[] {"remove", "a"})).hasMessage(
            "action=remove expected=one of install, update, uninstall, refresh");
        assertThatThrownBy(() -> new ProvisionCommands().prefer(new String[] {"8086:154c"})).hasMessageContaining(
            "arguments=1 expected=none, or VENDOR:DEVICE and BUNDLE");
    }

    @Test
    void namesUnknownCommand() {
        assertThatThrownBy(() -> new HelpCommand(List::of).help(new String[] {"peek"})).hasMessage(
            "command=peek expected=one of devices, device, mediators, policy, stack, rebind, swap, renew, unload, serve, unserve, read, "
                + "write, "
                + "migrate, stats, plan, apply, prefer, help; felix:help tells of other scopes");
    }
}
