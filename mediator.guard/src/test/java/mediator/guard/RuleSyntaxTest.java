// SPDX-License-Identifier: Apache-2.0
package mediator.guard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import vfio.pci.api.Range;
import vfio.pci.api.device.RegionIndex;

class RuleSyntaxTest {
    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "deny write                                | words=2        | ACTION DIRECTION REGION",
        "refuse write bar0                         | action=refuse  | deny, limit, log or pass",
        "deny dma 0x1000-0x1fff                    | direction=dma  | deny write dma:0x1000-0x1fff",
        "deny both bar0                            | direction=both | read, write or access",
        "deny write bar6:0                         | place=bar6:0   | bar0 to bar5",
        "deny write bar0:here                      | place=bar0:here | numbers",
        "deny write bar0:8-4                       | place=bar0:8-4 | not empty",
        "deny write bar0:8+0                       | place=bar0:8+0 | not empty",
        "deny write bar0:0x7fffffffffffffff        | place=bar0:    | not empty",
        "deny write bar0 rate=3                    | rate=3         | with limit",
        "limit write bar0                          | rate=none      | with limit",
        "limit write bar0 rate=0                   | rate=0         | 1 to",
        "limit write bar0 rate=5 burst=9999999999  | burst=999      | 1 to",
        "deny write bar0 burst=3                   | rate=none      | with limit",
        "deny write bar0 speed=3                   | option=speed=3 | value=, mask=",
        "deny write bar0:0 value=1 value=2         | option=value=2 | once each",
        "deny write bar0:0 mask=1                  | mask=1         | together with value",
        "deny read bar0:0 value=1                  | value=1        | with write only",
        "deny write bar0:0+3 value=1               | value=1        | 1, 2, 4 or 8 bytes",
        "deny write bar0 value=1                   | value=1        | 1, 2, 4 or 8 bytes",
        "deny write bar0:0 value=5-2               | value=5-2      | greater one last",
        "deny write bar0:0+1 value=0x100           | value=0x100    | at most 0xff",
        "deny write bar0:0+1 value=1 mask=0x1ff    | mask=0x1ff     | 0x1 to 0xff",
        "deny write bar0:0 value=-                 | value=-        | FIRST-LAST",
        "deny write bar0:0 size=1                  | size=1         | with dma only",
        "deny write dma:0 value=1                  | value=1        | size= of a window",
        "deny write dma:0 mask=1                   | mask=1         | size= of a window",
        "deny write dma size=9-3                   | size=9-3       | greater one last",
        "deny write dma:2-1                        | place=dma:2-1  | not empty",
        "deny write dma:0+0                        | place=dma:0+0  | not empty",
        "deny write dma:0xffffffffffffffff+2       | place=dma:     | not empty",
        "deny write dma:0x10000000000000000        | place=dma:     | numbers",
        "limit write dma                           | rate=none      | with limit"})
    void saysWhatIsWrong(String text, String wrong, String expected) {
        assertThatThrownBy(() -> RuleSyntax.parse("7", text)).isInstanceOf(IllegalArgumentException.class)
            .hasMessageContaining("key=rule.7").hasMessageContaining(text.trim()).hasMessageContaining(wrong)
            .hasMessageContaining("expected=").hasMessageContaining(expected);
    }

    @Test
    void readsARuleInAllItsForms() {
        Rule rule = RuleSyntax.parse("tail", "Deny WRITE bar0:0x2030");
        assertThat(rule.name()).isEqualTo("tail");
        assertThat(rule.action()).isEqualTo(Action.DENY);
        assertThat(rule.direction()).isEqualTo(Direction.WRITE);
        assertThat(rule.target()).as("a register unless it says otherwise")
            .isEqualTo(new Registers(0, new Range(0x2030, 4), Values.ANY));
        assertThat(registers(RuleSyntax.parse("a", "log access bar2:0x10-0x1f")).range()).isEqualTo(new Range(0x10, 0x10));
        assertThat(registers(RuleSyntax.parse("a", "log access bar2:16+2")).range()).isEqualTo(new Range(0x10, 2));
        assertThat(registers(RuleSyntax.parse("a", "log access bar5")).range()).isEqualTo(new Range(0, Long.MAX_VALUE));
        assertThat(registers(RuleSyntax.parse("a", "log access config:4")).region()).isEqualTo(RegionIndex.CONFIG);
        Rule limit = RuleSyntax.parse("a", "limit read rom rate=10");
        assertThat(registers(limit).region()).isEqualTo(RegionIndex.ROM);
        assertThat(limit.rate()).isEqualTo(10);
        assertThat(limit.burst()).as("as many as in a second").isEqualTo(10);
        assertThat(RuleSyntax.parse("a", "limit read rom rate=10 burst=2").burst()).isEqualTo(2);
    }

    @Test
    void looksAtValues() {
        assertThat(registers(RuleSyntax.parse("a", "deny write bar0:0 value=!0x1000-0x1fff")).values())
            .isEqualTo(new Values(0xFFFF_FFFFL, 0x1000, 0x1FFF, false));
        Values enable = registers(RuleSyntax.parse("a", "deny write bar0:0 value=1 mask=1")).values();
        assertThat(enable.include(0xFFFF_FFFFL)).isTrue();
        assertThat(enable.include(0xFFFF_FFFEL)).isFalse();
        Values wide = registers(RuleSyntax.parse("a", "deny write bar0:0+8 value=0x8000000000000000-0xffffffffffffffff")).values();
        assertThat(wide.include(-1)).as("unsigned").isTrue();
        assertThat(wide.include(Long.MAX_VALUE)).isFalse();
    }

    @Test
    void readsRulesOfWindows() {
        assertThat(windows("deny access dma")).isEqualTo(new Windows(0, -1, Values.ANY));
        assertThat(windows("deny write dma:0x1000-0xffffffffffffffff")).isEqualTo(new Windows(0x1000, -1, Values.ANY));
        assertThat(windows("deny write dma:0x1000+0x1000")).isEqualTo(new Windows(0x1000, 0x1FFF, Values.ANY));
        assertThat(windows("deny write dma:0x1000")).as("an address").isEqualTo(new Windows(0x1000, 0x1000, Values.ANY));
        assertThat(windows("deny read dma size=!0-0x1000").sizes()).isEqualTo(new Values(-1, 0, 0x1000, false));
    }

    private static Registers registers(Rule rule) {
        return (Registers) rule.target();
    }

    private static Windows windows(String text) {
        return (Windows) RuleSyntax.parse("a", text).target();
    }
}
