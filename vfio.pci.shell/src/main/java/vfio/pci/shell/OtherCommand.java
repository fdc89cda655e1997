// SPDX-License-Identifier: Apache-2.0
package vfio.pci.shell;

import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import org.osgi.framework.BundleContext;
import org.osgi.framework.InvalidSyntaxException;
import org.osgi.framework.ServiceReference;

/// A command of scope `vfio` that another bundle brings, as its service's properties tell it.
///
/// @param function its name without the scope
/// @param parameters may be empty
/// @param summary one line
record OtherCommand(String function, String parameters, String summary) {
    private static final String SUMMARY = "vfio.command.summary";
    private static final String FILTER = "(&(osgi.command.scope=vfio)(osgi.command.function=*)(" + SUMMARY + "=*))";

    /// Those that are there now, by name.
    static List<OtherCommand> all(BundleContext context) {
        try {
            ServiceReference<?>[] found = context.getAllServiceReferences(null, FILTER);
            return found == null ? List.of()
                : Arrays.stream(found).map(OtherCommand::of).sorted(Comparator.comparing(OtherCommand::function)).toList();
        } catch (InvalidSyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    private static OtherCommand of(ServiceReference<?> found) {
        Object parameters = found.getProperty("vfio.command.parameters");
        return new OtherCommand(found.getProperty("osgi.command.function").toString(), parameters == null ? "" : parameters.toString(),
            found.getProperty(SUMMARY).toString());
    }

    String usage() {
        return ("vfio:" + function + " " + parameters).trim();
    }
}
