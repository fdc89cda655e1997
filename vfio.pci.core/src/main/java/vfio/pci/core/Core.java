// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.BundleException;
import org.osgi.framework.Constants;
import org.osgi.framework.ServiceReference;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Modified;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.component.annotations.ReferencePolicyOption;
import org.osgi.service.metatype.annotations.Designate;
import vfio.pci.api.Errno;
import vfio.pci.api.PciAddress;
import vfio.pci.api.VfioException;
import vfio.pci.api.admin.AccessStats;
import vfio.pci.api.admin.DeviceAdmin;
import vfio.pci.api.admin.DeviceStatus;
import vfio.pci.api.admin.Exchange;
import vfio.pci.api.admin.MediatorPolicy;
import vfio.pci.api.admin.MediatorSource;
import vfio.pci.api.admin.MediatorStatus;
import vfio.pci.api.device.Client;
import vfio.pci.api.device.VfioDevice;
import vfio.pci.api.device.VfioPci;
import vfio.pci.api.function.PciFunction;
import vfio.pci.api.mediation.MediateOps;
import vfio.pci.core.binding.Faults;
import vfio.pci.core.binding.Mediator;
import vfio.pci.core.binding.MediatorRegistry;
import vfio.pci.core.binding.MediatorStack;
import vfio.pci.core.device.DeviceSettings;
import vfio.pci.core.device.KnownFunction;
import vfio.pci.core.device.MediatorDeparture;
import vfio.pci.core.device.Newcomers;

/// The component that ties the core together: it tracks functions and mediators, and opens devices. Declarative Services calls the methods
/// that bind and unbind in the thread that registers or unregisters the service, which is what makes "gone means gone" hold when a bundle's
/// stop returns.
@Component(immediate = true, service = {VfioPci.class, DeviceAdmin.class}, configurationPid = "vfio.pci.core")
@Designate(ocd = CoreConfig.class)
public final class Core implements VfioPci, DeviceAdmin {
    private static final System.Logger LOG = System.getLogger(Core.class.getName());

    private final MediatorRegistry mediators = new MediatorRegistry();
    private final Map<Long, Mediator> mediatorsById = new ConcurrentHashMap<>();
    private final Map<PciAddress, KnownFunction> functions = new ConcurrentSkipListMap<>();
    private final Map<PciAddress, ConfiguredDevice> configured = new ConcurrentHashMap<>();
    private final ExecutorService later = Executors.newSingleThreadExecutor(
        task -> Thread.ofPlatform().name("vfio-core").daemon().unstarted(task));
    private final Policies policies = new Policies();
    private final Stacks stacks = new Stacks();
    private final Exchanges exchanges = new Exchanges(mediators, functions.values());
    private volatile BundleContext context;
    private volatile Duration freeze = Duration.ofSeconds(2);
    private volatile DeviceSettings settings = DeviceSettings.DEFAULT;
    @Reference(cardinality = ReferenceCardinality.OPTIONAL, policy = ReferencePolicy.DYNAMIC, policyOption = ReferencePolicyOption.GREEDY)
    private volatile MediatorSource source;

    /// For Declarative Services, which binds what is there before it activates.
    public Core() {
    }

    /// Takes the configuration in, at the start and whenever it changes; it holds for devices opened from then on.
    @Activate
    @Modified
    void configure(BundleContext bundle, CoreConfig config) {
        context = bundle;
        settings = new DeviceSettings(false, Duration.ofMillis(Math.max(1, config.drainTimeoutMillis())), Math.max(1, config.mostDmaMaps()),
            Math.max(1, config.mostMediationFaults()));
        freeze = Duration.ofMillis(Math.max(1, config.freezeMillis()));
        policies.byDefault(Policies.parse(config.policy()));
    }

    @Deactivate
    void deactivate() {
        functions.values().forEach(function -> function.gone("the core stops"));
        later.shutdown();
    }

    // ---- mediators

    @Reference(name = "mediators", cardinality = ReferenceCardinality.MULTIPLE, policy = ReferencePolicy.DYNAMIC,
        policyOption = ReferencePolicyOption.GREEDY)
    void addMediator(MediateOps ops, ServiceReference<MediateOps> reference) {
        Mediator mediator = new Mediator(identity(ops, reference), ops);
        mediatorsById.put(mediator.identity().serviceId(), mediator);
        mediators.add(mediator);
        functions.values().forEach(function -> function.thaw(mediator));
    }

    void removeMediator(ServiceReference<MediateOps> reference) {
        Mediator mediator = mediatorsById.remove(serviceId(reference));
        if (mediator == null) {
            return;
        }
        mediators.remove(mediator);
        long deadline = System.nanoTime() + settings.drainTimeout().toNanos();
        mediator.shut(deadline);
        List<MediatorDeparture> departures = new ArrayList<>();
        functions.values().forEach(function ->
            function.depart(mediator, policies.of(function.function().address()), freeze, deadline).ifPresent(departures::add));
        MediatorDeparture.finish(departures, settings.drainTimeout());
        mediators.depart(mediator);
        functions.values().forEach(function -> function.thaw(mediators.inOrder()));
    }

    private static Mediator.Identity identity(MediateOps ops, ServiceReference<MediateOps> reference) {
        Bundle bundle = reference.getBundle();
        int ranking = reference.getProperty(Constants.SERVICE_RANKING) instanceof Integer number ? number : 0;
        return new Mediator.Identity(name(ops, bundle), bundle.getSymbolicName() + " " + bundle.getVersion(), bundle.getBundleId(), ranking,
            serviceId(reference));
    }

    /// A copy of the name: the string itself is the vendor's, and so may be the class of a broken one's exception.
    private static String name(MediateOps ops, Bundle bundle) {
        try {
            return String.valueOf(ops.name());
        } catch (RuntimeException | LinkageError e) {
            return bundle.getSymbolicName();
        }
    }

    private static long serviceId(ServiceReference<?> reference) {
        return (Long) reference.getProperty(Constants.SERVICE_ID);
    }

    // ---- functions

    @Reference(name = "functions", cardinality = ReferenceCardinality.MULTIPLE, policy = ReferencePolicy.DYNAMIC,
        policyOption = ReferencePolicyOption.GREEDY)
    void addFunction(PciFunction function) {
        KnownFunction present = functions.putIfAbsent(function.address(), new KnownFunction(function, later));
        if (present == null) {
            declare(function.address());
            LOG.log(System.Logger.Level.INFO, "{0}: function {1} appeared", function.address(), function.id().vendorAndDevice());
        } else {
            LOG.log(System.Logger.Level.WARNING, "{0}: a second function at this address is ignored", function.address());
        }
    }

    void removeFunction(PciFunction function) {
        KnownFunction known = functions.get(function.address());
        if (known != null && known.function() == function && functions.remove(function.address(), known)) {
            known.gone("its function has gone");
            LOG.log(System.Logger.Level.INFO, "{0}: function went", function.address());
        }
    }

    @Reference(name = "configured", cardinality = ReferenceCardinality.MULTIPLE, policy = ReferencePolicy.DYNAMIC,
        policyOption = ReferencePolicyOption.GREEDY)
    void addConfigured(ConfiguredDevice device) {
        configured.put(device.address(), device);
        policies.configure(device.address(), device.policy());
        stacks.configure(device.address(), device.stack());
        declare(device.address());
    }

    void removeConfigured(ConfiguredDevice device) {
        if (configured.remove(device.address(), device)) {
            policies.configure(device.address(), Optional.empty());
            stacks.configure(device.address(), Optional.empty());
            declare(device.address());
        }
    }

    /// Tells a function, if it is there, who is to mediate it.
    private void declare(PciAddress address) {
        KnownFunction function = functions.get(address);
        if (function != null) {
            function.declare(stacks.of(address));
        }
    }

    private KnownFunction known(PciAddress address) throws VfioException {
        KnownFunction function = functions.get(address);
        if (function == null) {
            throw new VfioException(Errno.ENODEV, "address=%s expected=one of %s".formatted(address,
                functions.keySet().stream().map(PciAddress::toString).collect(Collectors.joining(" "))));
        }
        return function;
    }

    // ---- services

    @Override
    public VfioDevice open(PciAddress address, Client client) throws VfioException {
        ConfiguredDevice own = configured.get(address);
        KnownFunction function = known(address);
        try (var _ = choosing()) {
            List<Mediator> asked = mediators.inOrder();
            return function.open(client, asked, settings.withMapDisablable(own != null && own.mapDisablable()),
                new Sourced(function.function(), asked));
        }
    }

    /// Mediators are chosen until it is closed: the source takes none away meanwhile.
    private Choosing choosing() {
        return new Choosing(source);
    }

    private static final class Choosing implements AutoCloseable {
        private final MediatorSource source;

        Choosing(MediatorSource source) {
            this.source = source;
            tell(MediatorSource::beginBinding);
        }

        private void tell(Consumer<MediatorSource> what) {
            try {
                if (source != null) {
                    what.accept(source);
                }
            } catch (RuntimeException | LinkageError | AssertionError | VirtualMachineError e) {
                LOG.log(System.Logger.Level.ERROR, "the source of mediators failed, and may take one away: {0}", Faults.describe(e));
            }
        }

        @Override
        public void close() {
            tell(MediatorSource::endBinding);
        }
    }

    /// Mediators that the source brings for one open. What the source fails with is no reason to fail the open.
    private final class Sourced implements Newcomers {
        private final PciFunction function;
        private final List<Mediator> asked;

        Sourced(PciFunction function, List<Mediator> asked) {
            this.function = function;
            this.asked = asked;
        }

        @Override
        public List<Mediator> find() {
            MediatorSource present = source;
            try {
                if (present != null && present.provide(function.address(), function.id())) {
                    return mediators.inOrder().stream().filter(mediator -> !asked.contains(mediator)).toList();
                }
            } catch (RuntimeException | LinkageError | AssertionError | VirtualMachineError e) {
                LOG.log(System.Logger.Level.ERROR, "{0}: the source of mediators failed, and the device opens without: {1}",
                    function.address(), Faults.describe(e));
            }
            return List.of();
        }

        @Override
        public void closed() {
            MediatorSource present = source;
            try {
                if (present != null) {
                    present.closed(function.address());
                }
            } catch (RuntimeException | LinkageError | AssertionError | VirtualMachineError e) {
                LOG.log(System.Logger.Level.ERROR, "{0}: the source of mediators failed when the device was closed: {1}",
                    function.address(), Faults.describe(e));
            }
        }
    }

    @Override
    public List<DeviceStatus> devices() {
        return functions.values().stream().map(KnownFunction::status).toList();
    }

    @Override
    public DeviceStatus device(PciAddress address) throws VfioException {
        return known(address).status();
    }

    @Override
    public List<MediatorStatus> mediators() {
        return mediators.status();
    }

    @Override
    public AccessStats stats(PciAddress address) throws VfioException {
        return known(address).stats();
    }

    // ---- exchanges

    @Override
    public MediatorPolicy policy(PciAddress address) throws VfioException {
        return policies.of(known(address).function().address());
    }

    @Override
    public void policy(PciAddress address, MediatorPolicy policy) throws VfioException {
        policies.say(known(address).function().address(), policy);
    }

    @Override
    public List<String> stack(PciAddress address) throws VfioException {
        return known(address).declared().declared();
    }

    @Override
    public void stack(PciAddress address, List<String> names) throws VfioException {
        known(address);
        MediatorStack stack;
        try {
            stack = new MediatorStack(names);
        } catch (IllegalArgumentException e) {
            throw new VfioException(Errno.EINVAL, e.getMessage());
        }
        stacks.say(address, stack);
        declare(address);
    }

    @Override
    public Exchange rebind(PciAddress address, Optional<String> mediator) throws VfioException {
        try (var _ = choosing()) {
            return exchanges.rebind(known(address), mediator);
        }
    }

    @Override
    public List<Exchange> swap(Optional<PciAddress> address, String from, String to) throws VfioException {
        try (var _ = choosing()) {
            return exchanges.swap(address.isPresent() ? Optional.of(known(address.get())) : Optional.empty(), from, to);
        }
    }

    @Override
    public Exchange renew(PciAddress address) throws VfioException {
        return known(address).renew();
    }

    @Override
    public String unload(String name) throws VfioException {
        Mediator mediator = exchanges.mediator(name, Optional.empty());
        List<String> users = exchanges.devicesOf(mediator).stream()
            .filter(function -> policies.of(function.function().address()) == MediatorPolicy.REFUSE)
            .map(function -> function.function().address() + " (" + String.join(", ", function.status().clients()) + ")").toList();
        if (!users.isEmpty()) {
            throw new VfioException(Errno.EBUSY, "mediator=%s in use by %s expected=no device with policy refuse".formatted(mediator,
                String.join(", ", users)));
        }
        try {
            context.getBundle(mediator.identity().bundleId()).stop(Bundle.STOP_TRANSIENT);
        } catch (BundleException e) {
            throw new VfioException(Errno.EIO, "mediator=%s its bundle does not stop: %s".formatted(mediator, e.getMessage()));
        }
        return mediator.toString();
    }
}
