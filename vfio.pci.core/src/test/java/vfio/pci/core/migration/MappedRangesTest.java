// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.migration;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import vfio.pci.api.migration.IovaRange;

class MappedRangesTest {
    private static List<IovaRange> of(int most, IovaRange... mappings) {
        return MappedRanges.of(each -> List.of(mappings).forEach(each), most);
    }

    @Test
    void isEmptyWithoutMappings() {
        assertThat(of(4)).isEmpty();
    }

    @Test
    void joinsWhatAdjoins() {
        assertThat(of(4, new IovaRange(0x3000, 0x1000), new IovaRange(0x1000, 0x2000), new IovaRange(0x8000, 0x1000)))
            .containsExactly(new IovaRange(0x1000, 0x3000), new IovaRange(0x8000, 0x1000));
    }

    @Test
    void hasWholePages() {
        assertThat(of(4, new IovaRange(0x1800, 0x10), new IovaRange(0x1C00, 0x500))).containsExactly(new IovaRange(0x1000, 0x2000));
    }

    @Test
    void reachesTheLastAddress() {
        assertThat(of(4, new IovaRange(-0x1000, 0x1000), new IovaRange(0, 0x1000)))
            .containsExactly(new IovaRange(0, 0x1000), new IovaRange(-0x1000, 0x1000));
        assertThat(of(1, new IovaRange(-0x1000, 0x1000), new IovaRange(0x2000, 0x1000)))
            .containsExactly(new IovaRange(0x2000, -0x2000));
    }

    @Test
    void joinsTheNearestWhereThereAreTooMany() {
        assertThat(of(2, new IovaRange(0, 0x1000), new IovaRange(0x2000, 0x1000), new IovaRange(0x10_0000, 0x1000)))
            .containsExactly(new IovaRange(0, 0x3000), new IovaRange(0x10_0000, 0x1000));
        assertThat(of(2, new IovaRange(0, 0x1000), new IovaRange(0x2000, 0x1000), new IovaRange(-0x1000, 0x1000)))
            .containsExactly(new IovaRange(0, 0x3000), new IovaRange(-0x1000, 0x1000));
    }

    @Test
    void hasEveryMappingInAtMostAsManyRanges() {
        Random random = new Random(3);
        for (int turn = 0; turn < 200; turn++) {
            List<IovaRange> mappings = new ArrayList<>();
            for (int i = 0; i < 1 + random.nextInt(100); i++) {
                mappings.add(new IovaRange(random.nextLong() & -0x1000L, 0x1000));
            }
            Collections.shuffle(mappings, random);
            int most = 1 + random.nextInt(20);
            List<IovaRange> ranges = MappedRanges.of(mappings::forEach, most);
            assertThat(ranges).hasSizeLessThanOrEqualTo(most);
            assertThat(mappings).allMatch(mapping -> ranges.stream().anyMatch(range ->
                Long.compareUnsigned(range.iova(), mapping.iova()) <= 0 && Long.compareUnsigned(mapping.last(), range.last()) <= 0));
        }
    }
}
