// SPDX-License-Identifier: Apache-2.0
package vfio.pci.shell;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.osgi.framework.BundleContext;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;

/// `vfio:help`.
@Component(service = HelpCommand.class, property = {"osgi.command.scope=vfio", "osgi.command.function=help"})
public final class HelpCommand {
    private final Supplier<List<OtherCommand>> others;

    /// Finds what other bundles bring by this context.
    @Activate
    public HelpCommand(BundleContext context) {
        this(() -> OtherCommand.all(context));
    }

    HelpCommand(Supplier<List<OtherCommand>> others) {
        this.others = others;
    }

    /// Lists the commands, or tells more of one.
    public void help(String[] typed) {
        Arguments arguments = Arguments.of(Command.HELP, typed);
        if (arguments.answeredHelp(System.out)) {
            return;
        }
        if (arguments.count() == 1) {
            String name = arguments.text(0);
            Optional<OtherCommand> other = others.get().stream().filter(command -> command.function().equals(name)).findFirst();
            if (other.isPresent()) {
                System.out.println(other.get().usage() + "\n    " + other.get().summary());
                return;
            }
            Command.named(name).orElseThrow(() -> new IllegalArgumentException(
                "command=%s expected=one of %s; felix:help tells of other scopes".formatted(name, all()))).printHelp(System.out);
            return;
        }
        var table = new Table("COMMAND", "WHAT IT DOES");
        for (Command command : Command.values()) {
            table.row(command.usage(), command.summary());
        }
        others.get().forEach(command -> table.row(command.usage(), command.summary()));
        table.print(System.out);
        // Gogo finds this command for a plain `help` too.
        System.out.println("-j answers in JSON, -h tells more of a command. Commands of other scopes: felix:help");
    }

    private String all() {
        return Stream.concat(Arrays.stream(Command.values()).map(Command::function), others.get().stream().map(OtherCommand::function))
            .collect(Collectors.joining(", "));
    }
}
