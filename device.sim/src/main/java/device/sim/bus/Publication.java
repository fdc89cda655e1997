// SPDX-License-Identifier: Apache-2.0
package device.sim.bus;

import device.sim.function.SimulatedFunction;
import java.util.Dictionary;
import java.util.Hashtable;
import java.util.Optional;
import org.osgi.framework.BundleContext;
import org.osgi.framework.ServiceRegistration;
import vfio.pci.api.function.PciFunction;

/// One function while it is plugged in: its service and the properties of that.
///
/// Registering calls listeners, who may bind the function before there is a registration to change; and two drivers may come and go at
/// once. So whoever changes the properties looks afterwards whether they still hold, and nobody holds a lock meanwhile.
final class Publication {
    private final SimulatedFunction function;
    private volatile Optional<ServiceRegistration<PciFunction>> registration = Optional.empty();
    private volatile boolean leaving;

    Publication(SimulatedFunction function) {
        this.function = function;
    }

    /// The function appears. Whoever takes it right away has it when this returns.
    void register(BundleContext context) {
        function.appear(this::driverChanged);
        Optional<String> driver = function.driver();
        registration = Optional.of(context.registerService(PciFunction.class, function, properties(driver)));
        if (!function.driver().equals(driver)) {
            driverChanged();
        }
    }

    /// The function goes. Whoever has it has let go when this returns, or is cut off.
    void unregister() {
        leaving = true;
        function.leave();
        registration.ifPresent(ServiceRegistration::unregister);
        function.vanish();
    }

    private void driverChanged() {
        // A service on its way out sends no changes: a driver waiting for the function would take it for free.
        while (registration.isPresent() && !leaving) {
            Optional<String> driver = function.driver();
            try {
                registration.get().setProperties(properties(driver));
            } catch (IllegalStateException e) {
                // Unregistered in between: nobody is left to be told.
                return;
            }
            if (function.driver().equals(driver)) {
                return;
            }
        }
    }

    private Dictionary<String, Object> properties(Optional<String> driver) {
        Dictionary<String, Object> properties = new Hashtable<>();
        properties.put(PciFunction.ADDRESS_PROPERTY, function.address().toString());
        properties.put(PciFunction.ID_PROPERTY, function.id().vendorAndDevice());
        driver.ifPresent(name -> properties.put(PciFunction.DRIVER_PROPERTY, name));
        return properties;
    }
}
