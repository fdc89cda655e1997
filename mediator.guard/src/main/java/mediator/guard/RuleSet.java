// SPDX-License-Identifier: Apache-2.0
package mediator.guard;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import vfio.pci.api.VfioException;
import vfio.pci.api.device.MmapArea;
import vfio.pci.api.mediation.Claim;
import vfio.pci.api.mediation.DmaWindow;

/// The rules over one open device, as they are at one time. An access goes by one set from its beginning to its end.
final class RuleSet {
    private final List<RuleUse> uses;
    private final OnRegisters[] onRegisters;
    private final OnWindows[] onWindows;
    private final List<Claim> claims;

    /// A rule over registers.
    record OnRegisters(RuleUse use, Registers target) {
    }

    /// A rule over DMA windows.
    record OnWindows(RuleUse use, Windows target) {
    }

    /// @param uses in the order they are asked
    RuleSet(List<RuleUse> uses) {
        this.uses = List.copyOf(uses);
        List<OnRegisters> registers = new ArrayList<>();
        List<OnWindows> windows = new ArrayList<>();
        for (RuleUse use : uses) {
            switch (use.rule().target()) {
                case Registers target -> registers.add(new OnRegisters(use, target));
                case Windows target -> windows.add(new OnWindows(use, target));
            }
        }
        onRegisters = registers.toArray(OnRegisters[]::new);
        onWindows = windows.toArray(OnWindows[]::new);
        claims = registers.stream().map(on -> new Claim(on.target().region(), on.target().range())).distinct().toList();
    }

    List<RuleUse> uses() {
        return uses;
    }

    /// The ranges that its rules name.
    List<Claim> claims() {
        return claims;
    }

    /// Its claims and those of the other.
    List<Claim> claimsWith(RuleSet other) {
        return Stream.concat(claims.stream(), other.claims.stream()).distinct().toList();
    }

    /// The rules that would not see an access of a mapped page: those over registers that do more than let pass.
    Stream<OnRegisters> blindWhereMapped() {
        return Stream.of(onRegisters).filter(on -> on.use().rule().action() != Action.PASS);
    }

    /// The pages among these, of a region, that such a rule has something in.
    List<MmapArea> guarded(int region, List<MmapArea> areas) {
        return blindWhereMapped().filter(on -> on.target().region() == region)
            .flatMap(on -> GuardedPages.touched(areas, on.target().range()).stream()).toList();
    }

    /// Asks the rules about an access. Allocates nothing.
    ///
    /// @throws VfioException when one refuses it
    void access(Direction access, int region, long offset, MemorySegment buffer, long bufferOffset, int count, GuardLog log)
            throws VfioException {
        for (OnRegisters on : onRegisters) {
            RuleUse use = on.use();
            if (!use.rule().direction().includes(access) || !on.target().include(region, offset, buffer, bufferOffset, count)) {
                continue;
            }
            use.met();
            if (use.rule().action() != Action.LOG) {
                return;
            }
            log.access(use, access, offset, count, access == Direction.WRITE ? Registers.littleEndian(buffer, bufferOffset, count) : 0);
        }
    }

    /// Asks the rules about a window that is to be made.
    ///
    /// @throws VfioException when one refuses it
    void window(DmaWindow window, GuardLog log) throws VfioException {
        for (OnWindows on : onWindows) {
            RuleUse use = on.use();
            if (!on.target().include(use.rule().direction(), window)) {
                continue;
            }
            use.met();
            if (use.rule().action() != Action.LOG) {
                return;
            }
            log.window(use, window, "");
        }
    }

    /// The rule that would refuse a window, if it were to be made, if one denies it.
    Optional<RuleUse> denying(DmaWindow window) {
        for (OnWindows on : onWindows) {
            Rule rule = on.use().rule();
            if (rule.action() != Action.LOG && on.target().include(rule.direction(), window)) {
                return rule.action() == Action.DENY ? Optional.of(on.use()) : Optional.empty();
            }
        }
        return Optional.empty();
    }
}
