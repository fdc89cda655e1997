// SPDX-License-Identifier: Apache-2.0
package mediator.guard;

import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import vfio.pci.api.PciAddress;

/// `vfio:guard`: the rules over each open device that is guarded, what they met and refused, which pages are not mapped because of them,
/// where a client bypasses them, and how many DMA windows stand that they would refuse.
@Component(service = GuardCommand.class, property = {"osgi.command.scope=vfio", "osgi.command.function=guard",
    "vfio.command.parameters=[ADDRESS]", "vfio.command.summary=" + GuardCommand.SUMMARY})
public final class GuardCommand {
    static final String SUMMARY = "shows the rules over each guarded device, what they met and refused, and where they are bypassed";

    private final List<GuardMediator> guards = new CopyOnWriteArrayList<>();

    @Reference(cardinality = ReferenceCardinality.MULTIPLE, policy = ReferencePolicy.DYNAMIC)
    void addGuard(GuardMediator guard) {
        guards.add(guard);
    }

    void removeGuard(GuardMediator guard) {
        guards.remove(guard);
    }

    /// Prints them, a line for each rule of each device, or of one.
    ///
    /// @throws IllegalArgumentException naming the argument, its value and what was expected
    public void guard(String[] typed) {
        if (List.of(typed).contains("-h") || List.of(typed).contains("--help")) {
            System.out.println("vfio:guard [ADDRESS]\n    " + SUMMARY);
            return;
        }
        if (typed.length > 1) {
            throw new IllegalArgumentException("arguments=%d expected=none, or ADDRESS".formatted(typed.length));
        }
        Optional<PciAddress> one = typed.length == 0 ? Optional.empty() : Optional.of(PciAddress.parse(typed[0]));
        for (GuardMediator guard : guards) {
            List<GuardMediation> mediations = guard.mediations().stream()
                .filter(mediation -> one.isEmpty() || one.get().equals(mediation.address())).toList();
            if (mediations.isEmpty()) {
                System.out.println(guard.name() + ": no device open that it guards" + one.map(address -> " at " + address).orElse(""));
            }
            mediations.stream().flatMap(mediation -> mediation.uses().stream().map(use -> line(mediation, use)))
                .forEach(System.out::println);
        }
    }

    private static String line(GuardMediation mediation, RuleUse use) {
        return "%s matched=%d refused=%d %s text=%s".formatted(use, use.matched(), use.refused(), whereOrClosed(mediation, use),
            use.rule().text());
    }

    private static String whereOrClosed(GuardMediation mediation, RuleUse use) {
        try {
            return where(mediation, use);
        } catch (IllegalStateException e) {
            return "device=closed meanwhile";
        }
    }

    private static String where(GuardMediation mediation, RuleUse use) {
        return switch (use.rule().target()) {
            case Registers _ -> "unmapped=%s bypassed=%s".formatted(use.unmappedText(), mediation.bypassed(use).orElse("none"));
            case Windows _ -> "standing=%d".formatted(mediation.standing(use));
        };
    }
}
