// SPDX-License-Identifier: Apache-2.0
package itest.chaos;

import java.lang.ref.WeakReference;
import org.osgi.framework.Bundle;
import org.osgi.framework.wiring.BundleWiring;

/**
 * The class loader of a bundle as it was once, without holding it.
 *
 * @param name whose it is, for people
 */
record BundleLoader(String name, WeakReference<ClassLoader> loader) {
    BundleLoader(String name, Bundle bundle) {
        this(name, new WeakReference<>(bundle.adapt(BundleWiring.class).getClassLoader()));
    }

    boolean isHeld() {
        return loader.get() != null;
    }
}
