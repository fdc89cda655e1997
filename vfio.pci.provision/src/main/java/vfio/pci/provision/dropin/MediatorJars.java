// SPDX-License-Identifier: Apache-2.0
package vfio.pci.provision.dropin;

import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import org.apache.felix.fileinstall.ArtifactInstaller;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.provision.bundles.BundleChanges;
import vfio.pci.provision.jar.CheckedJar;
import vfio.pci.provision.jar.JarCheck;
import vfio.pci.provision.jar.JarDescription;

/// Jars that say which devices they mediate (`vfio.mediator`).
final class MediatorJars implements ArtifactInstaller {
    /// Before the location of every bundle that was dropped: one of FileInstall's own kind would be taken for its own.
    private static final String LOCATION = "vfio-load:";
    private static final System.Logger LOG = System.getLogger(MediatorJars.class.getName());

    private final BundleContext context;
    private final BundleChanges changes;
    private final JarCheck check;

    MediatorJars(BundleContext context, JarCheck check) {
        this.context = context;
        this.changes = new BundleChanges(context);
        this.check = check;
    }

    private static String location(Path jar) {
        return LOCATION + jar.toAbsolutePath().normalize();
    }

    @Override
    public boolean canHandle(File artifact) {
        try {
            return artifact.getName().endsWith(".jar") && artifact.isFile()
                && JarDescription.read(artifact.toPath()).filter(JarDescription::isMediator).isPresent();
        } catch (IOException | IllegalArgumentException e) {
            return false;
        }
    }

    /// Also for one that is there already, from before the folder was watched.
    @Override
    public void install(File artifact) throws VfioException {
        Path jar = artifact.toPath();
        Bundle present = context.getBundle(location(jar));
        if (present != null) {
            if (present.getLastModified() < artifact.lastModified()) {
                update(artifact);
            }
            return;
        }
        try (CheckedJar checked = check.check(jar, Optional.empty())) {
            Bundle bundle = changes.install(location(jar), checked, Bundle.START_ACTIVATION_POLICY);
            LOG.log(System.Logger.Level.INFO, "bundle {0} installed from {1}", bundle, jar);
        }
    }

    @Override
    public void update(File artifact) throws VfioException {
        Path jar = artifact.toPath();
        Bundle bundle = context.getBundle(location(jar));
        if (bundle == null) {
            install(artifact);
            return;
        }
        try (CheckedJar checked = check.check(jar, Optional.empty())) {
            if (!checked.description().symbolicName().equals(bundle.getSymbolicName())) {
                throw new VfioException(Errno.EINVAL, "jar=%s bundle=%s expected=%s; delete the jar first".formatted(jar,
                    checked.description().symbolicName(), bundle.getSymbolicName()));
            }
            changes.update(bundle, checked);
            LOG.log(System.Logger.Level.INFO, "bundle {0} updated from {1}", bundle, jar);
        }
    }

    @Override
    public void uninstall(File artifact) throws VfioException {
        Bundle bundle = context.getBundle(location(artifact.toPath()));
        if (bundle != null) {
            changes.uninstall(bundle);
            LOG.log(System.Logger.Level.INFO, "bundle {0} uninstalled: {1} is gone", bundle, artifact);
        }
    }
}
