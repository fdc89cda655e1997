// SPDX-License-Identifier: Apache-2.0
package itest;

import java.lang.ref.WeakReference;
import org.osgi.framework.Bundle;
import org.osgi.framework.wiring.BundleWiring;

/** The classes of a bundle as it is installed now, without holding them. */
public final class BundleClasses {
    private final WeakReference<ClassLoader> loader;

    /** Of this bundle. */
    public BundleClasses(Bundle bundle) {
        loader = new WeakReference<>(bundle.adapt(BundleWiring.class).getClassLoader());
    }

    /** Whether the collector has left them. */
    public boolean areHeld() {
        System.gc();
        return loader.get() != null;
    }

    /** Returns when nothing holds them any more; fails when something does for half a minute. */
    void awaitCollected() throws Exception {
        Await.until("the bundle's class loader is collected", () -> !areHeld());
    }
}
