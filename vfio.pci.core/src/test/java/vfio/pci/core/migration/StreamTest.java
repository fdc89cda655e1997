// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.migration;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import vfio.pci.api.Errno;
import vfio.pci.api.PciId;
import vfio.pci.api.VfioException;
import vfio.pci.api.migration.StateSection;
import vfio.pci.api.migration.StateVersion;
import vfio.pci.core.VfioErrors;

class StreamTest {
    private static final PciId VF = new PciId(0x8086, 0x154C, 0x020000, 2, 0x8086, 0);
    private static final StreamHeader OWN = header(VF, "i40e", 2, Map.of("queues", "4"));
    private static final long LONGEST = 0x10_0000;
    private static final List<StateSection> SECTIONS = List.of(new StateSection("config", 1, bytes(0x100)),
        new StateSection("empty", 0, new byte[0]), new StateSection("rings", 7, bytes(0x1234)));

    private static StreamHeader header(PciId id, String mediator, int major, Map<String, String> configuration) {
        return StreamHeader.of(id, mediator, new StateVersion(major, 3), configuration);
    }

    private static byte[] bytes(int count) {
        byte[] bytes = new byte[count];
        new Random(count).nextBytes(bytes);
        return bytes;
    }

    private static byte[] stream(StreamHeader header, List<StateSection> sections) {
        StreamWriter writer = new StreamWriter(header);
        sections.forEach(writer::section);
        writer.end();
        return drain(writer, 0x333);
    }

    private static byte[] drain(StreamWriter writer, int most) {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        byte[] piece = new byte[most];
        int got;
        do {
            got = writer.take(MemorySegment.ofArray(piece), 0, most);
            all.write(piece, 0, got);
        } while (got > 0);
        return all.toByteArray();
    }

    private static StreamReader read(byte[] stream, int piece) throws VfioException {
        StreamReader reader = new StreamReader(OWN, LONGEST);
        for (int at = 0; at < stream.length; at += piece) {
            reader.put(MemorySegment.ofArray(stream), at, Math.min(piece, stream.length - at));
        }
        return reader;
    }

    private static VfioException refused(byte[] stream) {
        return VfioErrors.of(() -> read(stream, 0x100).sections());
    }

    @Test
    void refusesStateOfAnotherDeviceMediatorVersionOrConfiguration() {
        PciId other = new PciId(0x8086, 0x1889, 0x020000, 2, 0x8086, 0);
        assertThat(refused(stream(header(other, "i40e", 2, Map.of("queues", "4")), SECTIONS))).hasMessageContaining("8086:1889")
            .hasMessageContaining("8086:154c");
        assertThat(refused(stream(header(VF, "ice", 2, Map.of("queues", "4")), SECTIONS))).hasMessageContaining("mediator=ice");
        assertThat(refused(stream(header(VF, "i40e", 3, Map.of("queues", "4")), SECTIONS))).hasMessageContaining("version=3.3");
        assertThat(refused(stream(header(VF, "i40e", 2, Map.of("queues", "2")), SECTIONS))).hasMessageContaining("queues=2");
        assertThat(refused(stream(header(VF, "i40e", 2, Map.of()), SECTIONS)).errno()).isEqualTo(Errno.EINVAL);
    }

    @Test
    void refusesEveryCut() {
        byte[] whole = stream(OWN, SECTIONS);
        for (int length = 1; length < whole.length; length++) {
            byte[] cut = Arrays.copyOf(whole, length);
            assertThat(refused(cut).errno()).as("cut at 0x%x", length).isEqualTo(Errno.EINVAL);
        }
    }

    @Test
    void refusesEveryAlteredByte() {
        byte[] whole = stream(OWN, SECTIONS.subList(0, 2));
        for (int at = 0; at < whole.length; at++) {
            byte[] altered = whole.clone();
            altered[at] ^= (byte) 0x10;
            assertThat(refused(altered).errno()).as("altered at 0x%x", at).isIn(Errno.EINVAL, Errno.ENOSPC);
        }
    }

    @Test
    void refusesSectionsOutOfOrderLeftOutOrRepeated() {
        byte[] whole = stream(OWN, SECTIONS.subList(0, 2));
        int head = stream(OWN, List.of()).length - StreamFormat.END_BYTES - StreamFormat.CHECKSUM_BYTES;
        int first = StreamFormat.SECTION_BYTES + "config".length() + 0x100 + StreamFormat.CHECKSUM_BYTES;
        int second = StreamFormat.SECTION_BYTES + "empty".length() + StreamFormat.CHECKSUM_BYTES;
        byte[] header = Arrays.copyOf(whole, head);
        byte[] one = Arrays.copyOfRange(whole, head, head + first);
        byte[] two = Arrays.copyOfRange(whole, head + first, head + first + second);
        byte[] end = Arrays.copyOfRange(whole, head + first + second, whole.length);
        assertThat(VfioErrors.of(() -> read(join(header, two, one, end), 1)).errno()).isEqualTo(Errno.EINVAL);
        assertThat(VfioErrors.of(() -> read(join(header, one, end), 1)).errno()).isEqualTo(Errno.EINVAL);
        assertThat(VfioErrors.of(() -> read(join(header, one, one, two, end), 1)).errno()).isEqualTo(Errno.EINVAL);
        assertThat(VfioErrors.of(() -> read(join(header, one, two, end, end), 1))).hasMessageContaining("after its end");
    }

    private static byte[] join(byte[]... parts) {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        for (byte[] part : parts) {
            all.writeBytes(part);
        }
        return all.toByteArray();
    }

    @Test
    void refusesMoreThanItTakesBeforeItCame() throws VfioException {
        byte[] whole = stream(OWN, List.of(new StateSection("huge", 0, new byte[(int) LONGEST])));
        StreamReader reader = new StreamReader(OWN, LONGEST);
        VfioException error = VfioErrors.of(() -> reader.put(MemorySegment.ofArray(whole), 0, 0x200));
        assertThat(error.errno()).isEqualTo(Errno.ENOSPC);
        assertThat(VfioErrors.of(() -> reader.put(MemorySegment.ofArray(whole), 0x200, 1))).hasMessageContaining("refused before");
        assertThat(VfioErrors.of(reader::sections).errno()).isEqualTo(Errno.EINVAL);
    }

    @Test
    void givesBackWhatWasPutIn() throws VfioException {
        byte[] whole = stream(OWN, SECTIONS);
        for (int piece : new int[] {1, 7, 0x100, whole.length}) {
            StreamReader reader = read(whole, piece);
            assertThat(reader.sections()).isEqualTo(SECTIONS);
            assertThat(reader.version()).isEqualTo(new StateVersion(2, 3));
        }
    }

    @Test
    void takesStateOfAnOlderMajorVersion() throws VfioException {
        StreamReader reader = read(stream(header(VF, "i40e", 1, Map.of("queues", "4")), SECTIONS), 0x100);
        assertThat(reader.version()).isEqualTo(new StateVersion(1, 3));
        assertThat(reader.sections()).isEqualTo(SECTIONS);
    }

    @Test
    void isAsItIsDescribed() {
        byte[] whole = stream(OWN, List.of(new StateSection("x", 1, new byte[] {(byte) 0xAB})));
        String hex = HexFormat.of().formatHex(whole);
        assertThat(hex).startsWith("56464d53" + "0100" + "0000" + "1b000000"
            + "8680" + "4c15" + "0200" + "0300" + "0400" + "69343065" + "0100" + "0600" + "717565756573" + "0100" + "34");
        assertThat(hex).contains("53454354" + "00000000" + "0100" + "0100" + "01000000" + "78" + "ab");
        assertThat(hex).contains("454e4420" + "01000000");
    }

    @Test
    void tellsWhatWaits() {
        StreamWriter writer = new StreamWriter(OWN);
        long header = writer.waiting();
        assertThat(writer.take(MemorySegment.ofArray(new byte[8]), 0, 8)).isEqualTo(8);
        assertThat(writer.waiting()).isEqualTo(header - 8);
        assertThat(drain(writer, 0x1000)).hasSize((int) header - 8);
        assertThat(writer.take(MemorySegment.ofArray(new byte[8]), 0, 8)).isZero();
    }
}
