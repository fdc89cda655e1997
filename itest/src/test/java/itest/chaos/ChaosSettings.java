// SPDX-License-Identifier: Apache-2.0
package itest.chaos;

import java.time.Duration;

/**
 * How long, and from where. Properties: {@code vfio.nightly} for the long run, {@code vfio.seed} for the random numbers to begin with.
 *
 * @param seed of everything that is random but for when threads run
 * @param lasts how long at least
 * @param times how often at least each thing is done to the bundles
 * @param stayMillis how long a visitor stays inside after a stop has begun that is to meet visitors
 */
record ChaosSettings(long seed, Duration lasts, int times, int stayMillis) {
    private static final long SEED = 0x2019_1204L;
    private static final int SHORT_STAY = 5;
    private static final int LONG_STAY = 250;

    /** The same each time, another one each night. */
    private static long anySeed() {
        return Long.getLong("vfio.seed", Boolean.getBoolean("vfio.nightly") ? System.currentTimeMillis() : SEED);
    }

    /** All that there is. */
    static ChaosSettings whole() {
        return Boolean.getBoolean("vfio.nightly") ? new ChaosSettings(anySeed(), Duration.ofMinutes(10), 100, SHORT_STAY)
            : new ChaosSettings(anySeed(), Duration.ofSeconds(25), 3, SHORT_STAY);
    }

    /** Each thing once; stops with visitors last long enough for whoever does not wait for these to be found out. */
    static ChaosSettings brief() {
        return new ChaosSettings(anySeed(), Duration.ZERO, 1, LONG_STAY);
    }
}
