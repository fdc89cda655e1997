// SPDX-License-Identifier: Apache-2.0
package device.sim.bus;

import java.nio.file.Path;
import java.util.Map;
import org.apache.felix.framework.FrameworkFactory;
import org.osgi.framework.BundleContext;
import org.osgi.framework.BundleException;
import org.osgi.framework.Constants;

/// A real framework around the test: services are registered with its system bundle.
public final class Framework implements AutoCloseable {
    private final org.osgi.framework.launch.Framework felix;

    /// Starts one with its storage in this folder.
    public Framework(Path storage) throws BundleException {
        felix = new FrameworkFactory().newFramework(Map.of(Constants.FRAMEWORK_STORAGE, storage.toString(),
            Constants.FRAMEWORK_STORAGE_CLEAN, Constants.FRAMEWORK_STORAGE_CLEAN_ONFIRSTINIT));
        felix.start();
    }

    /// The system bundle's.
    public BundleContext context() {
        return felix.getBundleContext();
    }

    @Override
    public void close() throws BundleException, InterruptedException {
        felix.stop();
        felix.waitForStop(10_000);
    }
}
