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

/// Jars that say which devices they mediate (`vfio.mediator`). One that is refused is refused with a line in the log, and looked at again
/// when it changes; the bundle that there is by its name stays as it was.
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

    /// Also whatever replaces a mediator's jar: handed to nobody, it would be that mediator's end.
    @Override
    public boolean canHandle(File artifact) {
        if (!artifact.getName().endsWith(".jar")) {
            return false;
        }
        try {
            return bundle(artifact) != null || artifact.isFile()
                && JarDescription.read(artifact.toPath()).filter(JarDescription::isMediator).isPresent();
        } catch (IOException | IllegalArgumentException e) {
            return false;
        }
    }

    /// Also for one that is there already, from before the folder was watched.
    @Override
    public void install(File artifact) {
        attempt("installed", artifact, () -> {
            Bundle present = bundle(artifact);
            if (present == null) {
                installed(artifact);
            } else if (present.getLastModified() < artifact.lastModified()) {
                updated(present, artifact);
            }
        });
    }

    @Override
    public void update(File artifact) {
        attempt("updated", artifact, () -> {
            Bundle present = bundle(artifact);
            if (present == null) {
                installed(artifact);
            } else {
                updated(present, artifact);
            }
        });
    }

    @Override
    public void uninstall(File artifact) {
        attempt("uninstalled", artifact, () -> {
            Bundle present = bundle(artifact);
            if (present != null) {
                changes.uninstall(present);
                LOG.log(System.Logger.Level.INFO, "bundle {0} uninstalled: {1} is gone", present, artifact);
            }
        });
    }

    private Bundle bundle(File artifact) {
        return context.getBundle(location(artifact.toPath()));
    }

    private void installed(File artifact) throws VfioException {
        try (CheckedJar checked = check.check(artifact.toPath(), Optional.empty())) {
            Bundle bundle = changes.install(location(artifact.toPath()), checked, Bundle.START_ACTIVATION_POLICY);
            LOG.log(System.Logger.Level.INFO, "bundle {0} installed from {1}", bundle, artifact);
        }
    }

    private void updated(Bundle bundle, File artifact) throws VfioException {
        try (CheckedJar checked = check.check(artifact.toPath(), Optional.empty())) {
            if (!checked.description().symbolicName().equals(bundle.getSymbolicName())) {
                throw new VfioException(Errno.EINVAL, "bundle=%s expected=%s; delete the jar first".formatted(
                    checked.description().symbolicName(), bundle.getSymbolicName()));
            }
            if (checked.description().version().compareTo(bundle.getVersion()) < 0) {
                throw new VfioException(Errno.EINVAL, "bundle=%s expected=%s or later; delete the jar first, or vfio:plan update".formatted(
                    checked.description(), bundle.getVersion()));
            }
            changes.update(bundle, checked);
            LOG.log(System.Logger.Level.INFO, "bundle {0} updated from {1}", bundle, artifact);
        }
    }

    private interface Step {
        void run() throws VfioException;
    }

    private static void attempt(String what, File artifact, Step step) {
        try {
            step.run();
        } catch (VfioException | IllegalStateException e) {
            LOG.log(System.Logger.Level.WARNING, "jar={0} is not {1}: {2}", artifact, what, e.getMessage());
        }
    }
}
