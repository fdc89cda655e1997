// SPDX-License-Identifier: Apache-2.0
package vfio.pci.shell;

import java.io.PrintStream;
import java.util.List;
import java.util.Optional;
import vfio.pci.api.admin.MediatorStatus;
import vfio.pci.api.admin.ProvidedMediator;

/// How mediators are shown, threads that did not leave one, and which were loaded on demand.
final class MediatorReport {
    private MediatorReport() {
    }

    static void print(List<MediatorStatus> all, PrintStream out) {
        var table = new Table(
            "MEDIATOR", "BUNDLE", "BUNDLE-ID", "RANKING", "SERVICE-ID", "ACCEPTED", "REFUSED", "FAILED", "DEVICES", "STUCK");
        for (MediatorStatus status : all) {
            table.row(status.name(), status.bundle(), status.bundleId(), status.ranking(), status.serviceId(), status.accepted(),
                status.refused(), status.failed(), Services.join(status.devices()), status.stuck().size());
        }
        table.print(out);
        for (MediatorStatus status : all) {
            for (MediatorStatus.StuckThread thread : status.stuck()) {
                out.println();
                out.printf("stuck in %s of %s: device %s, thread %s%n", status.name(), status.bundle(), thread.device(), thread.thread());
                thread.stack().forEach(frame -> out.println("    at " + frame));
            }
        }
    }

    static Json json(MediatorStatus status, List<ProvidedMediator> provided) {
        Optional<Json> loaded = provided.stream().filter(each -> each.bundleId() == status.bundleId()).findFirst()
            .map(each -> new Json().put("device", each.device()).put("id", each.id().vendorAndDevice()).put("why", each.why())
                .put("source", each.source()));
        List<Json> stuck = status.stuck().stream().map(thread -> new Json()
            .put("device", thread.device()).put("thread", thread.thread()).put("stack", thread.stack())).toList();
        return new Json().put("name", status.name()).put("bundle", status.bundle()).put("bundleId", status.bundleId())
            .put("ranking", status.ranking()).put("serviceId", status.serviceId()).put("devices", status.devices())
            .put("accepted", status.accepted()).put("refused", status.refused()).put("failed", status.failed()).put("stuck", stuck)
            .put("loadedFor", loaded);
    }
}
