// SPDX-License-Identifier: Apache-2.0
package vfio.user.session;

import java.io.BufferedReader;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;
import linux.sys.Fd;
import linux.sys.FileIdentity;
import linux.sys.UnixSocket;
import vfio.pci.api.OwnedFd;
import vfio.pci.api.VfioException;

/// Finds out whether the file a client sent for its guest's memory is what the guest sees. A VMM that maps it privately (QEMU without
/// `share=on`) sends a file all the same: its guest and the device then each have a memory of their own, and nobody fails. The client's
/// `/proc/PID/maps` tells, if it may be read; if not, nothing is said.
final class PrivateMemory {
    private static final Logger LOG = System.getLogger(PrivateMemory.class.getName());
    /// Files of a client that are looked at.
    private static final int MOST_FILES = 8;

    private final Host host;
    private final UnixSocket socket;
    private final String client;
    /// Of the turn.
    private final Set<FileIdentity> seen = new HashSet<>();
    private volatile boolean told;

    /// @param socket the client's
    /// @param client name shown to people
    PrivateMemory(Host host, UnixSocket socket, String client) {
        this.host = host;
        this.socket = socket;
        this.client = client;
    }

    /// A file came that the device may write to. In a turn; what takes time is left to a worker.
    void look(OwnedFd file) throws VfioException {
        if (!told && seen.size() < MOST_FILES) {
            FileIdentity identity = Fd.identity(file);
            if (seen.add(identity)) {
                host.workers().execute(() -> look(identity));
            }
        }
    }

    private void look(FileIdentity file) {
        try {
            int pid = socket.peer().pid();
            if (pid > 0 && isPrivate(Path.of("/proc", Integer.toString(pid), "maps"), file) && !told) {
                told = true;
                LOG.log(Level.WARNING, "device={0} client={1}: the guest and the device do not see each other''s writes: the client"
                    + " maps the file it sent (inode={2}) privately; expected=shared memory, with QEMU share=on at the memory backend",
                    host.address(), client, Long.toString(file.inode()));
            }
        } catch (VfioException | IOException e) {
            LOG.log(Level.DEBUG, "device={0} client={1}: whether its memory is shared cannot be told: {2}", host.address(), client,
                e.getMessage());
        }
    }

    /// Whether there are mappings of the file and none of them is shared.
    private static boolean isPrivate(Path maps, FileIdentity file) throws IOException {
        String device = "%02x:%02x".formatted(file.major(), file.minor());
        String inode = Long.toString(file.inode());
        boolean found = false;
        try (BufferedReader lines = Files.newBufferedReader(maps, StandardCharsets.ISO_8859_1)) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                // address, permissions, offset, device, inode, path
                String[] fields = line.split(" +", 6);
                if (fields.length >= 5 && fields[3].equals(device) && fields[4].equals(inode)) {
                    if (fields[1].endsWith("s")) {
                        return false;
                    }
                    found = true;
                }
            }
        }
        return found;
    }
}
