// SPDX-License-Identifier: Apache-2.0
package mediator.guard;

import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import java.util.stream.Collectors;
import vfio.pci.api.Errno;
import vfio.pci.api.PciAddress;
import vfio.pci.api.VfioException;
import vfio.pci.api.device.MmapArea;

/// A rule over one open device: how often it met something, and what it answers. The answer is made once, so that a guest that is refused
/// as often as it likes allocates nothing.
final class RuleUse {
    private final String label;
    private final Rule rule;
    private final TokenBucket bucket;
    private final VfioException refusal;
    private final AtomicLong matched = new AtomicLong();
    private final AtomicLong refused = new AtomicLong();
    private volatile List<MmapArea> unmapped = List.of();

    /// @param guard whose rule it is
    /// @param nanoTime a clock as [System#nanoTime()] is one
    RuleUse(String guard, PciAddress address, Rule rule, LongSupplier nanoTime) {
        this.label = "%s: %s rule=%s".formatted(address, guard, rule.name());
        this.rule = rule;
        this.bucket = new TokenBucket(Math.max(rule.rate(), 1), Math.max(rule.burst(), 1), nanoTime);
        this.refusal = new VfioException(rule.action() == Action.DENY ? Errno.EACCES : Errno.EAGAIN, refusal(rule));
    }

    private static String refusal(Rule rule) {
        return switch (rule.target()) {
            case Registers(var region, var range, _) -> "rule=%s region=%d offset=0x%x expected=no %s, or one that it allows".formatted(
                rule.name(), region, range.offset(), rule.direction());
            case Windows(var first, var last, _) -> "rule=%s iova=0x%x-0x%x expected=no window for %s there, or one that it allows"
                .formatted(rule.name(), first, last, rule.direction());
        };
    }

    Rule rule() {
        return rule;
    }

    long matched() {
        return matched.get();
    }

    long refused() {
        return refused.get();
    }

    /// What it would not have seen, and is not mapped any more.
    List<MmapArea> unmapped() {
        return unmapped;
    }

    void unmapped(List<MmapArea> areas) {
        unmapped = areas;
    }

    /// The same as people read it, `0x2000-0x2fff`.
    String unmappedText() {
        return text(unmapped);
    }

    static String text(List<MmapArea> areas) {
        return areas.isEmpty() ? "none"
            : areas.stream().map(area -> "0x%x-0x%x".formatted(area.offset(), area.end() - 1)).collect(Collectors.joining(","));
    }

    /// Counts something that the rule is about.
    ///
    /// @throws VfioException EACCES or EAGAIN when the rule refuses it
    void met() throws VfioException {
        matched.incrementAndGet();
        if (rule.action() == Action.DENY || rule.action() == Action.LIMIT && !bucket.take()) {
            refused.incrementAndGet();
            throw refusal;
        }
    }

    /// Device, guard and rule, as every line about it begins.
    @Override
    public String toString() {
        return label;
    }
}
