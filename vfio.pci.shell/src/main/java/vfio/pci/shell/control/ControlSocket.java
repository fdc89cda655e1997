// SPDX-License-Identifier: Apache-2.0
package vfio.pci.shell.control;

import java.io.IOException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import org.apache.felix.service.command.CommandProcessor;
import org.osgi.framework.BundleContext;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.Designate;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;
import vfio.pci.api.VfioException;

/// Opens the control socket where the framework property or the configuration says; without either there is none. The framework property
/// comes from whoever started this very process and so goes before the configuration; with [#REQUIRED] he is told on standard output when
/// a client may connect, and the process ends with exit code 3 and the reason on standard error when none ever can.
@Component(immediate = true, configurationPid = "vfio.pci.shell")
@Designate(ocd = ControlSocket.Config.class)
public final class ControlSocket {
    /// Framework property and configuration key: the socket's path.
    public static final String PATH = "vfio.control";

    /// Framework property: `true` when the process is of no use without the socket.
    public static final String REQUIRED = "vfio.control.required";

    private static final System.Logger LOG = System.getLogger(ControlSocket.class.getName());

    private ControlServer server;

    /// Configuration `vfio.pci.shell`.
    @ObjectClassDefinition(name = "VFIO shell")
    @interface Config {
        /// Path of the control socket; empty for none.
        @AttributeDefinition(description = "Path of the control socket; empty for none")
        String vfio_control() default "";
    }

    @Reference
    CommandProcessor gogo;

    @Activate
    void activate(BundleContext context, Config config) throws IOException {
        String property = context.getProperty(PATH);
        String path = property == null || property.isEmpty() ? config.vfio_control() : property;
        if (path.isEmpty()) {
            return;
        }
        boolean required = Boolean.parseBoolean(context.getProperty(REQUIRED));
        try {
            server = new ControlServer(Path.of(path), new GogoRunner(gogo));
            if (required) {
                System.out.println("control socket " + path);
            }
        } catch (VfioException | IOException | InvalidPathException e) {
            if (required) {
                System.err.println("error: " + (e instanceof VfioException ? e : "control=" + path + ": " + e));
                // Not on this thread, which is starting the framework that the exit stops.
                Thread.ofPlatform().name("vfio-control-missing").start(() -> System.exit(CommandRunner.FAILURE));
            } else {
                LOG.log(System.Logger.Level.ERROR, "no control socket: {0}", e);
            }
        }
    }

    @Deactivate
    void deactivate() throws IOException {
        if (server != null) {
            server.close();
        }
    }
}
