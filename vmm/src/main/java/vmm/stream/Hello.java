// SPDX-License-Identifier: Apache-2.0
package vmm.stream;

import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;

/// What the source says first: what is to be moved.
///
/// @param dryRun whether it only asks
/// @param memory the blocks, in order
/// @param devices in order, which is their index from here on
public record Hello(boolean dryRun, List<Block> memory, List<Device> devices) {
    /// A stream with a newer major version is refused.
    public static final int MAJOR = 1;
    /// Grows with what older readers may ignore.
    public static final int MINOR = 0;
    /// Bytes of a page.
    public static final int PAGE = 4096;
    /// Most devices of a machine.
    public static final int MOST_DEVICES = 64;
    /// Most blocks of its memory.
    public static final int MOST_BLOCKS = 64;
    /// Most bytes with which a device's state begins here.
    public static final int LONGEST_HEAD = 1 << 13;
    /// Bytes of the identity: vendor, device, revision, class, header type, subsystem, as configuration space has them.
    public static final int IDENTITY = 16;
    private static final int LONGEST_SLOT = 64;

    /// Copies the lists.
    public Hello {
        memory = List.copyOf(memory);
        devices = List.copyOf(devices);
    }

    /// A block of memory.
    ///
    /// @param iova where the devices see it
    /// @param size bytes
    public record Block(long iova, long size) {
        @Override
        public String toString() {
            return "0x%x+0x%x".formatted(iova, size);
        }
    }

    /// A device.
    ///
    /// @param slot its name in the machine
    /// @param identity what it is
    /// @param head how the stream of its state begins: whose it is, in the runtime's words
    public record Device(String slot, byte[] identity, byte[] head) {
        @Override
        public boolean equals(Object other) {
            return other instanceof Device that && slot.equals(that.slot) && Arrays.equals(identity, that.identity)
                && Arrays.equals(head, that.head);
        }

        @Override
        public int hashCode() {
            return Objects.hash(slot, Arrays.hashCode(identity), Arrays.hashCode(head));
        }
    }

    /// Writes it into a frame.
    public void encode(ByteBuffer out) {
        out.putShort((short) MAJOR).putShort((short) MINOR).putInt(PAGE).put((byte) (dryRun ? 1 : 0));
        out.putShort((short) memory.size());
        for (Block block : memory) {
            out.putLong(block.iova).putLong(block.size);
        }
        out.putShort((short) devices.size());
        for (Device device : devices) {
            byte[] name = device.slot.getBytes(StandardCharsets.US_ASCII);
            out.put((byte) name.length).put(name).put(device.identity).putShort((short) device.head.length).put(device.head);
        }
    }

    /// Reads it.
    ///
    /// @throws VfioException EPROTO for what is none, or of a newer major version
    public static Hello decode(ByteBuffer in) throws VfioException {
        try {
            int major = Short.toUnsignedInt(in.getShort());
            in.getShort();
            int page = in.getInt();
            if (major > MAJOR || page != PAGE) {
                throw new VfioException(Errno.EPROTO, "stream version=%d page=0x%x expected=at most %d, 0x%x".formatted(major, page, MAJOR,
                    PAGE));
            }
            boolean dryRun = in.get() != 0;
            List<Block> memory = new ArrayList<>();
            for (int left = count(in, MOST_BLOCKS, "blocks"); left > 0; left--) {
                memory.add(new Block(in.getLong(), in.getLong()));
            }
            List<Device> devices = new ArrayList<>();
            for (int left = count(in, MOST_DEVICES, "devices"); left > 0; left--) {
                String slot = new String(bytes(in, Byte.toUnsignedInt(in.get()), LONGEST_SLOT), StandardCharsets.US_ASCII);
                byte[] identity = bytes(in, IDENTITY, IDENTITY);
                devices.add(new Device(slot.replaceAll("[^\\x21-\\x7E]", "?"), identity,
                    bytes(in, Short.toUnsignedInt(in.getShort()), LONGEST_HEAD)));
            }
            return new Hello(dryRun, memory, devices);
        } catch (BufferUnderflowException e) {
            throw new VfioException(Errno.EPROTO, "hello is cut short expected=memory and devices");
        }
    }

    private static int count(ByteBuffer in, int most, String what) throws VfioException {
        int count = Short.toUnsignedInt(in.getShort());
        if (count > most) {
            throw new VfioException(Errno.EPROTO, "%s=%d expected=at most %d".formatted(what, count, most));
        }
        return count;
    }

    private static byte[] bytes(ByteBuffer in, int count, int most) throws VfioException {
        if (count > most) {
            throw new VfioException(Errno.EPROTO, "length=0x%x expected=at most 0x%x".formatted(count, most));
        }
        byte[] bytes = new byte[count];
        in.get(bytes);
        return bytes;
    }
}
