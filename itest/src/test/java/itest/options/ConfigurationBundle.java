// SPDX-License-Identifier: Apache-2.0
package itest.options;

import java.io.IOException;
import java.io.InputStream;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Hashtable;
import java.util.Map;
import java.util.jar.Attributes;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import org.osgi.framework.BundleActivator;
import org.osgi.framework.BundleContext;
import org.osgi.service.cm.Configuration;
import org.osgi.service.cm.ConfigurationAdmin;

/**
 * A bundle that sets one configuration when it starts, in the starting thread. Outside the framework this class writes the jar; inside
 * it is the jar's activator.
 */
public final class ConfigurationBundle implements BundleActivator {
    private static final String PID = "Configured-Pid";
    private static final String PROPERTIES = "properties.ser";

    /** Writes the jar of one that sets this. */
    public static Path write(String pid, Map<String, Object> properties) {
        var manifest = new Manifest();
        Attributes headers = manifest.getMainAttributes();
        headers.put(Attributes.Name.MANIFEST_VERSION, "1.0");
        headers.putValue("Bundle-ManifestVersion", "2");
        headers.putValue("Bundle-SymbolicName", "configuration." + pid.replace('~', '.'));
        headers.putValue("Bundle-Activator", ConfigurationBundle.class.getName());
        headers.putValue("Import-Package", "org.osgi.framework,org.osgi.service.cm");
        headers.putValue(PID, pid);
        String activator = ConfigurationBundle.class.getName().replace('.', '/') + ".class";
        try {
            Path jar = Files.createTempFile("configuration-", ".jar");
            jar.toFile().deleteOnExit();
            try (var out = new JarOutputStream(Files.newOutputStream(jar), manifest);
                    InputStream code = ConfigurationBundle.class.getClassLoader().getResourceAsStream(activator)) {
                out.putNextEntry(new JarEntry(activator));
                code.transferTo(out);
                out.putNextEntry(new JarEntry(PROPERTIES));
                var values = new ObjectOutputStream(out);
                values.writeObject(new HashMap<>(properties));
                values.flush();
            }
            return jar;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void start(BundleContext context) throws IOException, ClassNotFoundException {
        ConfigurationAdmin admin = context.getService(context.getServiceReference(ConfigurationAdmin.class));
        String pid = context.getBundle().getHeaders().get(PID);
        int tilde = pid.indexOf('~');
        Configuration configuration = tilde < 0
            ? admin.getConfiguration(pid, "?")
            : admin.getFactoryConfiguration(pid.substring(0, tilde), pid.substring(tilde + 1), "?");
        try (var values = new ObjectInputStream(context.getBundle().getEntry(PROPERTIES).openStream())) {
            var properties = new Hashtable<String, Object>();
            ((Map<?, ?>) values.readObject()).forEach((key, value) -> properties.put((String) key, value));
            configuration.update(properties);
        }
    }

    @Override
    public void stop(BundleContext context) {
        // the configuration goes with the framework's storage
    }
}
