// SPDX-License-Identifier: Apache-2.0
package itest.fuzz;

import itest.wire.Command;
import itest.wire.Message;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLongArray;

/** How often each command succeeded and failed: a fuzzer that only meets the first check of a command finds nothing. */
final class Tally {
    private static final int[] SUCCEEDING = {Command.VERSION, Command.DMA_MAP, Command.DMA_UNMAP, Command.DEVICE_GET_INFO,
        Command.DEVICE_GET_REGION_INFO, Command.DEVICE_GET_REGION_IO_FDS, Command.DEVICE_GET_IRQ_INFO, Command.DEVICE_SET_IRQS,
        Command.REGION_READ, Command.REGION_WRITE, Command.DEVICE_RESET, Command.REGION_WRITE_MULTI};

    private final AtomicLongArray succeeded = new AtomicLongArray(Command.END);
    private final AtomicLongArray failed = new AtomicLongArray(Command.END);
    private final AtomicLongArray asked = new AtomicLongArray(Command.END);

    /** A reply, or a request of the server. */
    void add(Message came) {
        AtomicLongArray which = !came.isReply() ? asked : came.isError() ? failed : succeeded;
        which.incrementAndGet(Math.min(came.command(), Command.END - 1));
    }

    /** Fails where a command did not do both that often, or the server did not ask for memory. */
    void requireAtLeast(long least) {
        List<String> missing = new ArrayList<>();
        for (int command : SUCCEEDING) {
            if (succeeded.get(command) < least || failed.get(command) < least) {
                missing.add("command %d succeeded %d failed %d".formatted(command, succeeded.get(command), failed.get(command)));
            }
        }
        if (asked.get(Command.DMA_READ) < least || asked.get(Command.DMA_WRITE) < least) {
            missing.add("asked for memory");
        }
        if (!missing.isEmpty()) {
            throw new AssertionError("hardly met: " + missing + " of " + this);
        }
    }

    @Override
    public String toString() {
        return "succeeded=%s failed=%s asked=%s".formatted(succeeded, failed, asked);
    }
}
