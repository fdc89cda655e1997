// SPDX-License-Identifier: Apache-2.0
package itest.chaos;

import itest.bundles.InstalledMediators;
import itest.bundles.MediatorBundle;
import itest.mediators.Chaotic;
import itest.mediators.Setting;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.BundleException;

/** Where a mediator's bundle is installed, in ever new versions, or none is. For the one thread that disturbs. */
final class MediatorSlot {
    private final BundleContext context;
    private final InstalledMediators mediators;
    private final Incarnations incarnations;
    private final Collection<BundleLoader> loaders;
    private final String name;
    private Optional<Bundle> bundle = Optional.empty();
    private int version;
    private int does;

    /** @param loaders gets each class loader that a bundle of this slot has */
    MediatorSlot(BundleContext context, InstalledMediators mediators, Incarnations incarnations, Collection<BundleLoader> loaders,
            int number) {
        this.context = context;
        this.mediators = mediators;
        this.incarnations = incarnations;
        this.loaders = loaders;
        this.name = "chaos" + number;
    }

    /** Its mediator's name. */
    String name() {
        return name;
    }

    /** What people say to mean its mediator. */
    String id() {
        return Long.toString(bundle.orElseThrow().getBundleId());
    }

    boolean isEmpty() {
        return bundle.isEmpty();
    }

    boolean isActive() {
        return bundle.filter(one -> one.getState() == Bundle.ACTIVE).isPresent();
    }

    boolean isStopped() {
        return !isEmpty() && !isActive();
    }

    /** A number that its mediators keep. */
    long number(String what) {
        return mediators.number(what, name).get();
    }

    void install(int what) throws BundleException {
        bundle = Optional.of(mediators.install(description(what)));
        start();
    }

    void start() throws BundleException {
        bundle.orElseThrow().start();
        noteLoader();
    }

    void stop() throws BundleException {
        bundle.orElseThrow().stop();
        gone();
    }

    /** It was stopped by somebody else, whose call has returned. */
    void gone() {
        incarnations.gone(number(Chaotic.INCARNATION));
    }

    /** To another version; one that is active is started again by that. */
    void update(int what) throws BundleException {
        long before = number(Chaotic.INCARNATION);
        bundle.orElseThrow().update(description(what).jar());
        incarnations.gone(before);
        noteLoader();
    }

    /** As the framework does where others are wired to it: stopped, unresolved, and started again. */
    void refresh() throws InterruptedException {
        long before = number(Chaotic.INCARNATION);
        Refresh.of(context, bundle.orElseThrow());
        incarnations.gone(before);
        noteLoader();
    }

    void uninstall() throws BundleException {
        mediators.uninstall(bundle.orElseThrow());
        bundle = Optional.empty();
        gone();
    }

    private MediatorBundle description(int what) {
        does = what;
        version++;
        return MediatorBundle.of(Chaotic.class).named(name).version("1.%d.0".formatted(version)).answering(what);
    }

    private void noteLoader() {
        if (isActive()) {
            loaders.add(new BundleLoader(name + " 1." + version, bundle.orElseThrow()));
        }
    }

    @Override
    public String toString() {
        return "%s 1.%d does=0x%x".formatted(name, version, does);
    }

    /** Calls that came late, and mediations that were not closed. */
    List<String> faults() {
        List<String> faults = new ArrayList<>();
        if (number(Setting.LATE) > 0) {
            faults.add("%s: %d late calls".formatted(name, number(Setting.LATE)));
        }
        if (number(Chaotic.MADE) != number(Setting.CLOSED)) {
            faults.add("%s: %d mediations, %d closed".formatted(name, number(Chaotic.MADE), number(Setting.CLOSED)));
        }
        return faults;
    }
}
