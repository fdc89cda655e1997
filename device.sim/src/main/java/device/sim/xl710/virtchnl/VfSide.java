// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710.virtchnl;

/// What messages reach of a virtual function besides its queues and its port. Called on the engine's thread with no lock held.
public interface VfSide {
    /// Sets the hash key, as 13 registers VFQF_HKEY.
    void hashKey(byte[] key);

    /// Sets the hash look-up table, as 16 registers VFQF_HLUT.
    void hashTable(byte[] table);

    /// Sets the hashed packet types, as VFQF_HENA.
    void hashedTypes(long types);

    /// Resets the function.
    ///
    /// @param announced whether the driver is to read the messages that wait first, if it does so soon
    void reset(boolean announced);
}
