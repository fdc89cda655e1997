// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710.queue;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.zip.CRC32;

/// The frame check sequence of Ethernet (IEEE 802.3, clause 3.2.9). Confined to the engine's thread.
final class FrameCheck {
    static final int BYTES = 4;

    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final CRC32 crc = new CRC32();
    private MemorySegment viewed = MemorySegment.NULL;
    private ByteBuffer view = ByteBuffer.allocate(0);

    /// Writes it behind a frame.
    void append(MemorySegment memory, long frame, int length) {
        if (viewed != memory) {
            viewed = memory;
            view = memory.asByteBuffer();
        }
        crc.reset();
        crc.update(view.limit((int) frame + length).position((int) frame));
        memory.set(INT, frame + length, (int) crc.getValue());
    }
}
