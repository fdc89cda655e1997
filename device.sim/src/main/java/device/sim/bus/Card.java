// SPDX-License-Identifier: Apache-2.0
package device.sim.bus;

import device.sim.function.SimulatedFunction;
import java.util.List;

/// Functions that come and go together, and what they share.
@FunctionalInterface
public interface Card extends AutoCloseable {
    /// A physical function before its virtual ones.
    List<SimulatedFunction> functions();

    /// Ends what the functions share. They have been plugged out.
    @Override
    default void close() {
    }
}
