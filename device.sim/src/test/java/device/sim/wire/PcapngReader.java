// SPDX-License-Identifier: Apache-2.0
package device.sim.wire;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// Reads a pcapng file block by block, as the draft describes it, and believes nothing.
final class PcapngReader {
    record Packet(String face, long nanos, int flags, byte[] frame) {
    }

    private final List<String> faces = new ArrayList<>();
    private final List<Packet> packets = new ArrayList<>();

    static List<Packet> read(Path path) throws IOException {
        PcapngReader reader = new PcapngReader();
        ByteBuffer file = ByteBuffer.wrap(Files.readAllBytes(path));
        check(file.getInt(0) == 0x0A0D0D0A, "section header");
        file.order(file.getInt(8) == 0x1A2B3C4D ? ByteOrder.BIG_ENDIAN : ByteOrder.LITTLE_ENDIAN);
        check(file.getInt(8) == 0x1A2B3C4D, "byte order magic");
        while (file.hasRemaining()) {
            int start = file.position();
            int type = file.getInt();
            int length = file.getInt();
            check(length % 4 == 0 && length >= 12 && length <= file.limit() - start, "block length");
            check(file.getInt(start + length - 4) == length, "second block length");
            reader.block(type, file.slice(start + 8, length - 12).order(file.order()));
            file.position(start + length);
        }
        return reader.packets;
    }

    private void block(int type, ByteBuffer body) {
        switch (type) {
            case 0x0A0D0D0A -> check(body.getShort(4) == 1 && body.getShort(6) == 0, "version");
            case 1 -> {
                check(body.getShort(0) == 1, "Ethernet");
                check(option(body.position(8), 9)[0] == 9, "nanoseconds");
                faces.add(new String(option(body.position(8), 2), StandardCharsets.UTF_8));
            }
            case 6 -> {
                byte[] frame = new byte[body.getInt(12)];
                check(body.getInt(16) == frame.length, "whole");
                body.get(20, frame);
                long nanos = (long) body.getInt(4) << 32 | body.getInt(8) & 0xFFFF_FFFFL;
                byte[] flags = option(body.position(20 + (frame.length + 3 & ~3)), 2);
                packets.add(new Packet(faces.get(body.getInt(0)), nanos, ByteBuffer.wrap(flags).order(body.order()).getInt(), frame));
            }
            default -> throw new AssertionError("block type " + type);
        }
    }

    private static byte[] option(ByteBuffer options, int wanted) {
        while (true) {
            int code = options.getShort();
            int length = options.getShort();
            check(code != 0, "option " + wanted);
            byte[] value = new byte[length];
            options.get(value);
            options.position(options.position() + (-length & 3));
            if (code == wanted) {
                return Arrays.copyOf(value, length);
            }
        }
    }

    private static void check(boolean holds, String what) {
        if (!holds) {
            throw new AssertionError("not a file with a right " + what);
        }
    }
}
