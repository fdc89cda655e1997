// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710.virtchnl;

import java.util.stream.Stream;

/// Speeds of a link. Names: `enum virtchnl_link_speed` without `VIRTCHNL_LINK_SPEED_`.
public enum LinkSpeed {
    /// 1 Gbit/s.
    SPEED_1GB(1_000, 0x04),
    /// 2.5 Gbit/s.
    SPEED_2_5GB(2_500, 0x01),
    /// 5 Gbit/s.
    SPEED_5GB(5_000, 0x80),
    /// 10 Gbit/s.
    SPEED_10GB(10_000, 0x08),
    /// 20 Gbit/s.
    SPEED_20GB(20_000, 0x20),
    /// 25 Gbit/s.
    SPEED_25GB(25_000, 0x40),
    /// 40 Gbit/s.
    SPEED_40GB(40_000, 0x10);

    private final int megabits;
    private final int bit;

    LinkSpeed(int megabits, int bit) {
        this.megabits = megabits;
        this.bit = bit;
    }

    /// Mbit/s.
    public int megabits() {
        return megabits;
    }

    /// As drivers get it that did not ask for [Capability#ADV_LINK_SPEED].
    int bit() {
        return bit;
    }

    /// The speed with this many Mbit/s.
    ///
    /// @throws IllegalArgumentException when there is none
    public static LinkSpeed ofMegabits(int megabits) {
        return Stream.of(values()).filter(speed -> speed.megabits == megabits).findAny().orElseThrow(() -> new IllegalArgumentException(
            "link.speed=%d expected=one of %s".formatted(megabits, Stream.of(values()).map(LinkSpeed::megabits).toList())));
    }
}
