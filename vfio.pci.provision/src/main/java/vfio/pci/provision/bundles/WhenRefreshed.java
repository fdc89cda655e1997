// SPDX-License-Identifier: Apache-2.0
package vfio.pci.provision.bundles;

import java.util.ArrayList;
import java.util.List;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleException;
import org.osgi.framework.FrameworkEvent;
import org.osgi.framework.FrameworkListener;
import org.osgi.framework.wiring.FrameworkWiring;

/// Sees to it that what ran runs again after an update that takes this very bundle along: where it does not, the bundle gets its former
/// content back. It is called when the classes of this bundle have been exchanged behind it, and may be all that is left of them; so it is
/// one class, which needs none but the framework's and Java's, and nothing that is made when it is first used.
final class WhenRefreshed implements FrameworkListener {
    private static final System.Logger LOG = System.getLogger(WhenRefreshed.class.getName());

    private final FrameworkWiring wiring;
    private final Bundle updated;
    private final List<Bundle> ran;
    private final PresentContent former;
    private boolean restored;

    WhenRefreshed(FrameworkWiring wiring, Bundle updated, List<Bundle> ran, PresentContent former) {
        this.wiring = wiring;
        this.updated = updated;
        this.ran = List.copyOf(ran);
        this.former = former;
    }

    @Override
    public void frameworkEvent(FrameworkEvent event) {
        List<Bundle> down = new ArrayList<>();
        for (Bundle bundle : ran) {
            if (bundle.getState() != Bundle.ACTIVE && bundle.getState() != Bundle.STARTING && !started(bundle)) {
                down.add(bundle);
            }
        }
        if (down.isEmpty()) {
            LOG.log(System.Logger.Level.INFO, restored ? "its former content is back, and what ran runs again" : "what ran runs again");
        } else if (restored) {
            LOG.log(System.Logger.Level.ERROR, "with the former content of " + updated + " these do not run either: " + down);
        } else {
            LOG.log(System.Logger.Level.ERROR, "update=" + updated + " failed, its former content comes back: these do not run: " + down);
            restored = true;
            restore();
        }
    }

    private boolean started(Bundle bundle) {
        try {
            bundle.start(Bundle.START_TRANSIENT);
            return true;
        } catch (BundleException | IllegalStateException e) {
            LOG.log(System.Logger.Level.WARNING, "bundle " + bundle + " does not start: " + e.getMessage());
            return false;
        }
    }

    private void restore() {
        try {
            updated.update(former.open());
        } catch (BundleException | IllegalStateException e) {
            LOG.log(System.Logger.Level.ERROR, "the former content of " + updated + " cannot be had again: " + e.getMessage());
        }
        wiring.refreshBundles(List.of(updated), this);
    }
}
