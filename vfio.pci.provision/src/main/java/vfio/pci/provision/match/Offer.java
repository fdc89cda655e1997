// SPDX-License-Identifier: Apache-2.0
package vfio.pci.provision.match;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.osgi.framework.Version;

/// A mediator bundle that could be installed.
///
/// @param symbolicName its name
/// @param version its version
/// @param jar where it is
/// @param sha256 digest its jar must have, 64 lower-case hexadecimal digits; none where no index says so
/// @param modified when its description was changed last, in milliseconds since 1970
/// @param capabilities what it fits, at least one
public record Offer(String symbolicName, Version version, Path jar, Optional<String> sha256, long modified,
        List<MediatorCapability> capabilities) {
    /// Copies the list.
    public Offer {
        capabilities = List.copyOf(capabilities);
    }

    /// Name and version, as a preference names it.
    @Override
    public String toString() {
        return symbolicName + ":" + version;
    }
}
