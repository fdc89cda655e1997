// SPDX-License-Identifier: Apache-2.0
package itest.mediators;

import java.lang.foreign.MemorySegment;
import java.util.Optional;
import vfio.pci.api.function.PciFunction;
import vfio.pci.api.mediation.Mediation;
import vfio.pci.api.mediation.MediationContext;
import vfio.pci.api.mediation.Verdict;

/** Has a bug in every read. */
public final class Faulty extends Mediator {
    public Faulty(Setting setting) {
        super(setting);
    }

    @Override
    Optional<Mediation> asked(PciFunction function, MediationContext context) {
        return Optional.of(new WatchedMediation(setting()) {
            @Override
            Verdict onRead(int region, long offset, MemorySegment buffer, long bufferOffset, int count) {
                throw new Bug("read");
            }
        });
    }
}
