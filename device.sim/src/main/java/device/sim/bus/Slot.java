// SPDX-License-Identifier: Apache-2.0
package device.sim.bus;

import device.sim.function.SimulatedFunction;
import java.util.Optional;
import org.osgi.framework.BundleContext;

/// A place for one function. Changed under the bus's `changing` lock, looked at by anybody.
final class Slot {
    private final SimulatedFunction function;
    private volatile Optional<Publication> publication = Optional.empty();

    Slot(SimulatedFunction function) {
        this.function = function;
    }

    SimulatedFunction function() {
        return function;
    }

    boolean plugged() {
        return publication.isPresent();
    }

    /// Has no effect when it is plugged in.
    void plug(BundleContext context) {
        if (publication.isEmpty()) {
            Publication next = new Publication(function);
            publication = Optional.of(next);
            next.register(context);
        }
    }

    /// Has no effect when it is not plugged in.
    void unplug() {
        Optional<Publication> last = publication;
        publication = Optional.empty();
        last.ifPresent(Publication::unregister);
    }
}
