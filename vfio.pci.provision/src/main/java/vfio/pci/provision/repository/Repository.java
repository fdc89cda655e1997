// SPDX-License-Identifier: Apache-2.0
package vfio.pci.provision.repository;

import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import vfio.pci.provision.match.Offer;

/// Mediators that could be installed.
public interface Repository {
    /// Offers nothing.
    Repository NONE = List::of;

    /// What it offers now.
    ///
    /// @throws IOException when it cannot be read, or is not as it must be
    List<Offer> offers() throws IOException;

    /// The repository at a place: the path or `file:` URL of a folder, or of an index in XML, compressed when its name ends in `.gz`;
    /// nothing for an empty text. What is there is looked at when it is asked for offers.
    ///
    /// @throws IllegalArgumentException for a place that cannot be
    static Repository at(String place) {
        if (place.isBlank()) {
            return NONE;
        }
        Path path = path(place.strip());
        var folder = new FolderRepository(path);
        var index = new IndexRepository(path);
        return () -> Files.isDirectory(path) ? folder.offers() : index.offers();
    }

    /// A file that is named by its path or its `file:` URL.
    ///
    /// @throws IllegalArgumentException for another URL, and for what is no path
    static Path path(String place) {
        if (!place.matches("\\w{2,}:.*")) {
            return Path.of(place).toAbsolutePath().normalize();
        }
        try {
            URI uri = new URI(place);
            if ("file".equals(uri.getScheme()) && uri.getPath() != null && uri.getAuthority() == null) {
                return Path.of(uri.getPath()).normalize();
            }
        } catch (URISyntaxException e) {
            throw new IllegalArgumentException("place=%s expected=a path or a file: URL".formatted(place), e);
        }
        throw new IllegalArgumentException("place=%s expected=a path or a file: URL".formatted(place));
    }
}
