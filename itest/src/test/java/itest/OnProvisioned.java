// SPDX-License-Identifier: Apache-2.0
package itest;

import static itest.options.RuntimeOptions.core;
import static itest.options.RuntimeOptions.felix;
import static itest.options.RuntimeOptions.provisioning;
import static itest.options.RuntimeOptions.shell;
import static itest.options.RuntimeOptions.simulatedNic;

import itest.bundles.MediatorBundle;
import itest.mediators.Answering;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import javax.inject.Inject;
import org.apache.felix.service.command.CommandProcessor;
import org.junit.Rule;
import org.junit.rules.TestWatcher;
import org.junit.runner.Description;
import org.ops4j.pax.exam.Configuration;
import org.ops4j.pax.exam.Option;
import org.osgi.framework.Bundle;
import org.osgi.service.cm.ConfigurationAdmin;
import vfio.pci.api.PciAddress;
import vfio.pci.api.VfioException;
import vfio.pci.api.device.VfioDevice;

/** What tests of the provisioning have in common: it runs with a configuration of the test's, and there are commands. */
public abstract class OnProvisioned extends OnTheNic {
    /** The runner tries a test that failed once more, and says nothing of it when it succeeds then. */
    @Rule
    public final TestWatcher everyAttempt = new TestWatcher() {
        @Override
        protected void failed(Throwable failure, Description test) {
            System.err.println("attempt of " + test + " failed");
            failure.printStackTrace();
        }
    };
    @Inject
    ConfigurationAdmin configurations;
    @Inject
    CommandProcessor processor;

    @Override
    @Configuration
    public Option[] runtime() {
        return new Option[] {felix(), core(), simulatedNic(), shell(), provisioning(properties())};
    }

    /** Configuration of the provisioning. */
    abstract Map<String, Object> properties();

    /** A path, or the path of a URL, of that configuration. */
    Path configured(String name) throws Exception {
        String place = configurations.getConfiguration("vfio.pci.provision", "?").getProperties().get(name).toString();
        return Path.of(place.startsWith("file:") ? place.substring("file:".length()) : place);
    }

    /** What a command prints. */
    String type(String line) throws Exception {
        return new Gogo(processor).run(line);
    }

    /** What VF0 answers, opened anew, by which one knows its mediator. */
    int statusOnOpen() throws VfioException {
        return statusOnOpen(SimulatedNic.VF0);
    }

    /** What that function answers, the same way. */
    int statusOnOpen(PciAddress address) throws VfioException {
        try (VfioDevice device = open(address); var registers = new Registers(device)) {
            return registers.read(Registers.VFGEN_RSTAT);
        }
    }

    /** A mediator that answers with this number. */
    static MediatorBundle answering(String name, int answer, String version, String fits) {
        return MediatorBundle.of(Answering.class).named(name).answering(answer).version(version).fitting(fits);
    }

    /** Bundles that are like that. */
    List<Bundle> bundles(Predicate<Bundle> like) {
        return Arrays.stream(context.getBundles()).filter(like).toList();
    }
}
