// SPDX-License-Identifier: Apache-2.0
package itest.wire;

import java.lang.management.ManagementFactory;

/**
 * What this process takes up: what it holds, all its mappings, and the heap in use after collections.
 */
public record Footprint(Held held, long mappings, long heap) {
    private static final int COLLECTIONS = 4;
    private static final long MORE_HEAP = 8 << 20;
    /** Of the code cache, the heap and threads of the machine, which come and go. */
    private static final long MORE_MAPPINGS = 250;

    public static Footprint now() {
        long heap = Long.MAX_VALUE;
        for (int i = 0; i < COLLECTIONS; i++) {
            System.gc();
            heap = Math.min(heap, ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed());
        }
        return new Footprint(Held.now(), Held.mappings(""), heap);
    }

    /** Fails where it is more than another one by more than what nobody can tell from noise. */
    public void requireNoMoreThan(Footprint before) {
        if (!held.beyond(before.held).isEmpty() || mappings > before.mappings + MORE_MAPPINGS || heap > before.heap + MORE_HEAP) {
            throw new AssertionError("left behind: %s, before: %s, now: %s".formatted(held.beyond(before.held), before, this));
        }
    }

    @Override
    public String toString() {
        return "mappings=%d heap=%dKiB".formatted(mappings, heap >> 10);
    }
}
