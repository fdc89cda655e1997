// SPDX-License-Identifier: Apache-2.0
package bench;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.Hashtable;
import java.util.List;
import java.util.Map;
import java.util.jar.JarInputStream;
import java.util.stream.Stream;
import org.apache.felix.framework.FrameworkFactory;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleException;
import org.osgi.framework.Constants;
import org.osgi.framework.InvalidSyntaxException;
import org.osgi.framework.ServiceReference;
import org.osgi.framework.launch.Framework;
import org.osgi.service.cm.ConfigurationAdmin;

/// A real runtime within this process: Felix with the bundles of the distribution that serve devices in process. The contracts come from
/// outside the framework, so that a benchmark can call its services.
final class FelixRuntime implements AutoCloseable {
    private static final String CONTRACTS = "vfio.pci.api";
    private static final List<String> SERVICES = List.of("org.osgi.util.function", "org.osgi.util.promise", "org.osgi.service.component",
        "org.apache.felix.configadmin", "org.apache.felix.scr", "linux.sys", "vfio.pci.core");

    private final Path storage;
    private final Framework framework;

    /// Starts Felix, declarative services and the core.
    FelixRuntime() {
        try {
            storage = Files.createTempDirectory("bench-felix-");
            framework = new FrameworkFactory().newFramework(Map.of(
                Constants.FRAMEWORK_STORAGE, storage.toString(),
                Constants.FRAMEWORK_SYSTEMPACKAGES_EXTRA, exported(CONTRACTS) + ",org.osgi.service.cm;version=1.6.1",
                "ds.loglevel", "2"));
            framework.start();
            for (String name : SERVICES) {
                start(name);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (BundleException e) {
            throw new IllegalStateException(e);
        }
    }

    private static InputStream packed(String name) {
        String resource = "/bundles/" + name + ".jar";
        InputStream jar = FelixRuntime.class.getResourceAsStream(resource);
        if (jar == null) {
            throw new IllegalStateException("resource=" + resource + " expected=packed with the benchmarks");
        }
        return jar;
    }

    /// What a bundle exports, with versions.
    private static String exported(String name) throws IOException {
        try (JarInputStream jar = new JarInputStream(packed(name))) {
            return jar.getManifest().getMainAttributes().getValue(Constants.EXPORT_PACKAGE);
        }
    }

    /// Installs and starts a bundle that was packed with the benchmarks.
    void start(String name) {
        try (InputStream jar = packed(name)) {
            Bundle bundle = framework.getBundleContext().installBundle(name, jar);
            bundle.start();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (BundleException e) {
            throw new IllegalStateException(e);
        }
    }

    /// Creates a configuration of a factory, with the defaults of its component.
    void configure(String factory, String name) {
        try {
            service(ConfigurationAdmin.class, null).getFactoryConfiguration(factory, name, "?").update(new Hashtable<>());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// Configures a component of which there is one.
    void configureOne(String pid, Map<String, String> properties) {
        try {
            service(ConfigurationAdmin.class, null).getConfiguration(pid, "?").update(new Hashtable<>(properties));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// A service that is there.
    <T> T service(Class<T> type, String filter) {
        try {
            ServiceReference<T> reference = framework.getBundleContext().getServiceReferences(type, filter).stream().findFirst()
                .orElseThrow(() -> new IllegalStateException("service=" + type.getName() + " filter=" + filter + " expected=registered"));
            return framework.getBundleContext().getService(reference);
        } catch (InvalidSyntaxException e) {
            throw new IllegalArgumentException(e);
        }
    }

    @Override
    public void close() {
        try {
            framework.stop();
            framework.waitForStop(0);
            try (Stream<Path> files = Files.walk(storage)) {
                for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                    Files.delete(file);
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (BundleException e) {
            throw new IllegalStateException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
