// SPDX-License-Identifier: Apache-2.0
package vfio.pci.provision.dropin;

import java.io.File;
import org.apache.felix.fileinstall.ArtifactInstaller;

/// Every other jar, which is refused.
final class OtherJars implements ArtifactInstaller {
    private static final System.Logger LOG = System.getLogger(OtherJars.class.getName());

    @Override
    public boolean canHandle(File artifact) {
        return artifact.getName().endsWith(".jar");
    }

    @Override
    public void install(File artifact) {
        LOG.log(System.Logger.Level.WARNING, "jar={0} is refused, expected=a mediator, whose manifest has Provide-Capability: "
            + "vfio.mediator; for any other bundle: vfio:plan install, then vfio:apply", artifact);
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
