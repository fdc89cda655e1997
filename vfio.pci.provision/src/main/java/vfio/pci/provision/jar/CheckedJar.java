// SPDX-License-Identifier: Apache-2.0
package vfio.pci.provision.jar;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;

/// A private copy of a jar that was checked; goes when it is closed.
///
/// @param copy the copy
/// @param sha256 its digest
/// @param description what its manifest says
public record CheckedJar(Path copy, String sha256, JarDescription description) implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(CheckedJar.class.getName());

    /// Its bytes.
    public InputStream open() throws IOException {
        return Files.newInputStream(copy);
    }

    @Override
    public void close() {
        delete(copy);
    }

    static void delete(Path copy) {
        try {
            Files.deleteIfExists(copy);
        } catch (IOException e) {
            LOG.log(System.Logger.Level.WARNING, "jar={0} could not be deleted: {1}", copy, e.getMessage());
        }
    }
}
