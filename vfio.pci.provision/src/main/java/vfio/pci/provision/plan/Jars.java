// SPDX-License-Identifier: Apache-2.0
package vfio.pci.provision.plan;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.provision.demand.DemandSettings;
import vfio.pci.provision.demand.OfferReading;
import vfio.pci.provision.match.Choice;
import vfio.pci.provision.match.Offer;
import vfio.pci.provision.repository.Repository;

/// Finds the jar that a person names: by path, by `file:` URL, or by name in the repository.
final class Jars {
    private final OfferReading reading;
    private final Supplier<DemandSettings> settings;

    /// A jar, and the digest it must have.
    ///
    /// @param sha256 none as long as nobody says one
    record Named(Path file, Optional<String> sha256) {
        /// Only with this content.
        Named with(String digest) {
            return new Named(file, Optional.of(digest));
        }
    }

    Jars(OfferReading reading, Supplier<DemandSettings> settings) {
        this.reading = reading;
        this.settings = settings;
    }

    /// @throws VfioException ENOENT when there is none; EINVAL for a place that is none; EIO when the repository cannot be read
    Named named(String name) throws VfioException {
        if (name.contains("/") || name.startsWith("file:") || name.endsWith(".jar")) {
            try {
                return new Named(Repository.path(name), Optional.empty());
            } catch (IllegalArgumentException e) {
                throw new VfioException(Errno.EINVAL, e.getMessage());
            }
        }
        try {
            Offer offer = Choice.named(offers(), name).orElseThrow(() -> new VfioException(Errno.ENOENT,
                "bundle=%s expected=a path, a file: URL, or a name in the repository".formatted(name)));
            return new Named(offer.jar(), offer.sha256());
        } catch (IOException e) {
            throw new VfioException(Errno.EIO, "repository expected=one that can be read: %s".formatted(e.getMessage()));
        }
    }

    private List<Offer> offers() throws IOException, VfioException {
        try {
            return reading.of(settings.get().repository(), settings.get().longest());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new VfioException(Errno.EINTR, "repository is being read");
        }
    }
}
