// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710;

import device.sim.xl710.virtchnl.VfSide;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/// What a driver does by messages. Called by the engine.
final class VfMessageEffects implements VfSide {
    private final VfModel function;

    VfMessageEffects(VfModel function) {
        this.function = function;
    }

    @Override
    public void hashKey(byte[] key) {
        synchronized (function.guard()) {
            function.registers().bytes(VfRegister.VFQF_HKEY, key);
        }
    }

    @Override
    public void hashTable(byte[] table) {
        synchronized (function.guard()) {
            function.registers().bytes(VfRegister.VFQF_HLUT, table);
        }
    }

    @Override
    public void hashedTypes(long types) {
        synchronized (function.guard()) {
            function.registers().bytes(VfRegister.VFQF_HENA,
                ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN).putLong(types).array());
        }
    }

    @Override
    public void reset(boolean announced) {
        synchronized (function.guard()) {
            if (announced) {
                function.resetState().announceLocked();
            } else if (!function.resetState().underWayLocked()) {
                function.resetState().beginLocked(VfReset.Origin.MESSAGE);
            }
        }
    }
}
