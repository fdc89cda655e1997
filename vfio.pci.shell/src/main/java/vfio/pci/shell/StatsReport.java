// SPDX-License-Identifier: Apache-2.0
package vfio.pci.shell;

import java.util.LinkedHashMap;
import java.util.Map;
import vfio.pci.api.PciAddress;
import vfio.pci.api.admin.AccessStats;

/// How the counters of a device are shown.
final class StatsReport {
    private StatsReport() {
    }

    static Table table(AccessStats stats) {
        var table = new Table("COUNTER", "VALUE");
        counters(stats).forEach(table::row);
        return table;
    }

    static Json json(PciAddress address, AccessStats stats) {
        var json = new Json().put("address", address);
        counters(stats).forEach(json::put);
        return json;
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
}
