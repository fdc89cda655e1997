// SPDX-License-Identifier: Apache-2.0
package vfio.pci.provision.dropin;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Hashtable;
import java.util.List;
import org.apache.felix.fileinstall.ArtifactInstaller;
import org.osgi.framework.BundleContext;
import org.osgi.framework.Constants;
import org.osgi.framework.ServiceRegistration;
import org.osgi.service.cm.Configuration;
import org.osgi.service.cm.ConfigurationAdmin;
import vfio.pci.provision.jar.JarCheck;

/// Has FileInstall watch the folder, once there is somebody to hand its jars to. What lies in it by then is installed before that.
public final class DropInFolder implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(DropInFolder.class.getName());
    private static final String FILE_INSTALL = "org.apache.felix.fileinstall";
    /// What is not said here FileInstall's own configuration says, of the framework's properties.
    private static final List<String> INHERITED = List.of("poll", "tmpdir", "log.level", "log.default");

    private final BundleContext context;
    private final List<ServiceRegistration<?>> installers = new ArrayList<>();
    private final Configuration watcher;

    /// Watches a folder from now on.
    ///
    /// @throws IOException when it cannot be configured
    public DropInFolder(BundleContext context, ConfigurationAdmin configurations, Path folder, JarCheck check) throws IOException {
        this.context = context;
        MediatorJars mediators = new MediatorJars(context, check);
        register(mediators, 2);
        register(new OtherJars(), 1);
        installPresent(folder, mediators);
        watcher = configurations.getFactoryConfiguration(FILE_INSTALL, "vfio.load", "?");
        watcher.update(properties(folder));
    }

    private void register(ArtifactInstaller installer, int ranking) {
        var properties = new Hashtable<String, Object>();
        properties.put(Constants.SERVICE_RANKING, ranking);
        installers.add(context.registerService(ArtifactInstaller.class, installer, properties));
    }

    private static void installPresent(Path folder, MediatorJars mediators) {
        try (DirectoryStream<Path> jars = Files.newDirectoryStream(folder, "*.jar")) {
            for (Path jar : jars) {
                if (mediators.canHandle(jar.toFile())) {
                    mediators.install(jar.toFile());
                }
            }
        } catch (IOException e) {
            LOG.log(System.Logger.Level.WARNING, "folder={0} cannot be read: {1}", folder, e.toString());
        }
    }

    private Hashtable<String, Object> properties(Path folder) {
        var properties = new Hashtable<String, Object>();
        for (String name : INHERITED) {
            String value = context.getProperty("felix.fileinstall." + name);
            if (value != null) {
                properties.put("felix.fileinstall." + name, value);
            }
        }
        properties.put("felix.fileinstall.dir", folder.toString());
        properties.put("felix.fileinstall.filter", ".*\\.jar");
        properties.put("felix.fileinstall.subdir.mode", "skip");
        properties.put("felix.fileinstall.noInitialDelay", "true");
        properties.put("felix.fileinstall.enableConfigSave", "false");
        return properties;
    }

    /// Watches no more; what was installed stays.
    @Override
    public void close() {
        try {
            watcher.delete();
        } catch (IOException | IllegalStateException e) {
            LOG.log(System.Logger.Level.DEBUG, "FileInstall''s configuration has gone by itself: {0}", e.toString());
        }
        installers.forEach(ServiceRegistration::unregister);
    }
}
