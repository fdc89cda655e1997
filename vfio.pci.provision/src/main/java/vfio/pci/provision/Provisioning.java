// SPDX-License-Identifier: Apache-2.0
package vfio.pci.provision;

import java.io.IOException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.osgi.framework.BundleContext;
import org.osgi.service.cm.ConfigurationAdmin;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Modified;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.metatype.annotations.Designate;
import vfio.pci.api.PciAddress;
import vfio.pci.api.PciId;
import vfio.pci.api.VfioException;
import vfio.pci.api.admin.MediatorSource;
import vfio.pci.api.admin.PlanAction;
import vfio.pci.api.admin.ProvidedMediator;
import vfio.pci.api.admin.ProvisionAdmin;
import vfio.pci.api.admin.ProvisionPlan;
import vfio.pci.provision.demand.DemandLoader;
import vfio.pci.provision.demand.DemandSettings;
import vfio.pci.provision.demand.IdleUnload;
import vfio.pci.provision.demand.OfferReading;
import vfio.pci.provision.demand.Preferences;
import vfio.pci.provision.dropin.DropInFolder;
import vfio.pci.provision.jar.JarCheck;
import vfio.pci.provision.jar.Signers;
import vfio.pci.provision.plan.Plans;
import vfio.pci.provision.repository.Repository;

/// The component: its configuration, and what each of its parts is asked. A change of configuration counts for what begins after it, and
/// takes nothing away that was loaded.
@Component(immediate = true, service = {MediatorSource.class, ProvisionAdmin.class}, configurationPid = "vfio.pci.provision")
@Designate(ocd = ProvisionConfig.class)
public final class Provisioning implements MediatorSource, ProvisionAdmin {
    private static final System.Logger LOG = System.getLogger(Provisioning.class.getName());

    private final BundleContext context;
    private final ConfigurationAdmin configurations;
    private final JarCheck check;
    private final Preferences preferences;
    private final DemandLoader loader;
    private final IdleUnload idle;
    private final Plans plans;
    private volatile DemandSettings settings;
    private volatile JarCheck.SignaturePolicy policy;
    private Optional<Path> folder = Optional.empty();
    private Optional<DropInFolder> dropIn = Optional.empty();

    /// With this configuration.
    @Activate
    public Provisioning(BundleContext context, @Reference ConfigurationAdmin configurations, ProvisionConfig config) {
        this.context = context;
        this.configurations = configurations;
        this.check = new JarCheck(context.getDataFile("jars").toPath(), () -> policy.required());
        this.preferences = new Preferences(configurations, Optional.ofNullable(context.getProperty("vfio.etc")).map(Path::of));
        check.discardLeftovers();
        OfferReading reading = new OfferReading();
        this.loader = new DemandLoader(context, check, reading, preferences, () -> settings, () -> whenLoaded());
        this.idle = new IdleUnload(context, loader, () -> settings);
        this.plans = new Plans(context, check, reading, () -> settings);
        configure(config);
        loader.adopt();
        idle.look();
    }

    /// Takes other settings in.
    @Modified
    void modified(ProvisionConfig config) {
        configure(config);
        loader.settingsChanged();
        idle.look();
    }

    private void configure(ProvisionConfig config) {
        policy = policy(config);
        settings = new DemandSettings(repository(config), Duration.ofMillis(Math.max(0, config.longestMillis())),
            config.idleSeconds() > 0 ? Optional.of(Duration.ofSeconds(config.idleSeconds())) : Optional.empty());
        Optional<Path> wanted = folder(config);
        if (!wanted.equals(folder)) {
            dropIn.ifPresent(DropInFolder::close);
            dropIn = wanted.flatMap(this::watch);
            folder = wanted;
        }
    }

    private static Repository repository(ProvisionConfig config) {
        try {
            return Repository.at(config.repository());
        } catch (IllegalArgumentException e) {
            LOG.log(System.Logger.Level.ERROR, "repository is not used: {0}", e.getMessage());
            return Repository.NONE;
        }
    }

    /// A keystore that cannot be read is one that nobody is in.
    private static JarCheck.SignaturePolicy policy(ProvisionConfig config) {
        if (config.keystore().isBlank()) {
            return JarCheck.SignaturePolicy.NONE;
        }
        Path keystore = Path.of(config.keystore().strip());
        char[] password = config.keystore_password().toCharArray();
        return () -> {
            try {
                return Optional.of(Signers.of(keystore, password));
            } catch (GeneralSecurityException e) {
                throw new IOException("keystore=%s expected=one that can be read: %s".formatted(keystore, e.getMessage()), e);
            }
        };
    }

    private Optional<Path> folder(ProvisionConfig config) {
        String property = context.getProperty("vfio.load");
        String named = config.load().isBlank() && property != null ? property : config.load();
        return named.isBlank() ? Optional.empty() : Optional.of(Path.of(named.strip()).toAbsolutePath().normalize());
    }

    private Optional<DropInFolder> watch(Path path) {
        try {
            return Optional.of(new DropInFolder(context, configurations, path, check));
        } catch (IOException e) {
            LOG.log(System.Logger.Level.ERROR, "load={0} is not watched: {1}", path, e.toString());
            return Optional.empty();
        }
    }

    @Deactivate
    void deactivate() {
        dropIn.ifPresent(DropInFolder::close);
        idle.close();
    }

    private void whenLoaded() {
        idle.look();
    }

    @Override
    public boolean provide(PciAddress address, PciId id) {
        return loader.provide(address, id);
    }

    @Override
    public void beginBinding() {
        loader.beginBinding();
    }

    @Override
    public void endBinding() {
        loader.endBinding();
    }

    @Override
    public void closed(PciAddress address) {
        idle.look();
    }

    @Override
    public ProvisionPlan plan(PlanAction action, String bundle, Optional<String> from) throws VfioException {
        return plans.plan(action, bundle, from);
    }

    @Override
    public ProvisionPlan apply() throws VfioException {
        return plans.apply();
    }

    @Override
    public List<ProvidedMediator> provided() {
        return loader.provided();
    }

    @Override
    public void prefer(String device, Optional<String> bundle) throws VfioException {
        preferences.prefer(device, bundle);
    }

    @Override
    public Map<String, String> preferences() {
        return preferences.all();
    }
}
