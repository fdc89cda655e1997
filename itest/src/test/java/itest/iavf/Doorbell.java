// SPDX-License-Identifier: Apache-2.0
package itest.iavf;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.VarHandle;
import vfio.pci.api.VfioException;
import vfio.pci.api.device.RegionIndex;
import vfio.user.wire.client.VfioUserClient;

/** A tail register. What was written to memory before it is rung is there for the device. */
sealed interface Doorbell {
    /** Writes the register. */
    void ring(int value) throws VfioException;

    /** Writes the register, and returns when the device has the value. */
    void ringAndWait(int value) throws VfioException;

    /** In a page that is mapped here: a store, which the device sees by itself. */
    record Mapped(MemorySegment page, long offset) implements Doorbell {
        @Override
        public void ring(int value) {
            // volatile, as the device that is about to sleep is one that just looked
            Le.REGISTER.setVolatile(page, offset, value);
        }

        @Override
        public void ringAndWait(int value) {
            ring(value);
        }
    }

    /** By a message that nobody answers, as VMMs post writes. */
    record Posted(VfioUserClient client, long offset, MemorySegment buffer) implements Doorbell {
        Posted(VfioUserClient client, long offset) {
            this(client, offset, Arena.ofAuto().allocate(Integer.BYTES));
        }

        @Override
        public void ring(int value) throws VfioException {
            buffer.set(Le.U32, 0, value);
            VarHandle.releaseFence();
            synchronized (client) {
                client.post(RegionIndex.BAR0, offset, buffer, 0, Integer.BYTES);
            }
        }

        @Override
        public void ringAndWait(int value) throws VfioException {
            buffer.set(Le.U32, 0, value);
            VarHandle.releaseFence();
            synchronized (client) {
                client.write(RegionIndex.BAR0, offset, buffer, 0, Integer.BYTES);
            }
        }
    }
}
