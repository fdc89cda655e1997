// SPDX-License-Identifier: Apache-2.0
package vmm;

import java.util.function.Consumer;
import vfio.pci.api.VfioException;
import vfio.pci.api.admin.MigrationOutcome;
import vmm.channel.Link;
import vmm.channel.Listening;

/// Takes a machine from the other side. Its devices do nothing until the source has given the machine away; until then whatever goes wrong
/// leaves them as they were before, and the source is told.
///
/// [#run()] is for one thread; closing what it listens on ends its wait.
public final class Incoming {
    private static final System.Logger LOG = System.getLogger(Incoming.class.getName());

    private final Machine machine;
    private final Listening listening;
    private final Steps steps;
    private final Consumer<String> log;

    /// @param machine lent until [#run()] has returned
    /// @param listening stays the caller's
    /// @param steps told of each step
    public Incoming(Machine machine, Listening listening, Steps steps) {
        this.machine = machine;
        this.listening = listening;
        this.steps = steps;
        log = text -> LOG.log(System.Logger.Level.DEBUG, "{0}", text);
    }

    /// Waits for a machine and takes it, or fails to. Dry runs meanwhile are answered.
    ///
    /// @return what came of it. [vfio.pci.api.admin.Whereabouts#DESTINATION]: it runs here. [vfio.pci.api.admin.Whereabouts#SOURCE]: it
    ///     does not, and the devices were put back;
    ///     this may be called again. [vfio.pci.api.admin.Whereabouts#NOWHERE]: it does not, and a device could not be put back
    /// @throws VfioException ECANCELED when what it listens on was closed before a machine came; else what the system says
    public MigrationOutcome run() throws VfioException {
        while (true) {
            try (Link link = listening.accept()) {
                Arrival arrival = new Arrival(machine, link, steps);
                MigrationOutcome outcome = arrival.run();
                if (arrival.begun()) {
                    return outcome;
                }
                log.accept(outcome.message());
            }
        }
    }
}
