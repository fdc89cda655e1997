// SPDX-License-Identifier: Apache-2.0
package device.sim.register;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class RegisterFileTest {
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private enum Overlapping implements Register {
        FIRST(0, 4), SECOND(8, 1), NONE(0, 0);

        private final int base;
        private final int count;

        Overlapping(int base, int count) {
            this.base = base;
            this.count = count;
        }

        @Override
        public int base() {
            return base;
        }

        @Override
        public int stride() {
            return 4;
        }

        @Override
        public int count() {
            return count;
        }
    }

    private static final class Recorder extends RegisterFile {
        private final int[] values = {0x03020100, 0x07060504, 0x0B0A0908, 0x0F0E0D0C};
        private final List<String> seen = new ArrayList<>();

        @Override
        public int read(int offset) {
            seen.add("r%x".formatted(offset));
            return values[offset / 4];
        }

        @Override
        public int peek(int offset) {
            return values[offset / 4];
        }

        @Override
        public void write(int offset, int value) {
            seen.add("w%x=%08x".formatted(offset, value));
            values[offset / 4] = value;
        }

        @Override
        public void poke(int offset, int value) {
            values[offset / 4] = value;
        }
    }

    private final Recorder registers = new Recorder();
    private final MemorySegment buffer = MemorySegment.ofArray(new byte[32]);

    @Test
    void rejectsRegistersInOnePlace() {
        assertThatIllegalArgumentException().isThrownBy(() -> new RegisterMap<>(Overlapping.class, 0x1000, Overlapping.NONE))
            .withMessageContaining("SECOND").withMessageContaining("FIRST");
    }

    @Test
    void readsOneRegister() {
        registers.read(4, buffer, 1, 4);
        assertThat(buffer.get(LONG, 1)).isEqualTo(0x07060504L);
        assertThat(registers.seen).containsExactly("r4");
    }

    @Test
    void readsAByteWithTheSideEffectOfItsRegister() {
        registers.read(6, buffer, 1, 1);
        assertThat(buffer.get(LONG, 1)).isEqualTo(0x06L);
        assertThat(registers.seen).containsExactly("r4");
    }

    @Test
    void splitsAReadOfEightBytes() {
        registers.read(8, buffer, 1, 8);
        assertThat(buffer.get(LONG, 1)).isEqualTo(0x0F0E0D0C0B0A0908L);
        assertThat(registers.seen).containsExactly("r8", "rc");
    }

    @Test
    void splitsAnOddReadAcrossRegisters() {
        registers.read(3, buffer, 1, 6);
        assertThat(buffer.get(LONG, 1)).isEqualTo(0x080706050403L);
        assertThat(registers.seen).containsExactly("r0", "r4", "r8");
    }

    @Test
    void splitsAnOddWriteAndKeepsTheOtherBytes() {
        buffer.set(LONG, 1, 0xF5F4F3F2F1F0L);
        registers.write(3, buffer, 1, 6);
        assertThat(registers.seen).containsExactly("w0=f0020100", "w4=f4f3f2f1", "w8=0b0a09f5");
    }

    @Test
    void writesAWordInTheMiddleOfARegister() {
        buffer.set(LONG, 1, 0xBEEF);
        registers.write(0xD, buffer, 1, 2);
        assertThat(registers.seen).containsExactly("wc=0fbeef0c");
    }
}
