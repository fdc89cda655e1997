// SPDX-License-Identifier: Apache-2.0
package vfio.pci.shell;

import java.io.PrintStream;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import vfio.pci.api.admin.Exchange;

/// How an exchange of mediators is shown.
final class ExchangeReport {
    private ExchangeReport() {
    }

    static void print(List<Exchange> all, PrintStream out) {
        var table = new Table("ADDRESS", "MEDIATOR", "PAUSE-MS", "RESULT");
        for (Exchange each : all) {
            table.row(each.address(), each.mediator().orElse(""), millis(each.pause()), each.failure().orElse("done"));
        }
        table.print(out);
        for (Exchange each : all) {
            each.withheld().forEach(what -> out.println("withheld: " + each.address() + " " + what));
        }
    }

    static Json json(Exchange each) {
        return new Json().put("address", each.address()).put("mediator", each.mediator().orElse(""))
            .put("failure", each.failure().orElse("")).put("pauseMicros", each.pause().toNanos() / 1000).put("withheld", each.withheld());
    }

    private static String millis(Duration pause) {
        return String.format(Locale.ROOT, "%.3f", pause.toNanos() / 1e6);
    }
}
