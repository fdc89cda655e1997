// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.migration;

import java.lang.foreign.MemorySegment;
import java.util.Optional;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.migration.MigrationState;

/// The migration of one device as the proposal's region drives it: by chunks that are staged, and queries that are answered in place. What
/// is read, written and logged is the same as for the features; a copy, a resume and a log belong to the face and client that used them
/// first, until they end. Happens in the device's turn.
public final class RegionFace {
    private final MigrationEngine engine;

    /// A face of this engine.
    public RegionFace(MigrationEngine engine) {
        this.engine = engine;
    }

    /// The state now.
    public MigrationState state() {
        return engine.state();
    }

    /// Goes to a state as [MigrationEngine#state(MigrationState)] does. With a copy that begins while the device runs, all that is mapped
    /// is logged, from before the change to the end of the copy, unless somebody logs already.
    ///
    /// @throws VfioException also when logging cannot begin, with the state unchanged
    public void state(MigrationState to) throws VfioException {
        engine.turn().lock();
        try {
            engine.graph().way(engine.state(), to);
            if (to == MigrationState.PRE_COPY) {
                engine.logging().beginForRegion();
            }
            engine.state(to);
        } finally {
            engine.turn().unlock();
        }
    }

    /// Bytes that are still to be read in this state. The chunk that this client was told of before has been taken.
    ///
    /// @return 0 also where nothing can be read
    /// @throws VfioException what the vendor answers
    public long pending(Object client) throws VfioException {
        engine.turn().lock();
        try {
            if (!engine.state().saving()) {
                return 0;
            }
            StreamWriter stream = engine.saved();
            return engine.staging(stream).pending(client, engine.notYetWaiting(stream));
        } finally {
            engine.turn().unlock();
        }
    }

    /// Puts the next chunk of the state into a window, for a client that knows something is pending. One that is there already is left as
    /// it is.
    ///
    /// @throws VfioException EINVAL in a state in which nothing can be read, and out of order; EBUSY when another client or the features
    ///     read this copy; what the vendor answers
    public void stage(Object client, MemorySegment window, long at, int room) throws VfioException {
        engine.turn().lock();
        try {
            StreamWriter stream = engine.saved();
            Staging staging = engine.staging(stream);
            if (staging.mayStage(client)) {
                engine.refill(stream);
                staging.stage(window, at, room);
            }
        } finally {
            engine.turn().unlock();
        }
    }

    /// Bytes of the chunk that is staged; 0 where the vendor had nothing new after all.
    ///
    /// @throws VfioException EINVAL, EBUSY as [#stage]
    public long staged(Object client) throws VfioException {
        engine.turn().lock();
        try {
            return engine.staging(engine.saved()).staged(client);
        } finally {
            engine.turn().unlock();
        }
    }

    /// Takes in the next part of a state. Bytes are read once.
    ///
    /// @throws VfioException as [MigrationEngine#write(MemorySegment, long, int)]; EBUSY when another client or the features write this
    ///     state
    public void write(Object client, MemorySegment window, long at, int count) throws VfioException {
        engine.write(client, window, at, count);
    }

    /// Answers a dirty query. Pages outside the log count as dirty; without a log all do.
    ///
    /// @param iova of the first page
    /// @param pages asked; they do not wrap
    /// @param bitmap where the bits go, of which only those of the answer are written
    /// @param room bytes for them, whole words
    /// @return pages answered in the bitmap; 0 when all asked are clean; empty when all are dirty
    /// @throws VfioException EINVAL in a state that is not saving, and for a page size; EBUSY when the log is another's; what the vendor
    ///     answers
    public Optional<Long> query(Object client, long iova, long pages, long pageSize, MemorySegment bitmap, long at, long room)
            throws VfioException {
        engine.turn().lock();
        try {
            if (!engine.state().saving()) {
                throw new VfioException(Errno.EINVAL, "device_state=%s total_pfns=0x%x expected=a state that is saving".formatted(
                    engine.state(), pages));
            }
            return engine.logging().query(client, iova, pages, pageSize, bitmap, at, room);
        } finally {
            engine.turn().unlock();
        }
    }
}
