// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.migration;

import java.util.List;
import java.util.Optional;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.migration.MigrationDriver;
import vfio.pci.api.migration.MigrationState;
import vfio.pci.api.migration.StateSection;
import vfio.pci.api.migration.StateVersion;

/// The migration of one device as who exchanges its mediator or its function drives it. The turn is held, by the caller or on its behalf:
/// vendors are called on another thread.
public final class ExchangeFace {
    private final MigrationEngine engine;

    /// A face of this engine.
    public ExchangeFace(MigrationEngine engine) {
        this.engine = engine;
    }

    /// Stops the device and takes its state out.
    ///
    /// @throws VfioException EBUSY when a client moves the device or logs its writes; what the vendor answers, with the device running
    public SavedState takeOut() throws VfioException {
        checkIdle();
        boolean done = false;
        try {
            engine.go(MigrationState.STOP);
            SavedState saved = new SavedState(engine.header(), engine.answer(MigrationDriver::save));
            done = true;
            return saved;
        } finally {
            if (!done && engine.state() != MigrationState.RUNNING) {
                engine.go(MigrationState.RUNNING);
            }
        }
    }

    /// Refuses what a client that moves the device would not expect.
    ///
    /// @throws VfioException EBUSY when one does, or logs its writes
    public void checkIdle() throws VfioException {
        if (engine.state() != MigrationState.RUNNING || engine.logging().isOn()) {
            throw new VfioException(Errno.EBUSY, "device_state=%s logging=%s expected=RUNNING and off".formatted(engine.state(),
                engine.logging().isOn()));
        }
    }

    /// Puts a state into a device that another mediator, or this one, has stopped. It stays stopped.
    ///
    /// @throws VfioException EINVAL for a state that this mediator does not know; else what it answers
    public void putIn(SavedState saved) throws VfioException {
        engine.assume(MigrationState.STOP);
        StateVersion version = saved.header().version();
        List<StateSection> sections = saved.copies();
        try {
            engine.header().checkFits(saved.header());
        } catch (VfioException e) {
            Optional<List<StateSection>> converted = engine.answer(vendor -> vendor.convert(saved.header().mediator(),
                saved.header().version(), saved.copies()));
            if (converted.isEmpty()) {
                throw e;
            }
            sections = converted.get();
            version = engine.header().version();
        }
        StateVersion readAs = version;
        List<StateSection> read = sections;
        engine.answer(vendor -> {
            vendor.load(readAs, read);
            return vendor;
        });
        if (engine.header().version().equals(readAs)) {
            SavedState.checkSame(read, engine.answer(MigrationDriver::save));
        }
    }

    /// The function is another one, as its reset left it: stops it, for [#putIn].
    public void stopFresh() throws VfioException {
        engine.assume(MigrationState.RUNNING);
        engine.go(MigrationState.STOP);
    }

    /// Has a stopped device go on.
    public void goOn() throws VfioException {
        engine.go(MigrationState.RUNNING);
    }
}
