// SPDX-License-Identifier: Apache-2.0
package mediator.guard;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;
import vfio.pci.api.PciAddress;
import vfio.pci.api.VfioException;
import vfio.pci.api.device.MmapArea;
import vfio.pci.api.device.RegionInfo;
import vfio.pci.api.mediation.Claim;
import vfio.pci.api.mediation.Mediation;
import vfio.pci.api.mediation.Verdict;

/// Rules over one open device. An access is refused by the first rule that says so; everything else goes to the device.
final class GuardMediation extends Mediation {
    private static final Logger LOG = System.getLogger(GuardMediation.class.getName());

    private final PciAddress address;
    private final RuleUse[] uses;
    private final AccessLog log;
    private final Consumer<GuardMediation> closed;

    /// @param log told what rules are to log
    /// @param closed told when the mediation ends
    GuardMediation(PciAddress address, Stream<RuleUse> uses, AccessLog log, Consumer<GuardMediation> closed) {
        this.address = address;
        this.uses = uses.toArray(RuleUse[]::new);
        this.log = log;
        this.closed = closed;
    }

    PciAddress address() {
        return address;
    }

    List<RuleUse> uses() {
        return List.of(uses);
    }

    @Override
    public List<Claim> claims() {
        return uses().stream().map(use -> new Claim(use.rule().region(), use.rule().range())).distinct().toList();
    }

    /// Takes the pages that rules have something in out of what can be mapped.
    @Override
    public RegionInfo regionInfo(RegionInfo defaults) {
        List<MmapArea> areas = GuardedPages.mappable(defaults);
        List<MmapArea> left = areas;
        for (RuleUse use : uses) {
            Rule rule = use.rule();
            if (rule.region() != defaults.index() || rule.action() == Action.PASS) {
                continue;
            }
            List<MmapArea> bypassing = GuardedPages.touched(areas, rule.range());
            if (!bypassing.isEmpty()) {
                left = GuardedPages.without(left, bypassing);
                tellUnmapped(use, bypassing);
            }
        }
        return left == areas ? defaults : GuardedPages.describe(defaults, left);
    }

    /// Once, however often a client asks.
    private static void tellUnmapped(RuleUse use, List<MmapArea> bypassing) {
        if (!use.unmapped().equals(bypassing)) {
            use.unmapped(bypassing);
            LOG.log(Level.INFO, () -> "%s would be bypassed in mapped pages %s: they are not mapped".formatted(use, use.unmappedText()));
        }
    }

    @Override
    public Verdict read(int region, long offset, MemorySegment buffer, long bufferOffset, int count) throws VfioException {
        return seen(Direction.READ, region, offset, buffer, bufferOffset, count);
    }

    @Override
    public Verdict write(int region, long offset, MemorySegment buffer, long bufferOffset, int count) throws VfioException {
        return seen(Direction.WRITE, region, offset, buffer, bufferOffset, count);
    }

    private Verdict seen(Direction access, int region, long offset, MemorySegment buffer, long bufferOffset, int count)
            throws VfioException {
        for (RuleUse use : uses) {
            Rule rule = use.rule();
            if (!rule.matches(access, region, offset, buffer, bufferOffset, count)) {
                continue;
            }
            use.met();
            if (rule.action() != Action.LOG) {
                return Verdict.PASS_THROUGH;
            }
            log.add(use, access, offset, count, access == Direction.WRITE ? Rule.littleEndian(buffer, bufferOffset, count) : 0);
        }
        return Verdict.PASS_THROUGH;
    }

    @Override
    public void close() {
        closed.accept(this);
    }
}
