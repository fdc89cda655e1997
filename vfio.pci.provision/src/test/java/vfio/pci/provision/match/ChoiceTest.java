// SPDX-License-Identifier: Apache-2.0
package vfio.pci.provision.match;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.osgi.framework.Version;
import vfio.pci.api.PciId;

class ChoiceTest {
    private static final PciId VF = new PciId(0x8086, 0x154C, 0x020000, 2, 0x8086, 1);
    private static final Offer EXACT_OLD = offer("exact", "1.9.0", "8086", "154c", "0200");
    private static final Offer EXACT = offer("exact", "1.10.0", "8086", "154c", "0200");
    private static final Offer EXACT_TOO = offer("exact.too", "1.10.0", "8086", "154c", "02");
    private static final Offer ANY_CLASS = offer("any.class", "9.0.0", "8086", "154c", "*");
    private static final Offer ANYTHING = offer("anything", "10.0.0", "*", "*", "*");
    private static final Offer OTHER = offer("other", "10.0.0", "8086", "5927", "0300");

    private static Offer offer(String name, String version, String vendor, String device, String code) {
        return new Offer(name, Version.parseVersion(version), Path.of("/repository/" + name + ".jar"), Optional.empty(), 0,
            List.of(new MediatorCapability(List.of(vendor), List.of(device), List.of(code))));
    }

    private static Optional<String> chosen(Optional<String> preferred, Offer... offers) {
        List<Offer> shuffled = new ArrayList<>(List.of(offers));
        Collections.shuffle(shuffled, new Random(7));
        return Choice.of(shuffled, VF, preferred).map(choice -> choice.offer().toString());
    }

    @Test
    void choosesNobodyWhenNobodyFits() {
        assertThat(chosen(Optional.empty())).isEmpty();
        assertThat(chosen(Optional.empty(), OTHER)).isEmpty();
    }

    @Test
    void fewestWildcardsThenHighestVersionThenName() {
        assertThat(chosen(Optional.empty(), ANYTHING, OTHER)).contains("anything:10.0.0");
        assertThat(chosen(Optional.empty(), ANYTHING, OTHER, ANY_CLASS)).contains("any.class:9.0.0");
        assertThat(chosen(Optional.empty(), ANYTHING, OTHER, ANY_CLASS, EXACT_OLD)).contains("exact:1.9.0");
        assertThat(chosen(Optional.empty(), ANYTHING, ANY_CLASS, EXACT_OLD, EXACT, EXACT_TOO)).contains("exact:1.10.0");
    }

    @Test
    void countsTheCapabilityThatFitsBest() {
        Offer two = new Offer("two", new Version(1, 0, 0), Path.of("/two.jar"), Optional.empty(), 0,
            List.of(ANYTHING.capabilities().getFirst(), EXACT.capabilities().getFirst()));
        assertThat(chosen(Optional.empty(), ANY_CLASS, two)).contains("two:1.0.0");
    }

    @Test
    void preferenceOverridesThatAndNeedNotFit() {
        assertThat(chosen(Optional.of("anything"), ANYTHING, EXACT)).contains("anything:10.0.0");
        assertThat(chosen(Optional.of("exact:1.9.0"), EXACT_OLD, EXACT)).contains("exact:1.9.0");
        assertThat(chosen(Optional.of("exact"), EXACT_OLD, EXACT, ANYTHING)).contains("exact:1.10.0");
        assertThat(chosen(Optional.of("other"), OTHER, EXACT)).contains("other:10.0.0");
    }

    @Test
    void preferenceThatIsNotOfferedDoesNotCount() {
        assertThat(chosen(Optional.of("exact:2.0.0"), EXACT_OLD, EXACT)).contains("exact:1.10.0");
    }

    @Test
    void saysWhy() {
        assertThat(Choice.of(List.of(ANY_CLASS), VF, Optional.empty()).orElseThrow().why())
            .isEqualTo("vendor=8086 device=154c class=* fits 8086:154c");
        assertThat(Choice.of(List.of(ANY_CLASS), VF, Optional.of("any.class")).orElseThrow().why()).isEqualTo("preferred for 8086:154c");
    }
}
