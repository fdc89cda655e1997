// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710.queue;

/// What a driver does with a queue of either kind: it is configured while it is disabled, and begins anew when it is enabled.
///
/// Guarded by the queues' lock.
abstract class ConfiguredQueue<S extends RingSettings> {
    final DescriptorRing ring;
    private final S none;
    private S settings;

    /// @param none settings of a queue that is not configured
    ConfiguredQueue(DescriptorRing ring, S none) {
        this.ring = ring;
        this.none = none;
        settings = none;
    }

    /// Has the queue begin at its ring's start with nothing in hand.
    abstract void rewind();

    final boolean configure(S next) {
        if (ring.enabled()) {
            return false;
        }
        place(next);
        rewind();
        return true;
    }

    final void place(S next) {
        settings = next;
        ring.place(next.base(), next.length());
    }

    final boolean configured() {
        return settings.length() > 0;
    }

    final boolean enabled() {
        return ring.enabled();
    }

    final S settings() {
        return settings;
    }

    final int head() {
        return ring.head();
    }

    final StopReason stopped() {
        return ring.stopped();
    }

    final void tap(DoorbellTap next) {
        ring.tap(next);
    }

    final void enable() {
        if (!ring.enabled()) {
            rewind();
            ring.enabled(true);
        }
    }

    final void disable() {
        ring.enabled(false);
        rewind();
    }

    final void reset() {
        disable();
        place(none);
        ring.tail(0);
    }
}
