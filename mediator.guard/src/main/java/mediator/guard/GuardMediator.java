// SPDX-License-Identifier: Apache-2.0
package mediator.guard;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.Comparator;
import java.util.Dictionary;
import java.util.Hashtable;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
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
/// A changed configuration holds for devices opened afterwards; one that is wrong changes nothing, and at the start makes no mediator.
@Component(name = "mediator.guard", service = GuardMediator.class, immediate = true,
    configurationPolicy = ConfigurationPolicy.REQUIRE)
@Designate(ocd = GuardSettings.class, factory = true)
public final class GuardMediator implements MediateOps {
    private static final Logger LOG = System.getLogger(GuardMediator.class.getName());

    private final Set<GuardMediation> open = ConcurrentHashMap.newKeySet();
    private final AccessLog log;
    private final ServiceRegistration<MediateOps> registration;
    private volatile GuardConfig config;

    /// With the rules of this configuration.
    ///
    /// @throws IllegalArgumentException naming key, value and what was expected
    @Activate
    public GuardMediator(BundleContext context, Map<String, Object> properties) {
        config = told(properties);
        log = new AccessLog(config.name());
        registration = context.registerService(MediateOps.class, this, serviceProperties());
    }

    @Modified
    void modified(Map<String, Object> properties) {
        config = told(properties);
        registration.setProperties(serviceProperties());
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
        GuardConfig now = config;
        if (!now.devices().include(function.id(), function.address())) {
            return Optional.empty();
        }
        GuardMediation mediation = new GuardMediation(function.address(),
            now.rules().stream().map(rule -> new RuleUse(now.name(), function.address(), rule, System::nanoTime)), log, open::remove);
        open.add(mediation);
        return Optional.of(mediation);
    }

    /// The mediations of open devices, by address.
    List<GuardMediation> mediations() {
        return open.stream().sorted(Comparator.comparing(GuardMediation::address)).toList();
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
