// SPDX-License-Identifier: Apache-2.0
package bench;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import vfio.pci.api.mediation.MediateOps;

/// Defines the measured mediator's classes for itself, as a bundle's loader does: two loaders give two mediators of different classes,
/// which is what a call site in the core sees in a runtime with two mediator bundles.
final class VendorLoader extends ClassLoader {
    private static final String PACKAGE = "bench.vendor.";
    private static final String MEDIATOR = PACKAGE + "RegisterMediator";

    VendorLoader() {
        super(VendorLoader.class.getClassLoader());
    }

    /// A mediator of a class of its own.
    static MediateOps mediator() {
        try {
            return (MediateOps) new VendorLoader().loadClass(MEDIATOR).getConstructor().newInstance();
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
        if (!name.startsWith(PACKAGE)) {
            return super.loadClass(name, resolve);
        }
        synchronized (getClassLoadingLock(name)) {
            Class<?> loaded = findLoadedClass(name);
            return loaded == null ? define(name) : loaded;
        }
    }

    private Class<?> define(String name) throws ClassNotFoundException {
        try (InputStream in = getParent().getResourceAsStream(name.replace('.', '/') + ".class")) {
            if (in == null) {
                throw new ClassNotFoundException(name);
            }
            byte[] code = in.readAllBytes();
            return defineClass(name, code, 0, code.length);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
