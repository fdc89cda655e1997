// SPDX-License-Identifier: Apache-2.0
package itest.chaos;

import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.Constants;
import org.osgi.framework.FrameworkEvent;
import org.osgi.framework.wiring.FrameworkWiring;

/** What the framework does to a bundle where others that it is wired to have changed: stops, resolves and starts it again. */
final class Refresh {
    private Refresh() {
    }

    /** Returns when it is done. */
    static void of(BundleContext context, Bundle bundle) throws InterruptedException {
        var done = new CountDownLatch(1);
        context.getBundle(Constants.SYSTEM_BUNDLE_LOCATION).adapt(FrameworkWiring.class).refreshBundles(List.of(bundle), event -> {
            if (event.getType() == FrameworkEvent.PACKAGES_REFRESHED) {
                done.countDown();
            }
        });
        if (!done.await(ChaosIT.PATIENCE.toSeconds(), TimeUnit.SECONDS)) {
            throw new AssertionError("the refresh of " + bundle + " does not end");
        }
    }
}
