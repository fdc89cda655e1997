// SPDX-License-Identifier: Apache-2.0
package itest.options;

import static org.ops4j.pax.exam.CoreOptions.composite;
import static org.ops4j.pax.exam.CoreOptions.frameworkProperty;
import static org.ops4j.pax.exam.CoreOptions.junitBundles;
import static org.ops4j.pax.exam.CoreOptions.systemPackages;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import org.ops4j.pax.exam.CoreOptions;
import org.ops4j.pax.exam.Option;

/**
 * The vocabulary in which a test says what runs in its framework: {@link #felix()} first, then what it needs of this project.
 *
 * <p>A test never names a file; {@link #jar} is the one place that knows where the build put them.
 */
public final class RuntimeOptions {
    private static final Path BUNDLES = Path.of(System.getProperty("itest.bundles", "target/bundles"));

    private RuntimeOptions() {
    }

    /** Felix with declarative services, configuration and Gogo, and what a test itself needs inside the framework. */
    public static Option felix() {
        return composite(
            bundles(
                "org.osgi.util.function",
                "org.osgi.util.promise",
                "org.osgi.service.component",
                "org.apache.felix.configadmin",
                "org.apache.felix.scr",
                "org.apache.felix.gogo.runtime",
                "org.apache.felix.gogo.command"),
            bundles("byte-buddy", "assertj-core"),
            // Pax Exam's own bundles log through it; the driver outside has it already
            systemPackages("org.slf4j;version=1.7.36"),
            junitBundles());
    }

    /** The contracts and system calls that everything stands on, and the core. */
    public static Option core() {
        return coreOf(jar("vfio.pci.core"));
    }

    /** The same with another core. */
    public static Option coreOf(Path core) {
        return composite(bundles("vfio.pci.api", "linux.sys"), CoreOptions.bundle("reference:" + core.toUri()));
    }

    public static Option mediatorIgd() {
        return bundles("mediator.igd");
    }

    public static Option mediatorGuard() {
        return bundles("mediator.guard");
    }

    public static Option mediatorI40e() {
        return bundles("mediator.i40e");
    }

    /** The simulator; which functions it publishes is up to its {@linkplain #configuration configurations}. */
    public static Option simulatedDevices() {
        return bundles("device.sim");
    }

    /** An XL710 at 0000:3b:00.0 with four virtual functions, 0000:3b:02.0 to 3; who needs it waits for the functions to appear. */
    public static Option simulatedNic() {
        return composite(configuration("device.sim.xl710~nic", Map.of()), simulatedDevices());
    }

    /** An IGD at 0000:00:02.0; who needs it waits for it to appear. */
    public static Option simulatedIgd() {
        return composite(configuration("device.sim.igd~igd", Map.of()), simulatedDevices());
    }

    /** The vfio-user messages, what reads their JSON, the server, and what the Java guest has of a VMM. */
    public static Option vfioUser() {
        return bundles("minimal-json", "vfio.user.wire", "vfio.user", "vmm");
    }

    /** Where VMMs register, and what tells them to move; with {@link #vfioUser()}. */
    public static Option migration() {
        return bundles("vfio.migrate");
    }

    public static Option shell() {
        return bundles("vfio.pci.shell");
    }

    /** Provisioning with this configuration, and FileInstall, which watches nothing but what the provisioning has it watch. */
    public static Option provisioning(Map<String, Object> properties) {
        return composite(
            frameworkProperty("felix.fileinstall.dir").value(temporaryFolder("watched-")),
            frameworkProperty("felix.fileinstall.poll").value("50"),
            frameworkProperty("felix.fileinstall.log.default").value("jul"),
            configuration("vfio.pci.provision", properties),
            bundles("org.apache.felix.fileinstall", "vfio.pci.provision"));
    }

    /** The path of a new folder, for a test to fill. */
    public static String temporaryFolder(String prefix) {
        try {
            Path folder = Files.createTempDirectory(prefix);
            folder.toFile().deleteOnExit();
            return folder.toString();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Everything that the distribution runs, except for the interactive prompt and the watched folders. */
    public static Option wholeRuntime() {
        return composite(felix(), core(), mediatorIgd(), mediatorI40e(), mediatorGuard(), simulatedDevices(), vfioUser(), migration(),
            shell());
    }

    /**
     * The configuration of one component: {@code pid} alone, or {@code factory~name} for one that a factory makes. It is in place
     * before the bundles named after it start. Values are what Configuration Admin takes: strings, boxed numbers, arrays of these.
     */
    public static Option configuration(String pid, Map<String, Object> properties) {
        return CoreOptions.bundle("reference:" + ConfigurationBundle.write(pid, properties).toUri());
    }

    /** The jar of a bundle of this build, for tests that install, update and uninstall by themselves. */
    public static Path jar(String symbolicName) {
        Path jar = BUNDLES.resolve(symbolicName + ".jar").toAbsolutePath();
        if (!Files.isRegularFile(jar)) {
            throw new IllegalArgumentException("no such bundle in the build: " + jar);
        }
        return jar;
    }

    private static Option bundles(String... symbolicNames) {
        return composite(Arrays.stream(symbolicNames)
            .map(name -> CoreOptions.bundle("reference:" + jar(name).toUri()))
            .toArray(Option[]::new));
    }
}
