// SPDX-License-Identifier: Apache-2.0
package mediator.i40e;

import device.sim.bus.SimulatedBus;
import device.sim.xl710.Xl710;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.UnaryOperator;
import org.apache.felix.framework.FrameworkFactory;
import org.osgi.framework.Constants;
import org.osgi.framework.ServiceReference;
import org.osgi.framework.launch.Framework;
import vfio.pci.api.PciAddress;
import vfio.pci.api.VfioException;
import vfio.pci.api.device.Client;
import vfio.pci.api.device.VfioDevice;
import vfio.pci.api.function.PciFunction;
import vfio.pci.api.mediation.MediateOps;
import vfio.pci.api.mediation.Mediation;
import vfio.pci.api.mediation.MediationContext;
import vfio.pci.api.migration.DirtyLog;
import vfio.pci.core.binding.Mediator;
import vfio.pci.core.device.DeviceSettings;
import vfio.pci.core.device.KnownFunction;

/// A simulated card and the real core: virtual function 0 has its doorbells trapped, 1 has them mapped, both mediated; 2 and 3 pass
/// through.
final class TrackedCard implements AutoCloseable {
    private static final DeviceSettings SETTINGS = new DeviceSettings(true, Duration.ofSeconds(20), 64, 4);

    private final Framework framework;
    private final Xl710 card;
    private final PfBinding physical;
    private final ExecutorService later = Executors.newSingleThreadExecutor();
    private final I40eMediator mediator = new I40eMediator(new NoSuccession());
    private UnaryOperator<DirtyLog> mutation = UnaryOperator.identity();

    TrackedCard(Path storage) throws Exception {
        framework = new FrameworkFactory().newFramework(Map.of(Constants.FRAMEWORK_STORAGE, storage.toString(),
            Constants.FRAMEWORK_STORAGE_CLEAN, Constants.FRAMEWORK_STORAGE_CLEAN_ONFIRSTINIT));
        framework.start();
        card = new Xl710(new SimulatedBus(framework.getBundleContext()));
        card.activate(Map.of("vfs", "4", "doorbells.0", "trapped"));
        physical = PfBinding.bind(function("0000:3b:00.0"));
        mediator.add(physical);
    }

    /// Opens a virtual function that is mediated.
    ///
    /// @param mutation what stands between strategy and log
    VfioDevice open(int function, String strategy, UnaryOperator<DirtyLog> mutation) throws VfioException {
        this.mutation = mutation;
        mediator.offerMigration(I40eConfig.strategy(Map.of("migration", "true", "dirty-tracking", strategy, "experimental", "true")));
        return known(function).open(Client.standard("truth"), List.of(new Mediator(new Mediator.Identity("i40e", "test", 1, 0, 1),
            new Mutated())), SETTINGS);
    }

    /// Opens a virtual function that passes through.
    VfioDevice open(int function) throws VfioException {
        return known(function).open(Client.standard("peer"), List.of(), SETTINGS);
    }

    private KnownFunction known(int function) {
        return new KnownFunction(function("0000:3b:02." + function), later);
    }

    private PciFunction function(String address) {
        PciAddress wanted = PciAddress.parse(address);
        ServiceReference<?>[] references = framework.getBundleContext().getBundle().getRegisteredServices();
        for (ServiceReference<?> reference : references) {
            if (framework.getBundleContext().getService(reference) instanceof PciFunction function && function.address().equals(wanted)) {
                return function;
            }
        }
        throw new AssertionError("address=" + address);
    }

    /// The mediator, with something between its strategy and the core's log.
    private final class Mutated implements MediateOps {
        @Override
        public String name() {
            return mediator.name();
        }

        @Override
        public Optional<Mediation> open(PciFunction function, MediationContext context) throws VfioException {
            return mediator.open(function, context).map(mediation -> new MutatedMediation(mediation, mutation));
        }
    }

    @Override
    public void close() throws Exception {
        physical.close();
        card.deactivate();
        framework.stop();
        framework.waitForStop(10_000);
        later.shutdown();
    }
}
