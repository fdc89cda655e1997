// SPDX-License-Identifier: Apache-2.0
package itest.iavf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.Test;

/** What checks the device is checked: every byte of a frame counts. */
public class NumberedFramesTest {
    private static final MacAddress FROM = new MacAddress(0x0200_0000_0001L);
    private static final MacAddress TO = new MacAddress(0x0200_0000_0002L);
    private static final long AT = 3;

    private final NumberedFrames frames = new NumberedFrames(FROM, TO);
    private final MemorySegment memory = Arena.ofAuto().allocate(2048);

    @Test
    public void acceptsWhatWasWritten() {
        for (long number = 0; number < 5000; number++) {
            int bytes = frames.write(memory, AT, number);
            assertThat(bytes).isBetween(NumberedFrames.SHORTEST, NumberedFrames.LONGEST);
            assertThat(NumberedFrames.number(memory, AT)).isEqualTo(number);
            frames.check(memory, AT, bytes, number);
        }
    }

    @Test
    public void seesEachByteThatIsAnother() {
        int bytes = frames.write(memory, AT, 77);
        for (int i = 0; i < bytes; i++) {
            byte right = memory.get(ValueLayout.JAVA_BYTE, AT + i);
            memory.set(ValueLayout.JAVA_BYTE, AT + i, (byte) (right ^ 0x10));
            assertThatThrownBy(() -> frames.check(memory, AT, bytes, 77)).as("byte 0x%x", i).isInstanceOf(IavfException.class);
            memory.set(ValueLayout.JAVA_BYTE, AT + i, right);
        }
        assertThatCode(() -> frames.check(memory, AT, bytes, 77)).doesNotThrowAnyException();
    }

    @Test
    public void seesAnotherNumberAndAnotherLength() {
        int bytes = frames.write(memory, AT, 77);
        assertThatThrownBy(() -> frames.check(memory, AT, bytes, 78)).isInstanceOf(IavfException.class);
        assertThatThrownBy(() -> frames.check(memory, AT, bytes - 1, 77)).isInstanceOf(IavfException.class);
    }

    @Test
    public void hasAllLengths() {
        boolean[] seen = new boolean[NumberedFrames.LONGEST + 1];
        for (long number = 0; number < 50_000; number++) {
            seen[frames.length(number)] = true;
        }
        for (int bytes = NumberedFrames.SHORTEST; bytes <= NumberedFrames.LONGEST; bytes++) {
            assertThat(seen[bytes]).as("length 0x%x", bytes).isTrue();
        }
    }
}
