// SPDX-License-Identifier: Apache-2.0
package itest.chaos;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/** Which incarnations of mediators have gone, by a clock that ticks when one does. */
final class Incarnations {
    private final AtomicLong clock = new AtomicLong();
    private final Map<Long, Long> goneAt = new ConcurrentHashMap<>();

    /** The time before an access. */
    long now() {
        return clock.get();
    }

    /** The stop of its bundle has returned: no access that begins from now on may meet it. */
    void gone(long incarnation) {
        goneAt.computeIfAbsent(incarnation, number -> clock.incrementAndGet());
    }

    /** Fails when an access that began then met a mediator that had gone. */
    void check(long incarnation, long began) {
        Long gone = incarnation == 0 ? null : goneAt.get(incarnation);
        if (gone != null && gone <= began) {
            throw new AssertionError("met incarnation %d, which had gone at %d, in an access begun at %d".formatted(incarnation, gone,
                began));
        }
    }
}
