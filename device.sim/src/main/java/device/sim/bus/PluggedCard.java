// SPDX-License-Identifier: Apache-2.0
package device.sim.bus;

import device.sim.settings.SettingsException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.function.Supplier;
import vfio.pci.api.VfioException;

/// A card that a configuration made, for as long as that stands. What all device components do alike.
public final class PluggedCard implements AutoCloseable {
    private static final Logger LOG = System.getLogger(PluggedCard.class.getName());

    private final SimulatedBus bus;
    private final Card card;

    private PluggedCard(SimulatedBus bus, Card card) {
        this.bus = bus;
        this.card = card;
    }

    /// Builds the functions and plugs them in.
    ///
    /// @param name of the configuration, for the log
    /// @param build reads the configuration
    /// @throws SettingsException when the configuration is wrong or an address is taken; that was logged
    public static PluggedCard plug(SimulatedBus bus, String name, Supplier<? extends Card> build) {
        try {
            return plug(bus, name, build.get());
        } catch (SettingsException e) {
            LOG.log(Level.ERROR, "{0}: {1}", name, e.getMessage());
            throw e;
        } catch (VfioException e) {
            LOG.log(Level.ERROR, "{0}: {1}", name, e.getMessage());
            throw new SettingsException(e.getMessage());
        }
    }

    private static PluggedCard plug(SimulatedBus bus, String name, Card card) throws VfioException {
        boolean added = false;
        try {
            bus.add(card.functions());
            added = true;
        } finally {
            if (!added) {
                card.close();
            }
        }
        LOG.log(Level.INFO, "{0}: {1}", name, card.functions());
        return new PluggedCard(bus, card);
    }

    @Override
    public void close() {
        bus.remove(card.functions());
        card.close();
    }
}
