// SPDX-License-Identifier: Apache-2.0
package vfio.pci.provision.dropin;

import java.io.File;
import java.io.IOException;
import org.apache.felix.fileinstall.ArtifactInstaller;
import vfio.pci.provision.jar.JarDescription;

/// Every other jar, which is refused.
final class OtherJars implements ArtifactInstaller {
    private static final System.Logger LOG = System.getLogger(OtherJars.class.getName());

    @Override
    public boolean canHandle(File artifact) {
        return artifact.getName().endsWith(".jar");
    }

    @Override
    public void install(File artifact) {
        LOG.log(System.Logger.Level.WARNING, "jar={0} is refused, {1}", artifact, why(artifact));
    }

    private static String why(File artifact) {
        try {
            if (artifact.isFile()) {
                JarDescription.read(artifact.toPath());
            }
        } catch (IOException | IllegalArgumentException e) {
            return "expected=a jar that can be read: " + e.getMessage();
        }
        return "expected=a mediator, whose manifest has Provide-Capability: vfio.mediator; for any other bundle: vfio:plan install, then "
            + "vfio:apply";
    }

    @Override
    public void update(File artifact) {
        install(artifact);
    }

    @Override
    public void uninstall(File artifact) {
        // nothing came of it
    }
}
