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
        DeviceCommands.class, MediatorCommands.class, ServeCommands.class, MigrateCommands.class, AccessCommands.class, HelpCommand.class);

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
    void namesUnknownCommand() {
        assertThatThrownBy(() -> new HelpCommand().help(new String[] {"peek"})).hasMessage(
            "command=peek expected=one of devices, device, mediators, serve, unserve, read, write, migrate, stats, help; "
                + "felix:help tells of other scopes");
    }
}
