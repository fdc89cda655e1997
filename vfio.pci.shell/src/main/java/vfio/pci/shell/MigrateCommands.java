// SPDX-License-Identifier: Apache-2.0
package vfio.pci.shell;

import java.time.Duration;
import java.util.Locale;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.component.annotations.ReferencePolicyOption;
import vfio.pci.api.Errno;
import vfio.pci.api.PciAddress;
import vfio.pci.api.VfioException;
import vfio.pci.api.admin.DeviceAdmin;
import vfio.pci.api.admin.MigrateAdmin;
import vfio.pci.api.admin.MigrationOrder;
import vfio.pci.api.admin.MigrationOutcome;
import vfio.pci.api.admin.MigrationProgress;

/// `vfio:migrate`.
@Component(service = MigrateCommands.class, property = {"osgi.command.scope=vfio", "osgi.command.function=migrate"})
public final class MigrateCommands {
    @Reference(cardinality = ReferenceCardinality.OPTIONAL, policy = ReferencePolicy.DYNAMIC, policyOption = ReferencePolicyOption.GREEDY)
    volatile DeviceAdmin devices;

    @Reference(cardinality = ReferenceCardinality.OPTIONAL, policy = ReferencePolicy.DYNAMIC, policyOption = ReferencePolicyOption.GREEDY)
    volatile MigrateAdmin migrations;

    /// Has a machine moved, or that ended.
    ///
    /// @throws VfioException ECANCELED when it was not moved, with the reason and where it runs; else as [MigrateAdmin#migrate]
    public void migrate(String[] typed) throws VfioException {
        Arguments arguments = Arguments.of(Command.MIGRATE, typed);
        if (arguments.answeredHelp(System.out)) {
            return;
        }
        DeviceAdmin admin = Services.core(devices);
        PciAddress address = admin.device(arguments.address(Services.known(admin))).address();
        MigrateAdmin mover = Services.require(migrations, MigrateAdmin.class, "what moves machines (vfio.migrate)");
        if (arguments.given("--cancel")) {
            mover.cancel(address);
            return;
        }
        String to = arguments.option("--to").orElseThrow(
            () -> new IllegalArgumentException("to= expected=--to TO or --cancel; usage: " + Command.MIGRATE.usage()));
        MigrationOrder order = new MigrationOrder(to, arguments.given("--dry-run"),
            Duration.ofMillis(arguments.positive("--max-downtime", MigrationOrder.USUAL_DOWNTIME.toMillis())));
        boolean json = arguments.json();
        MigrationOutcome outcome = mover.migrate(address, order, progress -> {
            if (!json) {
                System.out.println(line(progress));
            }
        });
        print(address, outcome, json);
        if (!outcome.done()) {
            throw new VfioException(Errno.ECANCELED, "device=%s use=%s %s".formatted(address, outcome.use(), outcome.message()));
        }
    }

    /// One line of how far it is.
    static String line(MigrationProgress progress) {
        String text = "%s: round %d, %d pages left, %.1f MiB/s".formatted(progress.step().toLowerCase(Locale.ROOT).replace('_', ' '),
            progress.round(), progress.pagesLeft(), progress.bytesPerSecond() / (double) (1 << 20));
        return progress.expectedDowntime().isZero() ? text : text + ", downtime %s expected".formatted(millis(progress.expectedDowntime()));
    }

    private static String millis(Duration time) {
        return "%.1f ms".formatted(time.toNanos() / (double) Duration.ofMillis(1).toNanos());
    }

    private static void print(PciAddress address, MigrationOutcome outcome, boolean json) {
        if (json) {
            System.out.println(new Json().put("address", address).put("use", outcome.use()).put("done", outcome.done())
                .put("message", outcome.message()).put("rounds", outcome.rounds()).put("pages", outcome.pages())
                .put("bytes", outcome.bytes()).put("downtimeMicros", outcome.downtime().toNanos() / 1000));
        } else if (outcome.done()) {
            System.out.printf("%s runs on the %s; %d rounds, %d pages, %d bytes; downtime %s%s%n", address,
                outcome.use().name().toLowerCase(Locale.ROOT), outcome.rounds(), outcome.pages(), outcome.bytes(),
                millis(outcome.downtime()), outcome.message().isEmpty() ? "" : "; " + outcome.message());
        }
    }
}
