// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710;

import device.sim.bus.PluggedCard;
import device.sim.bus.SimulatedBus;
import device.sim.settings.Settings;
import device.sim.settings.SettingsException;
import device.sim.xl710.queue.QueuePairs;
import device.sim.xl710.virtchnl.LinkSpeed;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.osgi.framework.Constants;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ConfigurationPolicy;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.metatype.annotations.Designate;

/// A card for each configuration `device.sim.xl710~NAME`, plugged in for as long as the configuration stands.
@Component(name = "device.sim.xl710", configurationPolicy = ConfigurationPolicy.REQUIRE, immediate = true, service = {})
@Designate(ocd = Xl710Settings.class, factory = true)
public final class Xl710 {
    private static final int LAST_OFFSET = 0xFFFF;
    private static final String DOORBELLS = "doorbells";
    private static final String MAPPED = "mapped";
    private static final String TRAPPED = "trapped";

    private final SimulatedBus bus;
    private Optional<PluggedCard> card = Optional.empty();

    /// Not plugged in yet.
    @Activate
    public Xl710(@Reference SimulatedBus bus) {
        this.bus = bus;
    }

    /// Plugs the card in.
    ///
    /// @throws SettingsException when the configuration is wrong; not from the constructor, where a stack trace would be put around it
    @Activate
    public void activate(Map<String, Object> properties) {
        String name = String.valueOf(properties.get(Constants.SERVICE_PID));
        card = Optional.of(PluggedCard.plug(bus, name, () -> card(new Settings(properties))));
    }

    /// Plugs the card out.
    @Deactivate
    public void deactivate() {
        card.ifPresent(PluggedCard::close);
    }

    private static Xl710Card card(Settings settings) {
        Xl710Layout layout = layout(settings);
        UplinkSettings uplink = UplinkSettings.parse(settings.text("uplink", "none"));
        Xl710Card card = new Xl710Card(layout, virtualFunctions(settings, layout));
        card.wire().uplink(uplink.open(card.wire()));
        return card;
    }

    static VfSettings virtualFunctions(Settings settings, Xl710Layout layout) {
        VfSettings standard = VfSettings.standard(layout.address().routingId());
        try {
            return new VfSettings(
                settings.number("queue.pairs", standard.queuePairs(), 1, QueuePairs.PAIRS),
                LinkSpeed.ofMegabits(settings.number("link.speed", standard.speed().megabits(), 1, Integer.MAX_VALUE)),
                settings.hardwareAddress("mac", standard.firstAddress()),
                trappedDoorbells(settings, layout.virtualFunctions()));
        } catch (IllegalArgumentException e) {
            throw new SettingsException(e.getMessage());
        }
    }

    /// What is said of all, and of each by its number; a number that none has is a fault.
    private static Set<Integer> trappedDoorbells(Settings settings, int virtualFunctions) {
        List<String> choices = List.of(MAPPED, TRAPPED);
        String all = settings.choice(DOORBELLS, MAPPED, choices);
        Set<String> unknown = settings.keysUnder(DOORBELLS);
        Set<Integer> trapped = new HashSet<>();
        for (int i = 0; i < virtualFunctions; i++) {
            String key = DOORBELLS + '.' + i;
            unknown.remove(key);
            if (settings.choice(key, all, choices).equals(TRAPPED)) {
                trapped.add(i);
            }
        }
        if (!unknown.isEmpty()) {
            throw new SettingsException("%s expected=%s.N with N below vfs=%d".formatted(unknown.iterator().next(), DOORBELLS,
                virtualFunctions));
        }
        return trapped;
    }

    static Xl710Layout layout(Settings settings) {
        try {
            return new Xl710Layout(
                settings.address("address", "0000:3b:00.0"),
                settings.intelDevice("id", "8086:1583"),
                settings.number("vfs", 4, 0, PfFunction.MAX_VIRTUAL_FUNCTIONS),
                settings.intelDevice("vf.id", "8086:154c"),
                settings.number("vf.offset", 16, 1, LAST_OFFSET),
                settings.number("vf.stride", 1, 1, LAST_OFFSET));
        } catch (IllegalArgumentException e) {
            throw new SettingsException(e.getMessage());
        }
    }
}
