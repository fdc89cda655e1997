// SPDX-License-Identifier: Apache-2.0
package mediator.guard;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.Comparator;
import java.util.Dictionary;
import java.util.HashMap;
import java.util.Hashtable;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.osgi.framework.BundleContext;
import org.osgi.framework.Constants;
import org.osgi.framework.ServiceRegistration;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ConfigurationPolicy;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Modified;
import org.osgi.service.metatype.annotations.Designate;
import vfio.pci.api.function.PciFunction;
import vfio.pci.api.mediation.MediateOps;
import vfio.pci.api.mediation.Mediation;
import vfio.pci.api.mediation.MediationContext;

/// One configuration of `mediator.guard` and the mediator it makes. It registers the service itself, since a ranking from a file is a text
/// and the framework takes numbers only.
///
/// A changed configuration holds at once, also for devices that are open. One that is wrong changes nothing, and at the start makes no
/// mediator. A device that it names no more keeps the guard, without rules, until it is closed.
@Component(name = "mediator.guard", service = GuardMediator.class, immediate = true,
    configurationPolicy = ConfigurationPolicy.REQUIRE)
@Designate(ocd = GuardSettings.class, factory = true)
public final class GuardMediator implements MediateOps {
    private static final Logger LOG = System.getLogger(GuardMediator.class.getName());

    private final GuardLog log;
    private final ServiceRegistration<MediateOps> registration;
    private final Object lock = new Object();
    /// Guarded by the lock: the mediations of open devices, with these.
    private final Map<GuardMediation, PciFunction> open = new HashMap<>();
    private volatile GuardConfig config;

    /// With the rules of this configuration.
    ///
    /// @throws IllegalArgumentException naming key, value and what was expected
    @Activate
    public GuardMediator(BundleContext context, Map<String, Object> properties) {
        config = told(properties);
        log = new GuardLog(config.name(), System::nanoTime);
        registration = context.registerService(MediateOps.class, this, serviceProperties());
    }

    @Modified
    void modified(Map<String, Object> properties) {
        GuardConfig changed = told(properties);
        Map<GuardMediation, PciFunction> affected;
        synchronized (lock) {
            config = changed;
            affected = Map.copyOf(open);
        }
        registration.setProperties(serviceProperties());
        affected.forEach((mediation, function) -> change(mediation, rulesFor(changed, function)));
    }

    private void change(GuardMediation mediation, List<Rule> rules) {
        try {
            mediation.change(config.name(), rules);
        } catch (IllegalStateException e) {
            LOG.log(Level.WARNING, "{0}: its clients were not told of the changed rules: {1}", mediation.address(), e.getMessage());
        }
    }

    private static List<Rule> rulesFor(GuardConfig config, PciFunction function) {
        return config.devices().include(function.id(), function.address()) ? config.rules() : List.of();
    }

    @Deactivate
    void deactivate() {
        registration.unregister();
        log.close();
    }

    @Override
    public String name() {
        return config.name();
    }

    @Override
    public Optional<Mediation> open(PciFunction function, MediationContext context) {
        synchronized (lock) {
            List<Rule> rules = rulesFor(config, function);
            if (rules.isEmpty()) {
                return Optional.empty();
            }
            GuardMediation mediation = new GuardMediation(function.address(), context, log, System::nanoTime, this::closed);
            mediation.begin(config.name(), rules);
            open.put(mediation, function);
            return Optional.of(mediation);
        }
    }

    private void closed(GuardMediation mediation) {
        synchronized (lock) {
            open.remove(mediation);
        }
    }

    /// The mediations of open devices, by address.
    List<GuardMediation> mediations() {
        synchronized (lock) {
            return open.keySet().stream().sorted(Comparator.comparing(GuardMediation::address)).toList();
        }
    }

    private Dictionary<String, Object> serviceProperties() {
        Dictionary<String, Object> properties = new Hashtable<>();
        properties.put(Constants.SERVICE_RANKING, config.ranking());
        return properties;
    }

    private static GuardConfig told(Map<String, Object> properties) {
        try {
            return GuardConfig.of(properties);
        } catch (IllegalArgumentException e) {
            LOG.log(Level.ERROR, "{0}: {1}; nothing of this configuration applies", properties.get(Constants.SERVICE_PID), e.getMessage());
            throw e;
        }
    }
}
