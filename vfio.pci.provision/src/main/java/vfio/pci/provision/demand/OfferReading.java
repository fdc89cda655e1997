// SPDX-License-Identifier: Apache-2.0
package vfio.pci.provision.demand;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import vfio.pci.provision.match.Offer;
import vfio.pci.provision.repository.Repository;

/// Reads a repository, whose files may be on a disk that hangs: one thread at a time does, and whoever opens a device waits for it,
/// bounded.
final class OfferReading {
    private final AtomicReference<FutureTask<List<Offer>>> reading = new AtomicReference<>();

    /// What the repository offers.
    ///
    /// @throws IOException when it cannot be read, or not in that time
    /// @throws InterruptedException when the thread is interrupted meanwhile
    List<Offer> of(Repository repository, Duration longest) throws IOException, InterruptedException {
        if (repository == Repository.NONE) {
            return List.of();
        }
        FutureTask<List<Offer>> fresh = new FutureTask<>(() -> {
            try {
                return repository.offers();
            } finally {
                reading.set(null);
            }
        });
        FutureTask<List<Offer>> present = reading.compareAndExchange(null, fresh);
        if (present == null) {
            Thread.ofPlatform().daemon().name("vfio-provision-repository").start(fresh);
        }
        try {
            return (present == null ? fresh : present).get(longest.toNanos(), TimeUnit.NANOSECONDS);
        } catch (TimeoutException e) {
            throw new IOException("repository expected=to be read within %s".formatted(longest), e);
        } catch (ExecutionException e) {
            throw new IOException(e.getCause().getMessage(), e.getCause());
        }
    }
}
