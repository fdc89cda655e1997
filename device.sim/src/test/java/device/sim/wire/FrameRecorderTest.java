// SPDX-License-Identifier: Apache-2.0
package device.sim.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.BitSet;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import vfio.pci.api.VfioException;

class FrameRecorderTest {
    private static final long A = 0x5254_0000_0001L;
    private static final long B = 0x5254_0000_0002L;
    private static final int INBOUND = 1;
    private static final int OUTBOUND = 2;

    @TempDir
    private Path folder;

    private final Switch wire = new Switch(2);
    private final MemorySegment memory = Arena.ofAuto().allocate(16384, 8);

    @BeforeEach
    void open() {
        for (int i = 0; i < 2; i++) {
            wire.port(i).open(() -> { });
            wire.port(i).defaultAddress(A + i);
        }
    }

    private static BitSet all() {
        BitSet which = new BitSet();
        which.set(0, 3);
        return which;
    }

    private static byte[] frame(long to, long from, int length) {
        byte[] frame = new byte[length];
        for (int i = 0; i < length; i++) {
            frame[i] = (byte) (i * 3);
        }
        for (int i = 0; i < 6; i++) {
            frame[i] = (byte) (to >>> 40 - 8 * i);
            frame[6 + i] = (byte) (from >>> 40 - 8 * i);
        }
        return frame;
    }

    private void send(byte[] frame, int tag) {
        MemorySegment.copy(MemorySegment.ofArray(frame), 0, memory, 8, frame.length);
        wire.port(0).transmit(memory, 8, frame.length, tag);
    }

    @Test
    void writesWhatPasses() throws Exception {
        Path path = folder.resolve("all.pcapng");
        long before = System.currentTimeMillis() * 1_000_000;
        wire.startRecording(path, 1 << 20, all());
        send(frame(B, A, 61), Ethernet.UNTAGGED);
        send(frame(B, A, 9728), 0x2007);
        Recording recording = wire.stopRecording().orElseThrow();
        List<PcapngReader.Packet> packets = PcapngReader.read(path);
        assertThat(packets).extracting(PcapngReader.Packet::face).containsExactly("vf0", "vf1", "vf0", "vf1");
        assertThat(packets).extracting(PcapngReader.Packet::flags).containsExactly(INBOUND, OUTBOUND, INBOUND, OUTBOUND);
        assertThat(packets.get(1).frame()).isEqualTo(frame(B, A, 61));
        assertThat(packets.get(3).frame()).hasSize(9732).containsSequence(0x81, 0x00, 0x20, 0x07);
        assertThat(packets.get(0).nanos()).isBetween(before, before + 60_000_000_000L);
        assertThat(recording).isEqualTo(new Recording(path, 4, 0, Files.size(path), false));
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(path))).isEqualTo("rw-------");
    }

    @Test
    void recordsOnlyThePortsThatAreAskedFor() throws Exception {
        Path path = folder.resolve("one.pcapng");
        BitSet which = new BitSet();
        which.set(1);
        wire.startRecording(path, 1 << 20, which);
        send(frame(B, A, 60), Ethernet.UNTAGGED);
        wire.stopRecording();
        assertThat(PcapngReader.read(path)).extracting(PcapngReader.Packet::face).containsExactly("vf1");
    }

    @Test
    void staysBelowTheSize() throws Exception {
        Path path = folder.resolve("small.pcapng");
        wire.startRecording(path, 10_000, all());
        for (int i = 0; i < 20; i++) {
            send(frame(B, A, 1000), Ethernet.UNTAGGED);
        }
        Recording recording = wire.stopRecording().orElseThrow();
        assertThat(recording.full()).isTrue();
        assertThat(recording.bytes()).isEqualTo(Files.size(path)).isBetween(9000L, 10_000L);
        assertThat(recording.frames() + recording.dropped()).isEqualTo(40);
        assertThat(PcapngReader.read(path)).hasSize((int) recording.frames());
    }

    @Test
    void overwritesNothingAndRecordsOnceAtATime() throws Exception {
        Path there = Files.createFile(folder.resolve("there"));
        assertThatThrownBy(() -> wire.startRecording(there, 1000, all())).isInstanceOf(FileAlreadyExistsException.class);
        assertThat(wire.stopRecording()).isEmpty();
        wire.startRecording(folder.resolve("first"), 1000, all());
        assertThatThrownBy(() -> wire.startRecording(folder.resolve("second"), 1000, all())).isInstanceOf(VfioException.class);
        assertThat(wire.stopRecording()).isPresent();
        assertThat(folder.resolve("second")).doesNotExist();
    }

    @Test
    void endsItsThread() throws IOException, VfioException, InterruptedException {
        wire.startRecording(folder.resolve("thread"), 1000, all());
        assertThat(recorders()).isEqualTo(1);
        wire.stopRecording();
        assertThat(recorders()).isZero();
    }

    private static long recorders() {
        return Thread.getAllStackTraces().keySet().stream().filter(thread -> thread.getName().equals("frame-recorder")).count();
    }
}
