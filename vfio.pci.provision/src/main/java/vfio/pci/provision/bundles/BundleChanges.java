// SPDX-License-Identifier: Apache-2.0
package vfio.pci.provision.bundles;

import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.BundleException;
import org.osgi.framework.Constants;
import org.osgi.framework.startlevel.BundleStartLevel;
import org.osgi.framework.wiring.FrameworkWiring;
import vfio.pci.api.Errno;
import vfio.pci.api.PciAddress;
import vfio.pci.api.VfioException;
import vfio.pci.provision.jar.CheckedJar;

/// Installs, updates, uninstalls and refreshes, with as little disturbance as there can be: nothing is stopped that need not be, each
/// bundle once, and only what is wired to content that went is wired anew.
///
/// Each method returns when the framework has done it, which for a mediator's bundle means that its mediations have ended.
public final class BundleChanges {
    private static final System.Logger LOG = System.getLogger(BundleChanges.class.getName());
    private static final Duration LONGEST_REFRESH = Duration.ofSeconds(30);

    private final BundleContext context;
    private final RunningDevices devices;

    /// Changes the bundles of this framework.
    public BundleChanges(BundleContext context) {
        this.context = context;
        this.devices = new RunningDevices(context);
    }

    /// Installs a jar and starts it. One that does not start is uninstalled again.
    ///
    /// @param location by which it is known
    /// @param options of [Bundle#start(int)]
    /// @throws VfioException EIO when it cannot be installed or started; EEXIST when a bundle is there already
    public Bundle install(String location, CheckedJar jar, int options) throws VfioException {
        if (context.getBundle(location) != null) {
            throw new VfioException(Errno.EEXIST, "location=%s expected=one that is not installed".formatted(location));
        }
        Bundle bundle = null;
        try (InputStream in = jar.open()) {
            bundle = context.installBundle(location, in);
            start(bundle, options);
            return bundle;
        } catch (BundleException | IOException e) {
            if (bundle != null) {
                uninstallQuietly(bundle);
            }
            throw failed("install", jar.description().toString(), e);
        }
    }

    /// It starts as soon as this one does: by its own level it could be long before it does.
    private void start(Bundle bundle, int options) throws BundleException {
        BundleStartLevel level = bundle.adapt(BundleStartLevel.class);
        if (level != null) {
            level.setStartLevel(context.getBundle().adapt(BundleStartLevel.class).getStartLevel());
        }
        bundle.start(options);
    }

    private void uninstallQuietly(Bundle bundle) {
        try {
            uninstall(bundle);
        } catch (VfioException e) {
            LOG.log(System.Logger.Level.WARNING, "bundle {0}: {1}", bundle, e.getMessage());
        }
    }

    /// Gives a bundle new content; it is stopped once, and runs again if it ran, as does what is wired to it. When that fails, it has its
    /// former content again, and devices that it mediated are bound to it anew. When this bundle is among what is wired to it, the update
    /// is begun and not waited for; then too the former content comes back if something does not run again, and the log says so.
    ///
    /// @throws VfioException EIO when it cannot be updated, or does not run; the message says whether its former content does
    public void update(Bundle bundle, CheckedJar jar) throws VfioException {
        Collection<Bundle> wired = closure(List.of(bundle));
        List<Bundle> ran = wired.stream().filter(BundleChanges::runs).sorted(Comparator.comparingLong(Bundle::getBundleId)).toList();
        try {
            PresentContent former = PresentContent.of(bundle);
            if (wired.contains(context.getBundle())) {
                updateUnderneath(bundle, jar, ran, former);
            } else {
                update(bundle, jar, ran, former);
            }
        } catch (BundleException | IOException e) {
            throw failed("update", bundle.toString(), e);
        }
    }

    private static boolean runs(Bundle bundle) {
        return (bundle.getState() & (Bundle.ACTIVE | Bundle.STARTING)) != 0;
    }

    private void updateUnderneath(Bundle bundle, CheckedJar jar, List<Bundle> ran, PresentContent former)
            throws BundleException, IOException {
        try (InputStream in = jar.open()) {
            bundle.update(in);
        }
        wiring().refreshBundles(List.of(bundle), new WhenRefreshed(wiring(), bundle, ran, former));
    }

    private void update(Bundle bundle, CheckedJar jar, List<Bundle> ran, PresentContent former) throws VfioException {
        Map<PciAddress, String> mediated = devices.mediatedBy(bundle.getBundleId());
        boolean resolved = bundle.getState() != Bundle.INSTALLED;
        try (InputStream in = jar.open()) {
            exchange(bundle, in, resolved, ran);
        } catch (BundleException | IOException | VfioException e) {
            VfioException failed = failed("update", bundle.toString(), e);
            try {
                exchange(bundle, former.open(), resolved, ran);
            } catch (BundleException | VfioException again) {
                throw new VfioException(Errno.EIO, failed.getMessage() + "; nor does its former content run: " + again.getMessage());
            }
            devices.bindAgain(mediated);
            throw new VfioException(Errno.EIO, "%s; version %s goes on".formatted(failed.getMessage(), bundle.getVersion()));
        }
    }

    private void exchange(Bundle bundle, InputStream content, boolean resolved, List<Bundle> ran) throws BundleException, VfioException {
        stop(bundle);
        bundle.update(content);
        settle(bundle);
        if (ran.contains(bundle)) {
            bundle.start(Bundle.START_TRANSIENT);
        } else if (resolved && !wiring().resolveBundles(List.of(bundle))) {
            throw new VfioException(Errno.EIO, "it does not resolve");
        }
        for (Bundle each : ran) {
            if (!runs(each)) {
                each.start(Bundle.START_TRANSIENT);
            }
        }
    }

    /// One that fails to stop has stopped all the same.
    private static void stop(Bundle bundle) throws BundleException {
        try {
            bundle.stop(Bundle.STOP_TRANSIENT);
        } catch (BundleException e) {
            if (runs(bundle)) {
                throw e;
            }
            LOG.log(System.Logger.Level.WARNING, "bundle {0} failed to stop: {1}", bundle, e.getMessage());
        }
    }

    /// Takes a bundle out.
    ///
    /// @throws VfioException EIO when the framework refuses
    public void uninstall(Bundle bundle) throws VfioException {
        try {
            bundle.uninstall();
            settle(bundle);
        } catch (BundleException e) {
            throw failed("uninstall", bundle.toString(), e);
        }
    }

    /// Wires anew what is wired to content that has gone: usually nobody but the bundle, which is stopped.
    private void settle(Bundle bundle) throws VfioException {
        if (wiring().getRemovalPendingBundles().contains(bundle)) {
            refresh(List.of(bundle));
        }
    }

    /// Wires bundles anew, with all that is wired to them. When this bundle is among them, it is begun and not waited for.
    ///
    /// @throws VfioException ETIMEDOUT when the framework is not done with it in time
    public void refresh(Collection<Bundle> bundles) throws VfioException {
        if (closure(bundles).contains(context.getBundle())) {
            wiring().refreshBundles(bundles);
            return;
        }
        var done = new CountDownLatch(1);
        wiring().refreshBundles(bundles, event -> done.countDown());
        try {
            if (!done.await(LONGEST_REFRESH.toSeconds(), TimeUnit.SECONDS)) {
                throw new VfioException(Errno.ETIMEDOUT, "refresh=%s expected=the framework to be done within %s".formatted(bundles,
                    LONGEST_REFRESH));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new VfioException(Errno.EINTR, "refresh=%s goes on".formatted(bundles));
        }
    }

    /// Bundles and all that is wired to them, by any number of steps.
    public Collection<Bundle> closure(Collection<Bundle> bundles) {
        return wiring().getDependencyClosure(bundles);
    }

    private FrameworkWiring wiring() {
        return context.getBundle(Constants.SYSTEM_BUNDLE_LOCATION).adapt(FrameworkWiring.class);
    }

    /// What the framework says, and what was at the bottom of it.
    private static VfioException failed(String what, String bundle, Exception e) {
        Throwable cause = e;
        while (cause.getCause() != null) {
            cause = cause.getCause();
        }
        String why = e.getMessage() == null || cause == e ? String.valueOf(e.getMessage()) : e.getMessage() + " " + cause;
        return new VfioException(Errno.EIO, "%s=%s failed: %s".formatted(what, bundle, why));
    }
}
