// SPDX-License-Identifier: Apache-2.0
package vfio.pci.provision.jar;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.jar.Attributes;
import java.util.jar.JarFile;
import java.util.jar.Manifest;
import org.osgi.framework.Constants;
import org.osgi.framework.Version;
import vfio.pci.provision.match.MediatorCapability;

/// What a jar's manifest says of it.
///
/// @param symbolicName its name as a bundle
/// @param version its version as a bundle
/// @param capabilities what its mediators fit; none of a bundle that is no mediator
public record JarDescription(String symbolicName, Version version, List<MediatorCapability> capabilities) {
    /// Largest manifest that is read.
    private static final int MOST_MANIFEST_BYTES = 1 << 20;

    /// Copies the list.
    public JarDescription {
        capabilities = List.copyOf(capabilities);
    }

    /// Reads a manifest.
    ///
    /// @return none when the jar is no bundle
    /// @throws IOException when it is no jar, is larger than any that is taken, or cannot be read
    /// @throws IllegalArgumentException when a header is not as it must be
    public static Optional<JarDescription> read(Path file) throws IOException {
        if (Files.size(file) > JarCheck.MOST_BYTES) {
            throw new IOException("jar=%s size=0x%x expected=at most 0x%x bytes".formatted(file, Files.size(file), JarCheck.MOST_BYTES));
        }
        try (var jar = new JarFile(file.toFile(), false)) {
            var entry = jar.getJarEntry(JarFile.MANIFEST_NAME);
            if (entry == null) {
                return Optional.empty();
            }
            try (InputStream in = jar.getInputStream(entry)) {
                // the size an entry says it has need not be what comes of it
                byte[] manifest = in.readNBytes(MOST_MANIFEST_BYTES + 1);
                if (manifest.length > MOST_MANIFEST_BYTES) {
                    throw new IOException("jar=%s expected=a manifest of at most 0x%x bytes".formatted(file, MOST_MANIFEST_BYTES));
                }
                return of(new Manifest(new ByteArrayInputStream(manifest)).getMainAttributes());
            }
        }
    }

    static Optional<JarDescription> of(Attributes headers) {
        String name = headers.getValue(Constants.BUNDLE_SYMBOLICNAME);
        if (name == null) {
            return Optional.empty();
        }
        String version = headers.getValue(Constants.BUNDLE_VERSION);
        String provided = headers.getValue(Constants.PROVIDE_CAPABILITY);
        List<MediatorCapability> capabilities = provided == null ? List.of() : HeaderClause.parse(provided).stream()
            .filter(clause -> clause.path().equals(MediatorCapability.NAMESPACE))
            .map(clause -> MediatorCapability.of(clause.attributes())).toList();
        return Optional.of(new JarDescription(HeaderClause.parse(name).getFirst().path(), Version.parseVersion(version), capabilities));
    }

    /// Whether it is a mediator's.
    public boolean isMediator() {
        return !capabilities.isEmpty();
    }

    /// Name and version, for people.
    @Override
    public String toString() {
        return symbolicName + " " + version;
    }
}
