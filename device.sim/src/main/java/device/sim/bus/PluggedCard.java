// SPDX-License-Identifier: Apache-2.0
package device.sim.bus;

import device.sim.function.SimulatedFunction;
import device.sim.settings.SettingsException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.List;
import java.util.function.Supplier;
import vfio.pci.api.VfioException;

/// A card that a configuration made, for as long as that stands. What all device components do alike.
public final class PluggedCard implements AutoCloseable {
    private static final Logger LOG = System.getLogger(PluggedCard.class.getName());

    private final SimulatedBus bus;
    private final List<SimulatedFunction> functions;

    private PluggedCard(SimulatedBus bus, List<SimulatedFunction> functions) {
        this.bus = bus;
        this.functions = functions;
    }

    /// Builds the functions and plugs them in.
    ///
    /// @param name of the configuration, for the log
    /// @param build reads the configuration
    /// @throws SettingsException when the configuration is wrong or an address is taken; that was logged
    public static PluggedCard plug(SimulatedBus bus, String name, Supplier<List<SimulatedFunction>> build) {
        try {
            List<SimulatedFunction> functions = build.get();
            bus.add(functions);
            LOG.log(Level.INFO, "{0}: {1}", name, functions);
            return new PluggedCard(bus, functions);
        } catch (SettingsException e) {
            LOG.log(Level.ERROR, "{0}: {1}", name, e.getMessage());
            throw e;
        } catch (VfioException e) {
            LOG.log(Level.ERROR, "{0}: {1}", name, e.getMessage());
            throw new SettingsException(e.getMessage());
        }
    }

    @Override
    public void close() {
        bus.remove(functions);
    }
}
