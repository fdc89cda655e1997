// SPDX-License-Identifier: Apache-2.0
package itest.chaos;

import java.util.Arrays;
import java.util.SplittableRandom;

/** What is done to mediators while their devices are accessed, and how likely. */
enum Disturbance {
    INSTALL(4),
    START(4),
    STOP(4),
    UPDATE(3),
    REFRESH(2),
    UNINSTALL(2),
    /** All devices of one mediator to another. */
    SWAP(3),
    /** What becomes of a device when its mediator goes. */
    POLICY(3),
    /** A stop that devices can refuse. */
    UNLOAD(2),
    /** A stop with visitors inside, for sure. */
    STOP_WITH_VISITORS(1);

    private static final int ALL = Arrays.stream(values()).mapToInt(one -> one.weight).sum();

    private final int weight;

    Disturbance(int weight) {
        this.weight = weight;
    }

    static Disturbance any(SplittableRandom random) {
        int at = random.nextInt(ALL);
        for (Disturbance one : values()) {
            at -= one.weight;
            if (at < 0) {
                return one;
            }
        }
        throw new IllegalStateException("at=" + at);
    }
}
