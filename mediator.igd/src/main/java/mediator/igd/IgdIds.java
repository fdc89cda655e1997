// SPDX-License-Identifier: Apache-2.0
package mediator.igd;

import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import vfio.pci.api.PciId;

/// Which devices the mediator fits: two by itself, more by configuration, all of them display controllers that are VGA compatible.
///
/// @param ids vendor and device, as `8086:5927`
record IgdIds(Set<String> ids) {
    /// Iris Plus Graphics 650 and Iris Pro Graphics 580.
    private static final Set<String> BUILT_IN = Set.of("8086:5927", "8086:193b");
    private static final int VGA_COMPATIBLE = 0x0300;
    private static final Pattern ID = Pattern.compile("8086:[0-9a-f]{4}");

    IgdIds {
        ids = Set.copyOf(ids);
    }

    /// The built-in ids and those configured.
    ///
    /// @param configured a text with commas, an array or a collection of texts, as ConfigAdmin may give them; or null for nothing
    /// @param wrong told of each entry that is no id, and left out
    static IgdIds with(Object configured, Consumer<String> wrong) {
        Set<String> all = new HashSet<>(BUILT_IN);
        texts(configured).map(text -> text.trim().toLowerCase(Locale.ROOT)).filter(text -> !text.isEmpty()).forEach(text -> {
            if (ID.matcher(text).matches()) {
                all.add(text);
            } else {
                wrong.accept(text);
            }
        });
        return new IgdIds(all);
    }

    boolean fits(PciId id) {
        return id.classCode() >>> 8 == VGA_COMPATIBLE && ids.contains(id.vendorAndDevice());
    }

    private static Stream<String> texts(Object configured) {
        return switch (configured) {
            case null -> Stream.empty();
            case String text -> Stream.of(text.split(","));
            case Object[] array -> List.of(array).stream().map(Object::toString);
            case Collection<?> collection -> collection.stream().map(Object::toString);
            default -> Stream.of(configured.toString());
        };
    }
}
