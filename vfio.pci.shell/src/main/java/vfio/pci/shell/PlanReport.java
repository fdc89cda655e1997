// SPDX-License-Identifier: Apache-2.0
package vfio.pci.shell;

import java.io.PrintStream;
import java.util.List;
import vfio.pci.api.admin.ProvidedMediator;
import vfio.pci.api.admin.ProvisionPlan;
import vfio.pci.api.admin.ProvisionPlan.AffectedBundle;
import vfio.pci.api.admin.ProvisionPlan.AffectedDevice;

/// How a plan is shown, and what was loaded on demand.
final class PlanReport {
    private PlanReport() {
    }

    static void print(ProvisionPlan plan, PrintStream out) {
        out.printf("%s %s%n", plan.action(), plan.subject());
        var bundles = new Table("BUNDLE", "BUNDLE-ID", "EFFECT");
        for (AffectedBundle bundle : plan.bundles()) {
            bundles.row(bundle.bundle(), bundle.bundleId().map(String::valueOf).orElse(""), bundle.effect());
        }
        bundles.print(out);
        out.println();
        if (plan.devices().isEmpty()) {
            out.println("no open device loses anything");
        } else {
            var devices = new Table("DEVICE", "CLIENTS", "LOSES", "FOLLOWS");
            for (AffectedDevice device : plan.devices()) {
                devices.row(device.address(), String.join(", ", device.clients()), device.loses(), device.follows());
            }
            devices.print(out);
        }
        plan.notes().forEach(out::println);
        out.printf("state %s; vfio:apply carries this out as long as bundles and devices are in it%n", plan.state());
    }

    static Json json(ProvisionPlan plan) {
        List<Json> bundles = plan.bundles().stream().map(bundle -> new Json().put("bundle", bundle.bundle())
            .put("bundleId", bundle.bundleId()).put("effect", bundle.effect())).toList();
        List<Json> devices = plan.devices().stream().map(device -> new Json().put("address", device.address())
            .put("clients", device.clients()).put("loses", device.loses()).put("follows", device.follows())).toList();
        return new Json().put("action", plan.action()).put("subject", plan.subject()).put("bundles", bundles).put("devices", devices)
            .put("notes", plan.notes()).put("state", plan.state());
    }

    /// What was loaded on demand; nothing when nothing was.
    static void print(List<ProvidedMediator> provided, PrintStream out) {
        if (provided.isEmpty()) {
            return;
        }
        out.println();
        var table = new Table("LOADED ON DEMAND", "BUNDLE-ID", "FOR", "ID", "WHY", "FROM");
        for (ProvidedMediator each : provided) {
            table.row(each.bundle(), each.bundleId(), each.device(), each.id().vendorAndDevice(), each.why(), each.source());
        }
        table.print(out);
    }
}
