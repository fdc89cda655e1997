// SPDX-License-Identifier: Apache-2.0
package itest.migration;

import java.util.List;
import java.util.function.Consumer;
import vfio.pci.api.PciAddress;
import vfio.pci.api.VfioException;
import vfio.pci.api.admin.MigrationOrder;
import vfio.pci.api.admin.MigrationOutcome;
import vfio.pci.api.admin.MigrationProgress;
import vfio.pci.api.admin.Whereabouts;
import vmm.Outgoing;
import vmm.Steps;
import vmm.channel.Transport;
import vmm.control.Orders;
import vmm.control.Participation;

/** The VMM of a guest, which moves it when its runtime tells it to. */
final class Participant implements Orders, AutoCloseable {
    private final MovableGuest guest;
    private final Participation participation;
    private volatile Steps steps = Steps.UNSEEN;
    private volatile MovableGuest.Side leaving;

    Participant(MovableGuest guest, List<PciAddress> functions) throws VfioException {
        this.guest = guest;
        participation = Participation.register(guest.side().runtime().migrate(), "java guest", functions, this);
    }

    /** Who is told of the steps of moves that begin from now on. */
    void watch(Steps watcher) {
        steps = watcher;
    }

    @Override
    public Outgoing begin(MigrationOrder order, Consumer<MigrationProgress> watcher) {
        leaving = guest.side();
        return new Outgoing(leaving, Transport.PLAIN, order, steps, watcher);
    }

    @Override
    public void ended(MigrationOutcome outcome) {
        if (outcome.use() == Whereabouts.DESTINATION) {
            leaving.close();
        }
    }

    @Override
    public void close() {
        participation.close();
    }
}
