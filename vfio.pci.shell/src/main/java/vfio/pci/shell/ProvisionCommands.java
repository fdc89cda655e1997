// SPDX-License-Identifier: Apache-2.0
package vfio.pci.shell;

import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.component.annotations.ReferencePolicyOption;
import vfio.pci.api.VfioException;
import vfio.pci.api.admin.PlanAction;
import vfio.pci.api.admin.ProvisionAdmin;
import vfio.pci.api.admin.ProvisionPlan;

/// `vfio:plan`, `vfio:apply` and `vfio:prefer`.
@Component(service = ProvisionCommands.class, property = {
    "osgi.command.scope=vfio", "osgi.command.function=plan", "osgi.command.function=apply", "osgi.command.function=prefer"})
public final class ProvisionCommands {
    private static final String NONE = "none";

    @Reference(cardinality = ReferenceCardinality.OPTIONAL, policy = ReferencePolicy.DYNAMIC, policyOption = ReferencePolicyOption.GREEDY)
    volatile ProvisionAdmin provisioning;

    /// Says what a change of bundles would do, and keeps it for `apply`.
    public void plan(String[] typed) throws VfioException {
        Arguments arguments = Arguments.of(Command.PLAN, typed);
        if (arguments.answeredHelp(System.out)) {
            return;
        }
        PlanAction action = action(arguments.text(0));
        Optional<String> from = arguments.count() > 2 ? Optional.of(arguments.text(2)) : Optional.empty();
        ProvisionPlan plan = provisioning().plan(action, arguments.text(1), from);
        if (arguments.json()) {
            System.out.println(PlanReport.json(plan));
        } else {
            PlanReport.print(plan, System.out);
        }
    }

    private static PlanAction action(String text) {
        return Arrays.stream(PlanAction.values()).filter(action -> action.toString().equals(text)).findFirst()
            .orElseThrow(() -> new IllegalArgumentException("action=%s expected=one of %s".formatted(text,
                String.join(", ", Arrays.stream(PlanAction.values()).map(PlanAction::toString).toList()))));
    }

    /// Carries out the last plan.
    public void apply(String[] typed) throws VfioException {
        Arguments arguments = Arguments.of(Command.APPLY, typed);
        if (arguments.answeredHelp(System.out)) {
            return;
        }
        ProvisionPlan plan = provisioning().apply();
        if (arguments.json()) {
            System.out.println(new Json().put("applied", PlanReport.json(plan)));
        } else {
            System.out.printf(Locale.ROOT, "%s of %s is done%n", plan.action(), plan.subject());
        }
    }

    /// Lists preferences, or sets or ends one.
    public void prefer(String[] typed) throws VfioException {
        Arguments arguments = Arguments.of(Command.PREFER, typed);
        if (arguments.answeredHelp(System.out)) {
            return;
        }
        if (arguments.count() == 1) {
            throw new IllegalArgumentException("arguments=1 expected=none, or VENDOR:DEVICE and BUNDLE; usage: " + Command.PREFER.usage());
        }
        if (arguments.count() == 2) {
            String bundle = arguments.text(1);
            provisioning().prefer(arguments.text(0), bundle.equals(NONE) ? Optional.empty() : Optional.of(bundle));
        }
        Map<String, String> preferences = provisioning().preferences();
        if (arguments.json()) {
            System.out.println(Json.list(preferences.entrySet().stream()
                .map(entry -> new Json().put("device", entry.getKey()).put("bundle", entry.getValue())).toList()));
        } else {
            var table = new Table("DEVICE", "PREFERRED");
            preferences.forEach(table::row);
            table.print(System.out);
        }
    }

    private ProvisionAdmin provisioning() {
        return Services.require(provisioning, ProvisionAdmin.class, "the provisioning (vfio.pci.provision)");
    }
}
