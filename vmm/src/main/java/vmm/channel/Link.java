// SPDX-License-Identifier: Apache-2.0
package vmm.channel;

import vfio.pci.api.VfioException;

/// A connection. One thread writes and one reads at a time; closing, by any thread, ends both.
public interface Link extends AutoCloseable {
    /// Writes all of it.
    ///
    /// @throws VfioException ETIMEDOUT when the other side takes nothing for longer than this link waits; EPIPE or ECONNRESET when it has
    ///     gone; EBADF after [#close()]
    void write(byte[] bytes, int offset, int count) throws VfioException;

    /// Reads all of it.
    ///
    /// @throws VfioException ECONNRESET at the end of the stream; else as [#write]
    void read(byte[] bytes, int offset, int count) throws VfioException;

    /// Who is there, for people.
    String peer();

    /// Disconnects. What was written is still sent, as far as the system can.
    @Override
    void close();
}
