// SPDX-License-Identifier: Apache-2.0
package vfio.pci.provision.demand;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import vfio.pci.provision.match.Offer;
import vfio.pci.provision.repository.Repository;

/// Reads repositories, whose files may be on a disk that hangs: one thread at a time reads each, and whoever opens a device waits for it,
/// as long as it has not been at it for too long already.
public final class OfferReading {
    /// Of more than one while the repository is changed.
    private final Map<Repository, Reading> readings = new ConcurrentHashMap<>();

    /// Somebody reads, since when.
    private static final class Reading extends FutureTask<List<Offer>> {
        private final long since = System.nanoTime();

        Reading(Callable<List<Offer>> work) {
            super(work);
        }

        long nanosLeft(Duration longest) {
            return Math.max(0, since + longest.toNanos() - System.nanoTime());
        }
    }

    /// What the repository offers.
    ///
    /// @param longest how long it may take to read it
    /// @throws IOException when it cannot be read, or not in that time
    /// @throws InterruptedException when the thread is interrupted meanwhile
    public List<Offer> of(Repository repository, Duration longest) throws IOException, InterruptedException {
        if (repository == Repository.NONE) {
            return List.of();
        }
        Reading fresh = new Reading(() -> {
            try {
                return repository.offers();
            } finally {
                readings.remove(repository);
            }
        });
        Reading present = readings.putIfAbsent(repository, fresh);
        if (present == null) {
            Thread.ofPlatform().daemon().name("vfio-provision-repository").start(fresh);
            present = fresh;
        }
        try {
            return present.get(present.nanosLeft(longest), TimeUnit.NANOSECONDS);
        } catch (TimeoutException e) {
            throw new IOException("repository expected=to be read within %s".formatted(longest), e);
        } catch (ExecutionException e) {
            throw new IOException(String.valueOf(e.getCause().getMessage()), e.getCause());
        }
    }
}
