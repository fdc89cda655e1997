// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.device;

import java.io.ByteArrayOutputStream;
import java.lang.foreign.MemorySegment;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.migration.Migration;

/// A device's state as a client reads and writes it.
final class StateStream {
    private StateStream() {
    }

    /// Reads to the end, so many bytes at a time.
    static byte[] readAll(Migration migration, int bytes) throws VfioException {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        byte[] piece = new byte[bytes];
        int got;
        do {
            got = migration.read(MemorySegment.ofArray(piece), 0, piece.length);
            all.write(piece, 0, got);
        } while (got > 0);
        return all.toByteArray();
    }

    /// Reads before the copy's end, until there is nothing new.
    static byte[] readWhatIsThere(Migration migration) throws VfioException {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        byte[] piece = new byte[0x100];
        while (true) {
            try {
                all.write(piece, 0, migration.read(MemorySegment.ofArray(piece), 0, piece.length));
            } catch (VfioException e) {
                if (e.errno() == Errno.ENOMSG) {
                    return all.toByteArray();
                }
                throw e;
            }
        }
    }

    static void writeAll(Migration migration, byte[] stream) throws VfioException {
        migration.write(MemorySegment.ofArray(stream), 0, stream.length);
    }
}
