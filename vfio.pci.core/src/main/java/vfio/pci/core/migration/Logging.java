// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.migration;

import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.migration.IovaRange;
import vfio.pci.api.migration.MigrationDriver;

/// The log of dirty pages of one device: one at a time, which belongs to the face of the migration that began it, for a page is reported
/// once. In the device's turn.
final class Logging {
    private static final System.Logger LOG = System.getLogger(Logging.class.getName());

    private final MigrationEngine.Device device;
    private final Vendor vendor;
    private volatile Optional<DirtyPages> log = Optional.empty();
    private boolean ofRegion;
    /// Which client of the region asks; the first one does.
    private Object reader;

    /// The way to the vendor.
    @FunctionalInterface
    interface Vendor {
        void ask(Command command) throws VfioException;
    }

    /// Something asked of the vendor that has no answer.
    @FunctionalInterface
    interface Command {
        void of(MigrationDriver driver) throws VfioException;
    }

    Logging(MigrationEngine.Device device, Vendor vendor) {
        this.device = device;
        this.vendor = vendor;
    }

    /// Whether somebody logs.
    boolean isOn() {
        return log.isPresent();
    }

    /// A client of the features begins to log.
    ///
    /// @throws VfioException EINVAL, ENOSPC as [vfio.pci.api.migration.Migration#startLogging]
    void begin(long pageSize, List<IovaRange> ranges) throws VfioException {
        if (log.isPresent()) {
            throw new VfioException(Errno.EINVAL, "logging=on expected=off");
        }
        begin(new DirtyPages(pageSize, ranges, device::writableMappings), false);
    }

    /// A copy begins by the region: all that is mapped now is logged, unless somebody logs already.
    ///
    /// @throws VfioException what the vendor answers; then nothing is logged
    void beginForRegion() throws VfioException {
        if (log.isEmpty()) {
            begin(everythingMapped(), true);
        }
    }

    /// A log in pages as small as there is room for.
    private DirtyPages everythingMapped() throws VfioException {
        List<IovaRange> ranges = MappedRanges.of(device::writableMappings, DirtyPages.MOST_RANGES);
        for (long pageSize = DirtyPages.SMALLEST_PAGE;; pageSize <<= 1) {
            try {
                return new DirtyPages(pageSize, ranges, device::writableMappings);
            } catch (VfioException e) {
                if (e.errno() != Errno.ENOSPC) {
                    throw e;
                }
            }
        }
    }

    private void begin(DirtyPages pages, boolean forRegion) throws VfioException {
        device.logTransfers(Optional.of(pages));
        boolean begun = false;
        try {
            vendor.ask(driver -> driver.beginTracking(pages));
            log = Optional.of(pages);
            ofRegion = forRegion;
            begun = true;
        } finally {
            if (!begun) {
                device.logTransfers(Optional.empty());
                endQuietly();
            }
        }
    }

    /// A client of the features has logged enough.
    ///
    /// @throws VfioException EINVAL when nothing is logged; EBUSY when the region logs; what the vendor's side answers
    void end() throws VfioException {
        ofFeatures();
        try {
            vendor.ask(MigrationDriver::endTracking);
        } finally {
            forget();
        }
    }

    /// The copy has ended for which the region logs, if it does.
    void endForRegion() {
        if (!ofRegion) {
            return;
        }
        endQuietly();
        forget();
    }

    /// Where there is something else to be told already, or nobody to tell it to. A bug of the vendor's was told where it was caught.
    private void endQuietly() {
        try {
            vendor.ask(MigrationDriver::endTracking);
        } catch (VfioException e) {
            LOG.log(System.Logger.Level.DEBUG, "{0}: {1}", device.id(), e.getMessage());
        }
    }

    /// Ends it without asking anybody.
    void forget() {
        device.logTransfers(Optional.empty());
        log = Optional.empty();
        ofRegion = false;
        reader = null;
    }

    private DirtyPages ofFeatures() throws VfioException {
        DirtyPages pages = log.orElseThrow(() -> new VfioException(Errno.EINVAL, "logging=off expected=on"));
        if (ofRegion) {
            throw new VfioException(Errno.EBUSY, "logging=by the migration region expected=by the features");
        }
        return pages;
    }

    /// As [vfio.pci.api.migration.Migration#reportDirty].
    ///
    /// @throws VfioException EINVAL; EBUSY when the region logs; what the vendor answers
    void report(long iova, long length, long pageSize, MemorySegment bitmap, long offset) throws VfioException {
        DirtyPages pages = ofFeatures();
        vendor.ask(driver -> driver.collect(pages));
        pages.report(iova, length, pageSize, bitmap, offset);
    }

    /// Answers a query of the region. Pages outside the log count as dirty; without a log all do.
    ///
    /// @param client who asks
    /// @param pages of that size, from that address on; they do not wrap
    /// @param bitmap where the bits go, of which only those of the answer are written
    /// @param room bytes for them, whole words
    /// @return pages answered in the bitmap; 0 when all asked are clean; empty when all are dirty
    /// @throws VfioException EBUSY when the log is another's; EINVAL for a range or page size; what the vendor answers
    Optional<Long> query(Object client, long iova, long pages, long pageSize, MemorySegment bitmap, long at, long room)
            throws VfioException {
        if (log.isEmpty()) {
            return Optional.empty();
        }
        if (!ofRegion || reader != null && reader != client) {
            throw new VfioException(Errno.EBUSY, "logging=by another client or face expected=a log of one's own");
        }
        reader = client;
        DirtyPages logged = log.get();
        if (!logged.touches(iova, pages * pageSize)) {
            return Optional.empty();
        }
        vendor.ask(driver -> driver.collect(logged));
        long count = Math.min(pages, room * Byte.SIZE);
        bitmap.asSlice(at, (count + Long.SIZE - 1) / Long.SIZE * Long.BYTES).fill((byte) 0);
        boolean dirty = logged.report(iova, count * pageSize, pageSize, bitmap, at);
        dirty |= logged.addOutside(iova, count * pageSize, pageSize, bitmap, at);
        return Optional.of(dirty || count < pages ? count : 0);
    }
}
