// SPDX-License-Identifier: Apache-2.0
package mediator.igd;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Modified;
import org.osgi.service.metatype.annotations.Designate;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.function.PciFunction;
import vfio.pci.api.mediation.MediateOps;
import vfio.pci.api.mediation.Mediation;
import vfio.pci.api.mediation.MediationContext;

/// The mediator for Intel graphics. It stands alone: it drives no device. A change of its configuration (`mediator.igd`, property `ids`)
/// holds for devices opened afterwards and takes nothing from those that are open.
@Component(name = "mediator.igd")
@Designate(ocd = IgdSettings.class)
public final class IgdMediator implements MediateOps {
    /// How many devices it mediates at a time, as the sample does.
    static final int MAX_OPEN = 256;

    private static final Logger LOG = System.getLogger(IgdMediator.class.getName());

    private final Semaphore free = new Semaphore(MAX_OPEN);
    private volatile IgdIds ids;

    /// With the ids of this configuration besides its own.
    @Activate
    public IgdMediator(Map<String, Object> properties) {
        ids = ids(properties);
    }

    @Modified
    void modified(Map<String, Object> properties) {
        ids = ids(properties);
    }

    @Override
    public String name() {
        return "igd";
    }

    @Override
    public Optional<Mediation> open(PciFunction function, MediationContext context) throws VfioException {
        if (!ids.fits(function.id())) {
            return Optional.empty();
        }
        if (!free.tryAcquire()) {
            throw new VfioException(Errno.ENOSPC, "mediator=igd address=%s open=%d expected=at most %d".formatted(function.address(),
                MAX_OPEN, MAX_OPEN));
        }
        return Optional.of(new IgdMediation(context, free::release));
    }

    private static IgdIds ids(Map<String, Object> properties) {
        return IgdIds.with(properties.get("ids"),
            wrong -> LOG.log(Level.ERROR, "mediator.igd: ids={0} expected=8086:DDDD; left out", wrong));
    }
}
