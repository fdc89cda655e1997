// SPDX-License-Identifier: Apache-2.0
package vfio.user.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Instant;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import vfio.user.wire.trace.MessageText;
import vfio.user.wire.trace.TraceReader;
import vfio.user.wire.trace.TraceRecord;
import vfio.user.wire.trace.TraceRecord.Descriptor;
import vfio.user.wire.trace.TraceWriter;

/// The file of a trace, and its lines.
class TraceTest {
    private static final String MAP = "3412 0200 30000000 00000000 00000000"
        + "20000000 03000000 0000000000000000 0000100000000000 0000200000000000";
    private static final TraceRecord RECORD = received(MAP, new Descriptor(Descriptor.Type.FILE, 0x300000));

    @Test
    void rejectsWhatIsNoTraceOrOfAnotherVersion() throws IOException {
        byte[] bytes = written(RECORD);
        for (int at : new int[] {0, 7, 8, 9}) {
            byte[] other = bytes.clone();
            other[at]++;
            assertThatThrownBy(() -> reader(other)).isInstanceOf(IOException.class);
        }
    }

    @Test
    void rejectsATraceThatIsCut() throws IOException {
        byte[] bytes = written(RECORD);
        for (int size = 25; size < bytes.length; size++) {
            TraceReader reader = reader(Arrays.copyOf(bytes, size));
            assertThatThrownBy(reader::next).isInstanceOf(EOFException.class);
        }
    }

    @Test
    void rejectsNumbersThatDoNotFit() throws IOException {
        for (int size : new int[] {-1, 0, 11, 0x7FFF_FFFF}) {
            byte[] bytes = written(RECORD);
            ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putInt(24, size);
            assertThatThrownBy(() -> reader(bytes).next()).isInstanceOf(IOException.class);
        }
        byte[] fds = written(RECORD);
        fds[24 + 4 + 9] = (byte) 0xFF;
        assertThatThrownBy(() -> reader(fds).next()).isInstanceOf(IOException.class);
    }

    @Test
    void hasTheDocumentedBytes() throws IOException {
        assertThat(HexFormat.of().formatHex(written(RECORD), 0, 56)).isEqualTo("5646555452414345" + "01000000" + "00000000"
            + "00ca9a3b00000000" + "4c000000" + "3905000000000000" + "00010000" + "0200000000000000" + "0000300000000000");
    }

    @Test
    void readsWhatWasWritten() throws IOException {
        TraceReader reader = reader(written(RECORD));
        assertThat(reader.startNanos()).isEqualTo(1_000_000_000L);
        assertThat(reader.next()).get().usingRecursiveComparison().isEqualTo(RECORD);
        assertThat(reader.next()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "3412 0900 20000000 10000000 00000000 0888000000000000 00000000 04000000"
            + "|> id=0x1234 REGION_READ no-reply region=0x0 offset=0x8808 count=0x4",
        "0100 0900 10000000 21000000 16000000|> id=0x1 REGION_READ reply error=EINVAL",
        "0100 0900 10000000 21000000 ff7f0000|> id=0x1 REGION_READ reply error=0x7fff",
        "0100 0a00 22000000 00000000 00000000 0000000000000000 07000000 02000000 beef"
            + "|> id=0x1 REGION_WRITE region=0x7 offset=0x0 count=0x2 data=beef",
        "0100 0d00 10000000 00000000 00000000|> id=0x1 DEVICE_RESET",
        "0100 0100 19000000 00000000 00000000 0000 0000 7b0a1b7d00|> id=0x1 VERSION major=0x0 minor=0x0 {??}",
        "0100 ee00 11000000 00010000 00000000 aa|> id=0x1 command=0xee flags=0x100 data=aa",
        "0100 0800 14000000 00000000 00000000 00000000|> id=0x1 DEVICE_SET_IRQS data=00000000"})
    void tellsWhatAMessageSays(String message, String line) {
        assertThat(MessageText.of(received(message))).isEqualTo("   0.000001 " + line);
    }

    @Test
    void hasALineForAnyBytes() {
        Random random = new Random(1);
        for (int i = 0; i < 20_000; i++) {
            byte[] bytes = new byte[16 + random.nextInt(64)];
            random.nextBytes(bytes);
            bytes[2] = (byte) random.nextInt(20);
            bytes[3] = 0;
            assertThat(MessageText.of(new TraceRecord(0, TraceRecord.Kind.SENT, List.of(), bytes))).matches("[ -~]+");
        }
    }

    private static TraceRecord received(String hex, Descriptor... fds) {
        return new TraceRecord(1337, TraceRecord.Kind.RECEIVED, List.of(fds), HexFormat.of().parseHex(hex.replace(" ", "")));
    }

    private static byte[] written(TraceRecord record) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (TraceWriter writer = new TraceWriter(bytes, Instant.ofEpochSecond(1))) {
            writer.write(record);
        }
        return bytes.toByteArray();
    }

    private static TraceReader reader(byte[] bytes) throws IOException {
        return new TraceReader(new ByteArrayInputStream(bytes));
    }
}
