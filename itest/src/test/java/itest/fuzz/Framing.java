// SPDX-License-Identifier: Apache-2.0
package itest.fuzz;

import itest.wire.Command;
import itest.wire.Message;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.Optional;

/** What a server has to make of a client's bytes: which replies it owes, in which order, and whether it has to hang up. */
final class Framing {
    /** A header, the structure of an access, and 1 MiB of data. */
    private static final int LONGEST = 16 + 16 + (1 << 20);
    private static final int START = 64;

    /**
     * A reply that is owed.
     *
     * @param longest payload it may have
     * @param error whether it has to be an error
     */
    record Owed(int id, int command, long longest, boolean error) {
    }

    private final Deque<Owed> owed = new ArrayDeque<>();
    /** The beginning of the message that is not complete, as much as tells what it is. */
    private final byte[] start = new byte[START];
    private long seen;
    private boolean broken;

    /** Takes bytes in that were sent. */
    void add(byte[] bytes) {
        int at = 0;
        while (at < bytes.length && !broken) {
            long size = seen < Message.HEADER ? Message.HEADER : begun().size();
            int part = (int) Math.min(size - seen, bytes.length - at);
            for (int i = 0; i < part && seen + i < START; i++) {
                start[(int) seen + i] = bytes[at + i];
            }
            seen += part;
            at += part;
            if (seen == Message.HEADER) {
                broken = begun().size() < Message.HEADER || begun().size() > LONGEST;
            }
            if (!broken && seen >= Message.HEADER && seen == begun().size()) {
                end();
            }
        }
    }

    private Outgoing begun() {
        return new Outgoing(start, List.of());
    }

    private void end() {
        Outgoing message = begun();
        boolean reply = (message.flags() & Message.TYPE) == Message.REPLY;
        if (!reply && (message.flags() & Message.NO_REPLY) == 0) {
            owed.add(new Owed(message.id(), message.command(), longest(message), Shape.isWrong(message)));
        }
        seen = 0;
        Arrays.fill(start, (byte) 0);
    }

    /** The protocol's sizes; never more than was asked for. */
    private static long longest(Outgoing message) {
        long argsz = message.number(Message.HEADER, Integer.BYTES);
        return switch (message.command()) {
            case Command.VERSION -> 214 - Message.HEADER;
            case Command.DMA_UNMAP -> 24;
            case Command.DEVICE_GET_INFO, Command.DEVICE_GET_IRQ_INFO -> Math.min(16, argsz);
            case Command.DEVICE_GET_REGION_INFO, Command.DEVICE_GET_REGION_IO_FDS, Command.DEVICE_FEATURE, Command.MIG_DATA_READ -> argsz;
            case Command.REGION_READ -> 16 + message.number(Message.HEADER + 12, Integer.BYTES);
            case Command.REGION_WRITE -> 16;
            case Command.REGION_WRITE_MULTI -> 8;
            default -> 0;
        };
    }

    /** The reply that has to come next. */
    Optional<Owed> next() {
        return Optional.ofNullable(owed.poll());
    }

    /** Whether all are there. */
    boolean isSettled() {
        return owed.isEmpty();
    }

    /** What is missing. */
    String missing() {
        return owed.size() + " replies, first " + owed.peek();
    }

    /** Whether a size came that no message has. */
    boolean isBroken() {
        return broken;
    }
}
