// SPDX-License-Identifier: Apache-2.0
package mediator.guard;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import vfio.pci.api.PciAddress;
import vfio.pci.api.VfioException;
import vfio.pci.api.device.MmapArea;
import vfio.pci.api.device.RegionInfo;
import vfio.pci.api.mediation.Capability;
import vfio.pci.api.mediation.Claim;
import vfio.pci.api.mediation.DmaWindow;
import vfio.pci.api.mediation.Mediation;
import vfio.pci.api.mediation.MediationContext;
import vfio.pci.api.mediation.Verdict;

/// Rules over one open device. What a rule refuses fails; everything else goes to whatever is below. The rules may be exchanged for others
/// at any time: each access goes by the ones or the others.
final class GuardMediation extends Mediation {
    private static final Logger LOG = System.getLogger(GuardMediation.class.getName());

    private final PciAddress address;
    private final MediationContext context;
    private final GuardLog log;
    private final LongSupplier nanoTime;
    private final Consumer<GuardMediation> closed;
    private final OpenWindows windows = new OpenWindows();
    private volatile RuleSet rules = new RuleSet(List.of());

    /// Without rules, until [#begin].
    ///
    /// @param log told what rules are to log
    /// @param nanoTime a clock as [System#nanoTime()] is one
    /// @param closed told when the mediation ends
    GuardMediation(PciAddress address, MediationContext context, GuardLog log, LongSupplier nanoTime, Consumer<GuardMediation> closed) {
        this.address = address;
        this.context = context;
        this.log = log;
        this.nanoTime = nanoTime;
        this.closed = closed;
    }

    PciAddress address() {
        return address;
    }

    List<RuleUse> uses() {
        return rules.uses();
    }

    /// Has these rules from the first access on.
    ///
    /// @param guard whose rules they are
    void begin(String guard, List<Rule> first) {
        rules = used(guard, first, List.of());
    }

    /// Goes by other rules. On return every access that began afterwards does; one that began before goes by these or by those. What a
    /// rule that stays as it was has counted stays. Clients that can be told are told of pages that they are not to map any more, and
    /// waited for.
    ///
    /// @throws IllegalStateException when the mediation has ended
    void change(String guard, List<Rule> others) {
        RuleSet before = rules;
        RuleSet after = used(guard, others, before.uses());
        context.claim(after.claimsWith(before));
        rules = after;
        context.claim(after.claims());
        unmap(before, after);
        after.blindWhereMapped().forEach(on -> tellUnmapped(on.use(), GuardedPages.touched(mappable(on.target().region()),
            on.target().range())));
        after.uses().forEach(this::tellBypassed);
        windows.all().forEach(window -> tellDenied(after, window));
    }

    private RuleSet used(String guard, List<Rule> all, List<RuleUse> before) {
        return new RuleSet(all.stream().map(rule -> before.stream().filter(use -> use.rule().equals(rule)).findFirst()
            .orElseGet(() -> new RuleUse(guard, address, rule, nanoTime))).toList());
    }

    private void unmap(RuleSet before, RuleSet after) {
        List<Claim> pages = new ArrayList<>();
        after.claims().stream().map(Claim::region).distinct().forEach(region -> {
            List<MmapArea> areas = mappable(region);
            GuardedPages.without(after.guarded(region, areas), before.guarded(region, areas))
                .forEach(area -> pages.add(Claim.of(region, area.offset(), area.size())));
        });
        if (!pages.isEmpty()) {
            context.unmap(pages);
        }
    }

    private List<MmapArea> mappable(int region) {
        try {
            return GuardedPages.mappable(context.regionInfoBelow(region));
        } catch (VfioException e) {
            // A region that the device has not.
            return List.of();
        }
    }

    private void tellBypassed(RuleUse use) {
        Optional<String> by = bypassed(use);
        by.ifPresent(who -> LOG.log(Level.WARNING, "{0} is bypassed in mapped pages {1}", use, who));
    }

    /// The pages where a rule sees nothing, since clients have them mapped from before it came and cannot be told, with these clients.
    Optional<String> bypassed(RuleUse use) {
        if (!(use.rule().target() instanceof Registers(int region, var range, _)) || use.rule().action() == Action.PASS) {
            return Optional.empty();
        }
        List<MmapArea> pages = GuardedPages.touched(mappable(region), range);
        List<String> clients = context.mappedBy(pages.stream().map(page -> Claim.of(region, page.offset(), page.size())).toList());
        return clients.isEmpty() ? Optional.empty()
            : Optional.of("%s by client=%s".formatted(RuleUse.text(pages), String.join(", client=", clients)));
    }

    /// How many windows there are that a rule would refuse, since they were made before it came.
    long standing(RuleUse use) {
        RuleSet now = rules;
        return windows.all().stream().filter(window -> now.denying(window).filter(use::equals).isPresent()).count();
    }

    private void tellDenied(RuleSet now, DmaWindow window) {
        now.denying(window).ifPresent(use -> log.window(use, window, " was made before: it stays"));
    }

    /// For the interrupt by which clients that have it are told that they are to map less.
    @Override
    public Set<Capability> capabilities() {
        return Set.of(Capability.DYNAMIC_TRAP_BAR);
    }

    @Override
    public boolean stateless() {
        return true;
    }

    @Override
    public List<Claim> claims() {
        return rules.claims();
    }

    /// Takes the pages that rules have something in out of what can be mapped.
    @Override
    public RegionInfo regionInfo(RegionInfo defaults) {
        List<MmapArea> areas = GuardedPages.mappable(defaults);
        List<MmapArea> guarded = rules.guarded(defaults.index(), areas);
        rules.blindWhereMapped().filter(on -> on.target().region() == defaults.index())
            .forEach(on -> tellUnmapped(on.use(), GuardedPages.touched(areas, on.target().range())));
        return guarded.isEmpty() ? defaults : GuardedPages.describe(defaults, GuardedPages.without(areas, guarded));
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
        rules.access(Direction.READ, region, offset, buffer, bufferOffset, count, log);
        return Verdict.PASS_THROUGH;
    }

    @Override
    public Verdict write(int region, long offset, MemorySegment buffer, long bufferOffset, int count) throws VfioException {
        rules.access(Direction.WRITE, region, offset, buffer, bufferOffset, count, log);
        return Verdict.PASS_THROUGH;
    }

    @Override
    public void dmaMap(DmaWindow window) throws VfioException {
        rules.window(window, log);
        windows.add(window);
    }

    @Override
    public void dmaPresent(DmaWindow window) {
        windows.add(window);
        tellDenied(rules, window);
    }

    @Override
    public void dmaUnmap(DmaWindow window) {
        windows.remove(window);
    }

    @Override
    public void close() {
        closed.accept(this);
    }
}
