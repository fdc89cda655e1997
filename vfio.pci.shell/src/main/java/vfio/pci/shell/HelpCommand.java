// SPDX-License-Identifier: Apache-2.0
package vfio.pci.shell;

import java.util.Arrays;
import org.osgi.service.component.annotations.Component;

/// `vfio:help`.
@Component(service = HelpCommand.class, property = {"osgi.command.scope=vfio", "osgi.command.function=help"})
public final class HelpCommand {
    /// Lists the commands, or tells more of one.
    public void help(String[] typed) {
        Arguments arguments = Arguments.of(Command.HELP, typed);
        if (arguments.answeredHelp(System.out)) {
            return;
        }
        if (arguments.count() == 1) {
            String name = arguments.text(0);
            Command.named(name).orElseThrow(() -> new IllegalArgumentException(
                "command=%s expected=one of %s; felix:help tells of other scopes".formatted(name, all()))).printHelp(System.out);
            return;
        }
        var table = new Table("COMMAND", "WHAT IT DOES");
        for (Command command : Command.values()) {
            table.row(command.usage(), command.summary());
        }
        table.print(System.out);
        // Gogo finds this command for a plain `help` too.
        System.out.println("-j answers in JSON, -h tells more of a command. Commands of other scopes: felix:help");
    }

    private static String all() {
        return String.join(", ", Arrays.stream(Command.values()).map(Command::function).toList());
    }
}
