// SPDX-License-Identifier: Apache-2.0
package mediator.guard;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import vfio.pci.api.PciAddress;

class SeenAccessesTest {
    private final SeenAccesses seen = new SeenAccesses();
    private final RuleUse use = new RuleUse("guard", PciAddress.parse("00:02.0"), RuleSyntax.parse("1", "log access bar0"), () -> 0);
    private final List<Long> offsets = new ArrayList<>();

    @Test
    void keepsOrderOverManyTurns() {
        for (int i = 0; i < 5000; i++) {
            seen.add(use, Direction.WRITE, i, 4, 7L * i);
            assertThat(seen.take((who, access, offset, count, value) -> {
                assertThat(who).isSameAs(use);
                assertThat(access).isEqualTo(Direction.WRITE);
                assertThat(count).isEqualTo(4);
                assertThat(value).isEqualTo(7 * offset);
                offsets.add(offset);
            })).isTrue();
        }
        assertThat(offsets).isEqualTo(IntStream.range(0, 5000).mapToObj(Long::valueOf).toList());
        assertThat(seen.take((who, access, offset, count, value) -> offsets.clear())).isFalse();
        assertThat(offsets).isNotEmpty();
    }

    @Test
    void countsWhatDoesNotFit() {
        IntStream.range(0, 3000).parallel().forEach(i -> seen.add(use, Direction.READ, i, 4, 0));
        while (seen.take((who, access, offset, count, value) -> offsets.add(offset))) {
            // until there is nothing left
        }
        assertThat(offsets).hasSize(1024).doesNotHaveDuplicates();
        assertThat(seen.takeLost()).isEqualTo(3000 - 1024);
        assertThat(seen.takeLost()).isZero();
    }
}
