// SPDX-License-Identifier: Apache-2.0
package vfio.pci.provision.demand;

import java.io.IOException;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import vfio.pci.api.Errno;
import vfio.pci.api.PciAddress;
import vfio.pci.api.PciId;
import vfio.pci.api.VfioException;
import vfio.pci.api.admin.ProvidedMediator;
import vfio.pci.provision.bundles.BundleChanges;
import vfio.pci.provision.bundles.RunningDevices;
import vfio.pci.provision.jar.CheckedJar;
import vfio.pci.provision.jar.JarCheck;
import vfio.pci.provision.match.Choice;
import vfio.pci.provision.match.Offer;

/// Installs and starts the mediator that fits a device. Each bundle is loaded by a thread of its own, for which whoever opens a device
/// waits, bounded; who comes meanwhile waits for the same. A bundle that is installed is left as it is: whoever stopped it wanted it so.
public final class DemandLoader {
    /// Before the location of every bundle that was loaded on demand.
    static final String LOCATION = "vfio-demand:";

    private static final System.Logger LOG = System.getLogger(DemandLoader.class.getName());
    private static final long NAP_NANOS = TimeUnit.MILLISECONDS.toNanos(1);

    private final BundleContext context;
    private final BundleChanges changes;
    private final JarCheck check;
    private final RunningDevices devices;
    private final Preferences preferences;
    private final Supplier<DemandSettings> settings;
    private final Runnable loaded;
    private final OfferReading reading;
    private final Bindings bindings = new Bindings();
    /// What comes now, by symbolic name.
    private final Map<String, Load> running = new ConcurrentHashMap<>();
    private final Map<Long, ProvidedMediator> provided = new ConcurrentSkipListMap<>();
    /// Offers that turned out to be no use: not tried again as long as they are the same.
    private final Set<Offer> useless = ConcurrentHashMap.newKeySet();

    /// A bundle that comes, and since when.
    private static final class Load extends FutureTask<Boolean> {
        private final long since = System.nanoTime();

        Load(Callable<Boolean> work) {
            super(work);
        }

        long nanosLeft(Duration longest) {
            return since + longest.toNanos() - System.nanoTime();
        }
    }

    /// Loads into this framework.
    ///
    /// @param loaded is run when something was loaded
    public DemandLoader(BundleContext context, JarCheck check, OfferReading reading, Preferences preferences,
            Supplier<DemandSettings> settings, Runnable loaded) {
        this.context = context;
        this.changes = new BundleChanges(context);
        this.check = check;
        this.reading = reading;
        this.devices = new RunningDevices(context);
        this.preferences = preferences;
        this.settings = settings;
        this.loaded = loaded;
    }

    /// What an earlier life of this bundle loaded: still listed when it runs, and otherwise uninstalled.
    public void adopt() {
        for (Bundle bundle : context.getBundles()) {
            if (bundle.getLocation().startsWith(LOCATION)) {
                if (bundle.getState() == Bundle.ACTIVE) {
                    LOG.log(System.Logger.Level.INFO, "bundle {0} was loaded on demand before, and stays", bundle);
                } else {
                    unload(bundle, "it does not run any more");
                }
            }
        }
    }

    /// What was loaded and is still there, oldest first.
    public List<ProvidedMediator> provided() {
        provided.keySet().removeIf(id -> context.getBundle(id) == null);
        return List.copyOf(provided.values());
    }

    /// Bundles that were loaded on demand.
    List<Bundle> bundles() {
        return Arrays.stream(context.getBundles()).filter(bundle -> bundle.getLocation().startsWith(LOCATION)).toList();
    }

    /// As [vfio.pci.api.admin.MediatorSource#provide].
    public boolean provide(PciAddress address, PciId id) {
        Optional<Choice> choice = choose(address, id);
        if (choice.isEmpty() || useless.contains(choice.get().offer())) {
            return false;
        }
        String name = choice.get().offer().symbolicName();
        Load load = running.get(name);
        if (load == null) {
            // somebody may have begun to load it in between: it is installed before it runs
            Optional<Bundle> present = installed(name);
            load = present.isEmpty() ? begin(name, new Load(() -> load(choice.get(), address, id))) : running.get(name);
            if (load == null) {
                return present.get().getState() == Bundle.ACTIVE;
            }
        }
        return await(load, address, name);
    }

    /// A device is about to be bound; nothing is taken away for want of use until [#endBinding()].
    public void beginBinding() {
        bindings.begin(settings.get().longest());
    }

    /// It is bound, or will not be.
    public void endBinding() {
        bindings.end();
    }

    /// One thread for each bundle, whoever else wants it.
    private Load begin(String name, Load fresh) {
        Load present = running.putIfAbsent(name, fresh);
        if (present == null) {
            Thread.ofPlatform().daemon().name("vfio-provision-" + name).start(fresh);
        }
        return present == null ? fresh : present;
    }

    private Optional<Choice> choose(PciAddress address, PciId id) {
        try {
            List<Offer> offers = reading.of(settings.get().repository(), settings.get().longest());
            useless.retainAll(offers);
            Optional<String> preferred = offers.isEmpty() ? Optional.empty()
                : Optional.ofNullable(preferences.all().get(id.vendorAndDevice()));
            if (preferred.isPresent() && Choice.named(offers, preferred.get()).isEmpty()) {
                LOG.log(System.Logger.Level.WARNING, "{0}: preferred bundle={1} expected=one in the repository; the usual choice counts",
                    address, preferred.get());
            }
            return Choice.of(offers, id, preferred);
        } catch (IOException e) {
            LOG.log(System.Logger.Level.WARNING, "{0}: the repository cannot be read: {1}", address, e.toString());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        return Optional.empty();
    }

    private Optional<Bundle> installed(String symbolicName) {
        return Arrays.stream(context.getBundles()).filter(bundle -> symbolicName.equals(bundle.getSymbolicName())).findFirst();
    }

    private boolean await(Load load, PciAddress address, String name) {
        try {
            return load.get(Math.max(0, load.nanosLeft(settings.get().longest())), TimeUnit.NANOSECONDS);
        } catch (TimeoutException e) {
            LOG.log(System.Logger.Level.WARNING, "{0}: bundle={1} is not there within {2}; the device opens without it", address, name,
                settings.get().longest());
        } catch (ExecutionException e) {
            LOG.log(System.Logger.Level.ERROR, "{0}: bundle={1} could not be loaded: {2}", address, name, e.getCause().toString());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        return false;
    }

    private boolean load(Choice choice, PciAddress address, PciId id) {
        Offer offer = choice.offer();
        Optional<Bundle> present = installed(offer.symbolicName());
        if (present.isPresent()) {
            running.remove(offer.symbolicName());
            return present.get().getState() == Bundle.ACTIVE;
        }
        try (CheckedJar jar = check.check(offer.jar(), offer.sha256())) {
            if (!jar.description().symbolicName().equals(offer.symbolicName()) || !jar.description().version().equals(offer.version())) {
                throw new VfioException(Errno.EINVAL, "jar=%s bundle=%s expected=%s".formatted(offer.jar(), jar.description(), offer));
            }
            Bundle bundle = changes.install(LOCATION + offer, jar, Bundle.START_TRANSIENT);
            provided.put(bundle.getBundleId(), new ProvidedMediator(jar.description().toString(), bundle.getBundleId(), address, id,
                choice.why(), offer.jar().toString()));
            LOG.log(System.Logger.Level.INFO, "{0}: bundle {1} loaded from {2}: {3}", address, offer, offer.jar(), choice.why());
            awaitMediator(bundle);
            return true;
        } catch (VfioException e) {
            useless.add(offer);
            LOG.log(System.Logger.Level.WARNING, "{0}: bundle {1} is not loaded: {2}", address, offer, e.getMessage());
            return false;
        } finally {
            running.remove(offer.symbolicName());
            loaded.run();
        }
    }

    /// Most register their mediator while they start. One whose mediator comes later, by a thread of its own, is waited for.
    private void awaitMediator(Bundle bundle) {
        long deadline = System.nanoTime() + settings.get().longest().toNanos();
        while (!devices.mediates(bundle.getBundleId()) && bundle.getState() == Bundle.ACTIVE && System.nanoTime() - deadline < 0) {
            LockSupport.parkNanos(NAP_NANOS);
        }
    }

    /// Uninstalls what was loaded, unless a device uses it.
    ///
    /// @return false when somebody is choosing a mediator just now, and it is to be tried later
    boolean unloadUnused(Bundle bundle, String why) {
        return bindings.takeAway(() -> {
            if (!devices.uses(bundle.getBundleId())) {
                unload(bundle, why);
            }
        });
    }

    private void unload(Bundle bundle, String why) {
        try {
            changes.uninstall(bundle);
            LOG.log(System.Logger.Level.INFO, "bundle {0} that was loaded on demand is uninstalled: {1}", bundle, why);
        } catch (VfioException | IllegalStateException e) {
            LOG.log(System.Logger.Level.WARNING, "bundle {0} that was loaded on demand stays: {1}", bundle, e.getMessage());
        }
    }

    /// Other settings count: what was no use may be some now.
    public void settingsChanged() {
        useless.clear();
    }
}
