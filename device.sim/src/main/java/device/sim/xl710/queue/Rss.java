// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710.queue;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/// Distribution over the receive queues: the Toeplitz hash of addresses and ports, and the table from hash to queue. The hash is made from
/// tables of a byte's contribution at each place, which are computed when the key changes.
///
/// Guarded by the queues' lock.
final class Rss {
    /// Bytes of a key.
    static final int KEY = 52;
    /// Entries of the table.
    static final int TABLE = 64;

    /// Two addresses of IPv6 and two ports.
    private static final int MOST_INPUT = 36;
    private static final int BYTE_VALUES = 256;

    private final byte[] key = new byte[KEY];
    private final byte[] table = new byte[TABLE];
    private int mask;
    private long hena;
    private int[] contributions = new int[0];

    void reset() {
        set(new byte[KEY], new byte[TABLE], 0);
    }

    void set(byte[] newKey, byte[] newTable, long types) {
        Arrays.fill(key, (byte) 0);
        System.arraycopy(newKey, 0, key, 0, Math.min(newKey.length, KEY));
        Arrays.fill(table, (byte) 0);
        int entries = Integer.highestOneBit(Math.min(newTable.length, TABLE));
        System.arraycopy(newTable, 0, table, 0, entries);
        mask = Math.max(entries - 1, 0);
        hena = types;
        contributions = types == 0 ? new int[0] : contributions();
    }

    byte[] key() {
        return key.clone();
    }

    byte[] table() {
        return Arrays.copyOf(table, mask + 1);
    }

    long hena() {
        return hena;
    }

    /// Whether such packets are hashed.
    boolean hashes(PacketType type) {
        return (hena & type.hashedBy()) != 0;
    }

    /// The hash of a packet that was parsed.
    int hash(MemorySegment memory, FrameHeaders headers) {
        int hash = hash(memory, headers.addresses(), headers.addressBytes(), 0);
        return headers.type().ports() ? hash ^ hash(memory, headers.transport(), 4, headers.addressBytes()) : hash;
    }

    /// What some bytes contribute to a hash.
    ///
    /// @param place of the first one in what is hashed
    int hash(MemorySegment memory, long offset, int count, int place) {
        int hash = 0;
        for (int i = 0; i < count; i++) {
            hash ^= contributions[(place + i) * BYTE_VALUES + (memory.get(ValueLayout.JAVA_BYTE, offset + i) & 0xFF)];
        }
        return hash;
    }

    /// The queue for a hash.
    int queue(int hash) {
        return table[hash & mask] & QueuePairs.PAIRS - 1;
    }

    /// A set bit of the input contributes the 32 bits of the key that start at its place.
    private int[] contributions() {
        int[] all = new int[MOST_INPUT * BYTE_VALUES];
        for (int place = 0; place < MOST_INPUT; place++) {
            for (int bit = 0; bit < Byte.SIZE; bit++) {
                int window = keyBits(place * Byte.SIZE + bit);
                int value = 0x80 >>> bit;
                for (int i = 0; i < BYTE_VALUES; i++) {
                    if ((i & value) != 0) {
                        all[place * BYTE_VALUES + i] ^= window;
                    }
                }
            }
        }
        return all;
    }

    private int keyBits(int start) {
        long bits = 0;
        for (int i = 0; i < 5; i++) {
            bits = bits << Byte.SIZE | key[start / Byte.SIZE + i] & 0xFF;
        }
        return (int) (bits >>> Byte.SIZE - start % Byte.SIZE);
    }
}
