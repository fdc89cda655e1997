// SPDX-License-Identifier: Apache-2.0
package device.sim.igd;

import device.sim.bus.Card;
import device.sim.bus.PluggedCard;
import device.sim.bus.SimulatedBus;
import device.sim.function.SimulatedFunction;
import device.sim.settings.Settings;
import device.sim.settings.SettingsException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.osgi.framework.Constants;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ConfigurationPolicy;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.metatype.annotations.Designate;
import vfio.pci.api.PciAddress;

/// A graphics device for each configuration `device.sim.igd~NAME`, plugged in for as long as the configuration stands.
@Component(name = "device.sim.igd", configurationPolicy = ConfigurationPolicy.REQUIRE, immediate = true, service = {})
@Designate(ocd = IgdSettings.class, factory = true)
public final class Igd {
    private static final long MIB = 1 << 20;
    private static final int LEAST_APERTURE = 128;
    private static final int MOST_APERTURE = 4096;

    private final SimulatedBus bus;
    private Optional<PluggedCard> card = Optional.empty();

    /// Not plugged in yet.
    @Activate
    public Igd(@Reference SimulatedBus bus) {
        this.bus = bus;
    }

    /// Plugs the device in.
    ///
    /// @throws SettingsException when the configuration is wrong; not from the constructor, where a stack trace would be put around it
    @Activate
    void activate(Map<String, Object> properties) {
        String name = String.valueOf(properties.get(Constants.SERVICE_PID));
        card = Optional.of(PluggedCard.plug(bus, name, () -> card(new Settings(properties))));
    }

    @Deactivate
    void deactivate() {
        card.ifPresent(PluggedCard::close);
    }

    private static Card card(Settings settings) {
        List<SimulatedFunction> functions = List.of(function(settings));
        return () -> functions;
    }

    static SimulatedFunction function(Settings settings) {
        PciAddress address = settings.address("address", "0000:00:02.0");
        int device = settings.intelDevice("id", "8086:5927");
        int mib = settings.number("aperture.mib", 256, LEAST_APERTURE, MOST_APERTURE);
        if (Integer.bitCount(mib) != 1) {
            throw new SettingsException("aperture.mib=%d expected=a power of two from %d to %d".formatted(mib, LEAST_APERTURE,
                MOST_APERTURE));
        }
        return new SimulatedFunction(IgdFunction.description(address, device, mib * MIB), new IgdModel(device, mib * MIB));
    }
}
