// SPDX-License-Identifier: Apache-2.0
package vfio.user.wire.client;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import linux.sys.Mapping;
import linux.sys.ReceivedFds;
import linux.sys.UnixSocket;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;

/// The second socket of a connection, on which the server asks and the client answers, on a thread of its own.
final class TwinSocket implements AutoCloseable {
    private static final Logger LOG = System.getLogger(TwinSocket.class.getName());
    private static final int[] NO_FDS = {};

    private final MessageSocket wire;
    private final DmaMemory memory;
    private final Mapping in;
    private final Mapping out;
    private final Thread thread;

    /// @param socket taken, also when this throws
    TwinSocket(UnixSocket socket, DmaMemory memory) throws VfioException {
        this.memory = memory;
        wire = new MessageSocket(socket, Channel.LONGEST);
        Mapping first = null;
        Mapping second = null;
        try {
            first = Mapping.anonymous(Channel.LONGEST);
            second = Mapping.anonymous(Channel.LONGEST);
        } finally {
            if (second == null) {
                wire.close();
                if (first != null) {
                    first.close();
                }
            }
        }
        in = first;
        out = second;
        thread = Thread.ofPlatform().daemon().name("vfio-user-client-twin").start(this::run);
    }

    private void run() {
        ReceivedFds fds = new ReceivedFds();
        try (in; out) {
            while (true) {
                int size = wire.receive(in.memory(), fds, MessageSocket.NEVER);
                fds.clear();
                int answer = memory.answer(in.memory(), size, out.memory());
                if (answer > 0) {
                    wire.send(out.memory(), answer, NO_FDS, MessageSocket.NEVER);
                }
            }
        } catch (VfioException e) {
            if (e.errno() != Errno.ECONNRESET && e.errno() != Errno.EBADF) {
                LOG.log(Level.WARNING, "twin socket: {0}", e);
            }
        } finally {
            fds.clear();
        }
    }

    /// Ends the thread, and waits for it.
    @Override
    public void close() {
        wire.close();
        boolean interrupted = false;
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
