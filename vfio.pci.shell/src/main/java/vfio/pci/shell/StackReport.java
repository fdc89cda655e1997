// SPDX-License-Identifier: Apache-2.0
package vfio.pci.shell;

import java.io.PrintStream;
import java.util.List;
import java.util.stream.Collectors;
import vfio.pci.api.admin.DeviceStatus;

/// How the layers of who mediates a device are shown, beside what is declared.
record StackReport(DeviceStatus device, List<String> declared) {
    void print(PrintStream out) {
        out.println("declared: " + String.join(" ", declared));
        if (!device.open()) {
            return;
        }
        var table = new Table("LAYER", "DECLARED-FOR", "MEDIATOR");
        int number = 1;
        for (var layer : device.layers()) {
            table.row(number++, layer.place(), layer.mediator().orElse("none"));
        }
        table.print(out);
    }

    /// The devices that have more than one layer.
    static void print(List<DeviceStatus> all, PrintStream out) {
        List<DeviceStatus> layered = all.stream().filter(status -> status.layers().size() > 1).toList();
        if (!layered.isEmpty()) {
            out.println();
            var table = new Table("DEVICE", "LAYERS, TOP FIRST");
            layered.forEach(status -> table.row(status.address(), status.layers().stream().map(layer -> layer.mediator().orElse("none"))
                .collect(Collectors.joining(" over "))));
            table.print(out);
        }
    }

    Json json() {
        return new Json().put("address", device.address()).put("declared", declared).put("layers", layers(device));
    }

    /// The layers of an open device, top first.
    static List<Json> layers(DeviceStatus device) {
        return device.layers().stream().map(layer -> new Json().put("place", layer.place()).put("mediator", layer.mediator())).toList();
    }
}
