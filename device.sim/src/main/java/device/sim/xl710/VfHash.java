// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710;

import device.sim.xl710.engine.Task;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/// Hands the hash registers to the queues when they changed. Run by the engine, and by whoever stops it. The function's lock guards the
/// mark.
final class VfHash implements Task {
    private final VfModel function;
    private boolean changed;

    VfHash(VfModel function) {
        this.function = function;
    }

    void changedLocked() {
        changed = true;
    }

    /// What was written before counts no more.
    void forgetLocked() {
        changed = false;
    }

    @Override
    public boolean run() {
        byte[] key;
        byte[] table;
        byte[] types;
        synchronized (function.guard()) {
            if (!changed) {
                return false;
            }
            changed = false;
            key = function.registers().bytes(VfRegister.VFQF_HKEY);
            table = function.registers().bytes(VfRegister.VFQF_HLUT);
            types = function.registers().bytes(VfRegister.VFQF_HENA);
        }
        function.queues().rss(key, table, ByteBuffer.wrap(types).order(ByteOrder.LITTLE_ENDIAN).getLong());
        return true;
    }
}
