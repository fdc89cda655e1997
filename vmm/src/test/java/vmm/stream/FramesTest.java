// SPDX-License-Identifier: Apache-2.0
package vmm.stream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vmm.channel.Link;

class FramesTest {
    private static final Hello HELLO = new Hello(true, List.of(new Hello.Block(0x25_8000_0000L, 0x200_0000), new Hello.Block(0, 0x1000)),
        List.of(new Hello.Device("net0", new byte[Hello.IDENTITY], new byte[] {1, 2, 3})));

    /// What was written is what can be read.
    private static final class Memory implements Link {
        private final ByteArrayOutputStream out = new ByteArrayOutputStream();
        private final ByteBuffer in;

        Memory(byte[] in) {
            this.in = ByteBuffer.wrap(in);
        }

        @Override
        public void write(byte[] bytes, int offset, int count) {
            out.write(bytes, offset, count);
        }

        @Override
        public void read(byte[] bytes, int offset, int count) throws VfioException {
            if (count > in.remaining()) {
                throw new VfioException(Errno.ECONNRESET, "end");
            }
            in.get(bytes, offset, count);
        }

        @Override
        public String peer() {
            return "memory";
        }

        @Override
        public void close() {
            // nothing is held
        }
    }

    private static byte[] stream() throws VfioException {
        Memory link = new Memory(new byte[0]);
        Frames frames = new Frames(link);
        HELLO.encode(frames.begin(FrameKind.HELLO));
        frames.end();
        frames.begin(FrameKind.DEVICE).putInt(0).put(new byte[100]);
        frames.end();
        frames.send(FrameKind.COMMIT);
        assertThat(frames.written()).isEqualTo(link.out.size());
        return link.out.toByteArray();
    }

    private static void read(byte[] stream) throws VfioException {
        Frames frames = new Frames(new Memory(stream));
        Hello hello = Hello.decode(frames.expect(FrameKind.HELLO).bytes());
        assertThat(hello).isEqualTo(HELLO);
        assertThat(frames.expect(FrameKind.DEVICE).bytes().remaining()).isEqualTo(104);
        frames.expect(FrameKind.COMMIT);
    }

    private static void rejects(Errno errno, UnaryOperator<byte[]> change) throws VfioException {
        byte[] changed = change.apply(stream());
        assertThatExceptionOfType(VfioException.class).isThrownBy(() -> read(changed)).matches(e -> e.errno() == errno);
    }

    @Test
    void rejectsEveryByteThatIsAltered() throws VfioException {
        for (int i = 0; i < stream().length; i++) {
            byte[] altered = stream();
            altered[i] ^= 0x40;
            assertThatExceptionOfType(VfioException.class).as("byte 0x%x", i).isThrownBy(() -> read(altered));
        }
    }

    @Test
    void rejectsEveryCut() throws VfioException {
        byte[] whole = stream();
        for (int i = 0; i < whole.length; i++) {
            byte[] cut = java.util.Arrays.copyOf(whole, i);
            assertThatExceptionOfType(VfioException.class).as("0x%x bytes", i).isThrownBy(() -> read(cut))
                .matches(e -> e.errno() == Errno.ECONNRESET);
        }
    }

    @Test
    void rejectsFrameThatIsLeftOutOrRepeated() throws VfioException {
        int first = ByteBuffer.wrap(stream()).order(java.nio.ByteOrder.LITTLE_ENDIAN).getInt(8) + Frames.HEADER + Frames.CHECKSUM;
        rejects(Errno.EPROTO, whole -> java.util.Arrays.copyOfRange(whole, first, whole.length));
        rejects(Errno.EPROTO, whole -> ByteBuffer.allocate(whole.length + first).put(whole, 0, first).put(whole).array());
    }

    @Test
    void rejectsFrameOfAnotherStream() throws VfioException {
        Memory link = new Memory(new byte[0]);
        Frames other = new Frames(link);
        other.send(FrameKind.HELLO);
        other.send(FrameKind.DEVICE);
        byte[] foreign = link.out.toByteArray();
        int each = foreign.length / 2;
        int first = ByteBuffer.wrap(stream()).order(java.nio.ByteOrder.LITTLE_ENDIAN).getInt(8) + Frames.HEADER + Frames.CHECKSUM;
        rejects(Errno.EPROTO, whole -> ByteBuffer.allocate(first + each).put(whole, 0, first).put(foreign, each, each).array());
    }

    @Test
    void rejectsLengthBeforeItIsRead() throws VfioException {
        rejects(Errno.EPROTO, whole -> {
            whole[11] = 0x7F;
            return whole;
        });
    }

    @Test
    void passesARefusalOnWithNothingThatHarmsALog() throws VfioException {
        Memory link = new Memory(new byte[0]);
        new Frames(link).refuse("no\nroom");
        Frames frames = new Frames(new Memory(link.out.toByteArray()));
        assertThatExceptionOfType(VfioException.class).isThrownBy(() -> frames.expect(FrameKind.ACCEPT))
            .withMessage("the other side refuses: no?room");
    }

    @Test
    void rejectsNewerMajorVersion() throws VfioException {
        ByteBuffer bytes = ByteBuffer.allocate(1000).order(java.nio.ByteOrder.LITTLE_ENDIAN);
        HELLO.encode(bytes);
        bytes.flip().putShort(0, (short) 2);
        assertThatExceptionOfType(VfioException.class).isThrownBy(() -> Hello.decode(bytes))
            .withMessage("stream version=2 page=0x1000 expected=at most 1, 0x1000");
    }

    @Test
    void takesNewerMinorVersion() throws VfioException {
        ByteBuffer bytes = ByteBuffer.allocate(1000).order(java.nio.ByteOrder.LITTLE_ENDIAN);
        HELLO.encode(bytes);
        bytes.flip().putShort(2, (short) 9);
        assertThat(Hello.decode(bytes)).isEqualTo(HELLO);
    }
}
