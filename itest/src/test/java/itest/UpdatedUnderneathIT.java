// SPDX-License-Identifier: Apache-2.0
package itest;

import static itest.options.RuntimeOptions.jar;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import itest.options.ConfigurationBundle;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import java.util.logging.Level;
import java.util.stream.IntStream;
import java.util.zip.ZipEntry;
import org.apache.felix.framework.FrameworkFactory;
import org.junit.After;
import org.junit.Before;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.Constants;
import org.osgi.framework.FrameworkEvent;
import org.osgi.framework.ServiceReference;
import org.osgi.framework.launch.Framework;

/**
 * Bundles that everything is wired to, updated by plan, the provisioning itself and the commands going and coming with them. The framework
 * is the test's own: Pax Exam's probe would be wired to them too.
 */
public class UpdatedUnderneathIT {
    private static final List<String> BUNDLES = List.of("org.osgi.util.function", "org.osgi.util.promise", "org.osgi.service.component",
        "org.apache.felix.configadmin", "org.apache.felix.scr", "org.apache.felix.gogo.runtime", "org.apache.felix.fileinstall",
        "vfio.pci.api", "linux.sys", "vfio.pci.core", "mediator.igd", "device.sim", "vfio.pci.shell", "vfio.pci.provision");
    private static final Duration LONGEST = Duration.ofSeconds(30);

    @Rule
    public final TemporaryFolder folder = new TemporaryFolder();
    private Framework framework;
    private BundleContext context;
    private List<String> running;

    @Before
    public void start() throws Exception {
        Map<String, String> properties = new HashMap<>();
        properties.put(Constants.FRAMEWORK_STORAGE, folder.newFolder("bundles").getPath());
        properties.put("felix.fileinstall.dir", folder.newFolder("watched").getPath());
        framework = new FrameworkFactory().newFramework(properties);
        framework.start();
        context = Objects.requireNonNull(framework.getBundleContext());
        context.installBundle(ConfigurationBundle.write("device.sim.igd~igd", Map.of()).toUri().toString());
        for (String name : BUNDLES) {
            context.installBundle(jar(name).toUri().toString());
        }
        for (Bundle bundle : context.getBundles()) {
            if (!bundle.getSymbolicName().startsWith("configuration.")) {
                bundle.start();
            }
        }
        context.getBundle(1).start();
        running = running();
        awaitDevice();
    }

    @After
    public void stop() throws Exception {
        framework.stop();
        framework.waitForStop(LONGEST.toMillis());
    }

    private List<String> running() {
        return Arrays.stream(context.getBundles()).filter(bundle -> bundle.getState() == Bundle.ACTIVE).map(Bundle::getSymbolicName)
            .toList();
    }

    private void awaitDevice() throws Exception {
        Await.until("there is a device", LONGEST, () -> said("vfio:devices").contains("0000:00:02.0"));
    }

    private Bundle bundle(String name) {
        return Arrays.stream(context.getBundles()).filter(bundle -> name.equals(bundle.getSymbolicName())).findFirst().orElseThrow();
    }

    // ---- commands, whose classes are not the test's

    private String type(String line) throws Exception {
        // all: the test's class path has another class of that name, and others the framework would hide from it
        ServiceReference<?> reference = context.getAllServiceReferences("org.apache.felix.service.command.CommandProcessor", null)[0];
        var printed = new ByteArrayOutputStream();
        try (var out = new PrintStream(printed, true, StandardCharsets.UTF_8)) {
            Object session = call(context.getService(reference), "createSession", InputStream.nullInputStream(), out,
                new PrintStream(OutputStream.nullOutputStream()));
            try {
                call(session, "execute", line);
            } finally {
                call(session, "close");
            }
        } finally {
            context.ungetService(reference);
        }
        return printed.toString(StandardCharsets.UTF_8);
    }

    /** What a command prints, or says that it cannot do. */
    private String said(String line) {
        var printed = new AtomicReference<String>();
        Throwable failure = catchThrowable(() -> printed.set(type(line)));
        return failure == null ? printed.get() : String.valueOf(failure.getMessage());
    }

    private static Object call(Object on, String name, Object... arguments) throws Exception {
        for (Class<?> type : on.getClass().getInterfaces()) {
            for (Method method : type.getMethods()) {
                if (method.getName().equals(name) && takes(method, arguments)) {
                    try {
                        return method.invoke(on, arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getCause() instanceof Exception cause ? cause : e;
                    }
                }
            }
        }
        throw new NoSuchMethodException(name);
    }

    private static boolean takes(Method method, Object... arguments) {
        Class<?>[] types = method.getParameterTypes();
        return types.length == arguments.length
            && IntStream.range(0, types.length).allMatch(i -> types[i].isInstance(arguments[i]));
    }

    /** A bundle of this build as version 0.1.1, with that much changed of what it exports. */
    private Path copy(String name, String exported, String changed) throws IOException {
        Path copy = folder.getRoot().toPath().resolve(name + ".jar");
        try (var from = new JarFile(jar(name).toFile())) {
            Manifest manifest = from.getManifest();
            manifest.getMainAttributes().putValue(Constants.BUNDLE_VERSION, "0.1.1");
            String before = manifest.getMainAttributes().getValue(Constants.EXPORT_PACKAGE);
            assertThat(before).contains(exported);
            manifest.getMainAttributes().putValue(Constants.EXPORT_PACKAGE, before.replace(exported, changed));
            try (var to = new JarOutputStream(Files.newOutputStream(copy), manifest)) {
                for (JarEntry entry : Collections.list(from.entries())) {
                    if (!entry.getName().equals(JarFile.MANIFEST_NAME)) {
                        to.putNextEntry(new ZipEntry(entry.getName()));
                        from.getInputStream(entry).transferTo(to);
                    }
                }
            }
        }
        return copy;
    }

    // ---- tests

    @Test
    public void theApiIsUpdatedAndTakesEverythingAlong() throws Exception {
        Path newer = copy("vfio.pci.api", "", "");
        assertThat(type("vfio:plan update vfio.pci.api " + newer)).contains("vfio.pci.core", "device.sim", "mediator.igd", "vfio.pci.shell",
            "vfio.pci.provision", "It becomes vfio.pci.api 0.1.1.", "it is begun and not waited for");
        try (var log = new LoggedLines(Level.INFO)) {
            type("vfio:apply");
            Await.until("what ran runs again", LONGEST, () -> !log.with("what ran runs again").isEmpty());
        }
        awaitDevice();
        assertThat(running()).containsExactlyElementsOf(running);
        assertThat(bundle("vfio.pci.api").getVersion()).hasToString("0.1.1");
        assertThat(type("vfio:plan refresh vfio.pci.api")).contains("refreshed");
        var refreshed = new CountDownLatch(1);
        context.addFrameworkListener(event -> {
            if (event.getType() == FrameworkEvent.PACKAGES_REFRESHED) {
                refreshed.countDown();
            }
        });
        type("vfio:apply");
        assertThat(refreshed.await(LONGEST.toSeconds(), TimeUnit.SECONDS)).as("refreshed").isTrue();
        awaitDevice();
        Await.until("what ran runs again", LONGEST, () -> running().equals(running));
    }

    @Test
    public void theApiGetsItsFormerContentBackWhenTheOthersCannotDoWithTheNewOne() throws Exception {
        Path broken = copy("vfio.pci.api", "vfio.pci.api.admin;version=\"1.", "vfio.pci.api.admin;version=\"9.");
        try (var log = new LoggedLines(Level.INFO)) {
            type("vfio:plan update vfio.pci.api " + broken);
            type("vfio:apply");
            Await.until("its former content is back", LONGEST, () -> !log.with("its former content is back, and what ran").isEmpty());
            assertThat(log.with("its former content comes back")).singleElement().asString().contains("vfio.pci.provision");
        }
        awaitDevice();
        assertThat(running()).containsExactlyElementsOf(running);
        assertThat(bundle("vfio.pci.api").getVersion().toString()).startsWith("0.1.0");
    }

    @Test
    public void theSystemCallsGetTheirFormerContentBackWhenTheOthersCannotDoWithTheNewOne() throws Exception {
        Path broken = copy("linux.sys", "linux.sys;version=\"1.", "linux.sys;version=\"9.");
        assertThat(type("vfio:plan update linux.sys " + broken)).contains("vfio.pci.core", "device.sim").doesNotContain("not waited for");
        assertThatThrownBy(() -> type("vfio:apply")).hasMessageContaining("linux.sys").hasMessageContaining("goes on");
        awaitDevice();
        assertThat(running()).containsExactlyElementsOf(running);
        assertThat(bundle("linux.sys").getVersion().toString()).startsWith("0.1.0");
    }
}
