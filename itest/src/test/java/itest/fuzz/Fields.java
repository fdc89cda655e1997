// SPDX-License-Identifier: Apache-2.0
package itest.fuzz;

import itest.wire.Command;
import itest.wire.Message;
import java.util.random.RandomGenerator;

/** Where the fields of a message are, and what it takes to be wrong in one. */
final class Fields {
    private static final int[] HEADER = {0, 2, 2, 2, 4, 4, 8, 4, 12, 4};
    /** Offset in the payload and width, command by command. */
    private static final int[][] PAYLOAD = new int[Command.END][];
    private static final long[] TELLING = {0, 1, 2, 3, 4, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 0x7F, 0x80, 0xFF, 0xFFF, 0x1000, 0x1001,
        0x7FFF, 0x8000, 0xFFFF, 0x10000, 0xF_FFFF, 0x10_0000, 0x10_0001, 0x10_0010, 0x10_0020, 0x10_0021, 0x7FFF_FFFF, 0x8000_0000L,
        0xFFFF_F000L, 0xFFFF_FFFFL, 0x1_0000_0000L, 1L << 40, Long.MAX_VALUE, Long.MIN_VALUE, -0x1000, -1};

    static {
        PAYLOAD[Command.VERSION] = new int[] {0, 2, 2, 2};
        PAYLOAD[Command.DMA_MAP] = new int[] {0, 4, 4, 4, 8, 8, 16, 8, 24, 8};
        PAYLOAD[Command.DMA_UNMAP] = new int[] {0, 4, 4, 4, 8, 8, 16, 8};
        PAYLOAD[Command.DEVICE_GET_INFO] = new int[] {0, 4, 4, 4, 8, 4, 12, 4};
        PAYLOAD[Command.DEVICE_GET_REGION_INFO] = new int[] {0, 4, 4, 4, 8, 4, 12, 4, 16, 8, 24, 8};
        PAYLOAD[Command.DEVICE_GET_REGION_IO_FDS] = new int[] {0, 4, 4, 4, 8, 4, 12, 4};
        PAYLOAD[Command.DEVICE_GET_IRQ_INFO] = new int[] {0, 4, 4, 4, 8, 4, 12, 4};
        PAYLOAD[Command.DEVICE_SET_IRQS] = new int[] {0, 4, 4, 4, 8, 4, 12, 4, 16, 4};
        PAYLOAD[Command.REGION_READ] = new int[] {0, 8, 8, 4, 12, 4};
        PAYLOAD[Command.REGION_WRITE] = PAYLOAD[Command.REGION_READ];
        PAYLOAD[Command.DMA_READ] = new int[] {0, 8, 8, 8};
        PAYLOAD[Command.DMA_WRITE] = PAYLOAD[Command.DMA_READ];
        PAYLOAD[Command.REGION_WRITE_MULTI] = new int[] {0, 8, 8, 8, 16, 4, 20, 4, 32, 8, 40, 4, 44, 4};
        PAYLOAD[Command.DEVICE_FEATURE] = new int[] {0, 4, 4, 4};
        PAYLOAD[Command.MIG_DATA_READ] = PAYLOAD[Command.DEVICE_FEATURE];
        PAYLOAD[Command.MIG_DATA_WRITE] = PAYLOAD[Command.DEVICE_FEATURE];
    }

    private Fields() {
    }

    /** The message with one field changed, of its payload three times out of four. */
    static Outgoing changeOne(Outgoing message, RandomGenerator random) {
        int[] fields = message.command() < Command.END ? PAYLOAD[message.command()] : null;
        if (fields == null || random.nextInt(4) == 0) {
            return change(message, 0, HEADER, random);
        }
        return change(message, Message.HEADER, fields, random);
    }

    private static Outgoing change(Outgoing message, int base, int[] fields, RandomGenerator random) {
        int field = 2 * random.nextInt(fields.length / 2);
        int at = base + fields[field];
        int width = fields[field + 1];
        long now = message.number(at, width);
        return message.with(at, width, switch (random.nextInt(5)) {
            case 0 -> now ^ 1L << random.nextInt(8 * width);
            case 1 -> now + random.nextInt(-2, 3);
            case 2 -> random.nextLong();
            default -> telling(random);
        });
    }

    /** A number at which something is apt to begin or end. */
    static long telling(RandomGenerator random) {
        return TELLING[random.nextInt(TELLING.length)];
    }
}
