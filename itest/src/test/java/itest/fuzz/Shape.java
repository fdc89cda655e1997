// SPDX-License-Identifier: Apache-2.0
package itest.fuzz;

import itest.wire.Command;
import itest.wire.Message;
import itest.wire.Payload;

/** Whether a message has the shape of its command: what has not must be refused, whatever the device. */
final class Shape {
    private static final int COUNT = Message.HEADER + 12;

    private Shape() {
    }

    /** @param message its beginning at least: header and structure */
    static boolean isWrong(Outgoing message) {
        long payload = message.size() - Message.HEADER;
        if ((message.flags() & Message.TYPE) != 0) {
            return true;
        }
        return switch (message.command()) {
            case Command.VERSION -> payload < 4;
            case Command.DMA_MAP -> payload != Payload.DMA_MAP || argszIsBelow(message, Payload.DMA_MAP);
            case Command.DMA_UNMAP -> payload < Payload.DMA_UNMAP || argszIsBelow(message, Payload.DMA_UNMAP);
            case Command.DEVICE_GET_INFO -> payload != Payload.DEVICE_INFO || argszIsBelow(message, Payload.DEVICE_INFO);
            case Command.DEVICE_GET_REGION_INFO -> payload != Payload.REGION_INFO || argszIsBelow(message, Payload.REGION_INFO);
            case Command.DEVICE_GET_REGION_IO_FDS -> payload != Payload.REGION_IO_FDS || argszIsBelow(message, Payload.REGION_IO_FDS);
            case Command.DEVICE_GET_IRQ_INFO -> payload != Payload.IRQ_INFO || argszIsBelow(message, Payload.IRQ_INFO);
            case Command.DEVICE_SET_IRQS -> payload < Payload.IRQ_SET || argszIsBelow(message, Payload.IRQ_SET);
            case Command.REGION_READ -> payload != Payload.REGION_ACCESS;
            case Command.REGION_WRITE -> payload < Payload.REGION_ACCESS
                || payload != Payload.REGION_ACCESS + message.number(COUNT, Integer.BYTES);
            case Command.DEVICE_RESET -> payload != 0;
            case Command.REGION_WRITE_MULTI -> payload < Payload.WRITE_MULTI + Payload.WRITE_ENTRY
                || (payload - Payload.WRITE_MULTI) % Payload.WRITE_ENTRY != 0
                || (payload - Payload.WRITE_MULTI) / Payload.WRITE_ENTRY != message.number(Message.HEADER, Long.BYTES);
            case Command.DEVICE_FEATURE -> payload < Payload.FEATURE || argszIsBelow(message, Payload.FEATURE);
            case Command.MIG_DATA_READ, Command.MIG_DATA_WRITE -> payload < Payload.MIG_DATA;
            default -> true;
        };
    }

    private static boolean argszIsBelow(Outgoing message, int size) {
        return message.number(Message.HEADER, Integer.BYTES) < size;
    }
}
