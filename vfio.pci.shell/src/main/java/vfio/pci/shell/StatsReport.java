// SPDX-License-Identifier: Apache-2.0
package vfio.pci.shell;

import java.io.PrintStream;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import vfio.pci.api.PciAddress;
import vfio.pci.api.admin.AccessStats;
import vfio.pci.api.admin.CommandTraffic;
import vfio.pci.api.admin.ServedTraffic;

/// How the counters of a device are shown, and of the socket it is served on.
final class StatsReport {
    private StatsReport() {
    }

    /// @param traffic of the socket, if the device is served
    static void print(AccessStats stats, Optional<ServedTraffic> traffic, PrintStream out) {
        var table = new Table("COUNTER", "VALUE");
        counters(stats).forEach(table::row);
        table.print(out);
        if (traffic.isPresent()) {
            out.println();
            var socket = new Table("SOCKET", "VALUE");
            counters(traffic.get()).forEach(socket::row);
            socket.print(out);
            out.println();
            commands(traffic.get()).print(out);
        }
    }

    static Json json(PciAddress address, AccessStats stats, Optional<ServedTraffic> traffic) {
        var json = new Json().put("address", address);
        counters(stats).forEach(json::put);
        return json.put("served", traffic.map(StatsReport::json));
    }

    private static Json json(ServedTraffic traffic) {
        var json = new Json();
        counters(traffic).forEach(json::put);
        return json.put("commands", traffic.commands().stream().map(each -> new Json().put("command", each.command())
            .put("requests", each.requests()).put("errors", each.errors()).put("p50Nanos", each.p50()).put("p99Nanos", each.p99())
            .put("p999Nanos", each.p999()).put("maxNanos", each.max())).toList());
    }

    private static Table commands(ServedTraffic traffic) {
        var table = new Table("COMMAND", "REQUESTS", "ERRORS", "P50-US", "P99-US", "P99.9-US", "MAX-US");
        for (CommandTraffic each : traffic.commands()) {
            table.row(each.command(), each.requests(), each.errors(), micros(each.p50()), micros(each.p99()), micros(each.p999()),
                micros(each.max()));
        }
        return table;
    }

    private static String micros(long nanos) {
        return String.format(Locale.ROOT, "%.1f", nanos / 1e3);
    }

    /// Names are those of the record's components.
    private static Map<String, Long> counters(AccessStats stats) {
        var counters = new LinkedHashMap<String, Long>();
        counters.put("mediated", stats.mediated());
        counters.put("passedThrough", stats.passedThrough());
        counters.put("trapped", stats.trapped());
        counters.put("interrupts", stats.interrupts());
        counters.put("errors", stats.errors());
        counters.put("dmaBytesRead", stats.dmaBytesRead());
        counters.put("dmaBytesWritten", stats.dmaBytesWritten());
        counters.put("dmaFaults", stats.dmaFaults());
        return counters;
    }

    private static Map<String, Long> counters(ServedTraffic traffic) {
        var counters = new LinkedHashMap<String, Long>();
        counters.put("requests", traffic.requests());
        counters.put("errors", traffic.errors());
        counters.put("timedOut", traffic.timedOut());
        counters.put("lateResults", traffic.lateResults());
        counters.put("lost", traffic.lost());
        counters.put("doorbells", traffic.doorbells());
        return counters;
    }
}
