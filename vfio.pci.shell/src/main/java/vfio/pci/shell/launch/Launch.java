// SPDX-License-Identifier: Apache-2.0
package vfio.pci.shell.launch;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.util.concurrent.CountDownLatch;
import org.apache.felix.service.command.CommandProcessor;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.FrameworkEvent;
import org.osgi.framework.FrameworkListener;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import vfio.pci.shell.control.GogoRunner;

/// Runs the errand of the command line, if there is one, when the framework has started: every bundle is, and the configurations have been
/// read.
@Component(immediate = true)
public final class Launch {
    private final CountDownLatch started = new CountDownLatch(1);
    private final FrameworkListener listener = this::frameworkEvent;
    private Thread thread;

    @Reference
    CommandProcessor gogo;

    @Activate
    void activate(BundleContext context) {
        if (Boolean.parseBoolean(context.getProperty("vfio.until.eof"))) {
            Thread.ofPlatform().daemon().name("vfio-until-eof").start(() -> endWithInput(context.getBundle(0)));
        }
        String command = context.getProperty("vfio.command");
        String serve = context.getProperty("vfio.serve");
        if (command == null && serve == null) {
            return;
        }
        Errand errand = command == null
            ? new ServeErrand(context, serve)
            // Not System.out: within a command that is what Gogo makes of this very stream.
            : () -> new GogoRunner(gogo).run(command,
                new FileOutputStream(FileDescriptor.out), new FileOutputStream(FileDescriptor.err));
        context.addFrameworkListener(listener);
        if (context.getBundle(0).getState() == Bundle.ACTIVE) {
            started.countDown();
        }
        thread = Thread.ofPlatform().daemon().name("vfio-launch").start(() -> run(errand));
    }

    @Deactivate
    void deactivate(BundleContext context) {
        context.removeFrameworkListener(listener);
        // The thread itself may be what stops the framework, by System.exit: it is not waited for.
        if (thread != null) {
            thread.interrupt();
        }
    }

    private void frameworkEvent(FrameworkEvent event) {
        if (event.getType() == FrameworkEvent.STARTED) {
            started.countDown();
        }
    }

    private void run(Errand errand) {
        int code;
        try {
            started.await();
            code = errand.run();
        } catch (InterruptedException e) {
            return;
        }
        System.out.flush();
        if (code != Errand.STAY) {
            // The launcher's shutdown hook stops the framework in order.
            System.exit(code);
        }
    }

    private static void endWithInput(Bundle framework) {
        try {
            while (System.in.read() >= 0) {
                // What is sent is of no interest, only that somebody is still there.
            }
        } catch (IOException e) {
            System.getLogger(Launch.class.getName()).log(System.Logger.Level.DEBUG, "standard input: {0}", e.getMessage());
        }
        System.exit(0);
    }
}
