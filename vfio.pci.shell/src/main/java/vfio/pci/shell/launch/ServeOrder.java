// SPDX-License-Identifier: Apache-2.0
package vfio.pci.shell.launch;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import vfio.pci.api.PciAddress;
import vfio.pci.api.VfioException;
import vfio.pci.api.admin.ServeAdmin;

/// A device that is to be served, and where.
record ServeOrder(String address, Place place) {
    /// What a place begins with that is a descriptor; a file of such a name can be written with a folder before it.
    private static final String DESCRIPTOR = "fd:";
    private static final int LAST_STANDARD_FD = 2;

    /// Where a client connects. Its text is for people.
    sealed interface Place {
        void serve(ServeAdmin transport, PciAddress address) throws VfioException;
    }

    /// A path, on which a socket is made.
    record Named(Path socket) implements Place {
        @Override
        public void serve(ServeAdmin transport, PciAddress address) throws VfioException {
            transport.serve(address, socket);
        }

        @Override
        public String toString() {
            return socket.toString();
        }
    }

    /// A listening socket that this process was started with.
    record Inherited(int descriptor) implements Place {
        @Override
        public void serve(ServeAdmin transport, PciAddress address) throws VfioException {
            transport.serve(address, descriptor);
        }

        @Override
        public String toString() {
            return "fd " + descriptor;
        }
    }

    /// @param text an address and a place in turn, each a line
    /// @throws IllegalArgumentException for anything but pairs of lines, a descriptor that is no number above 2, and one that is there
    ///     twice
    static List<ServeOrder> read(String text) {
        List<String> lines = text.lines().toList();
        if (lines.isEmpty() || lines.size() % 2 != 0) {
            throw new IllegalArgumentException("arguments=%d expected=ADDRESS SOCKET [ADDRESS SOCKET]...".formatted(lines.size()));
        }
        var orders = new ArrayList<ServeOrder>();
        Set<Place> descriptors = new HashSet<>();
        for (int i = 0; i < lines.size(); i += 2) {
            Place place = place(lines.get(i + 1));
            // Two owners of one descriptor would close it under each other; a path twice is refused when it is bound.
            if (place instanceof Inherited && !descriptors.add(place)) {
                throw new IllegalArgumentException("%s is there twice expected=a socket for each device".formatted(lines.get(i + 1)));
            }
            orders.add(new ServeOrder(lines.get(i), place));
        }
        return orders;
    }

    private static Place place(String text) {
        if (!text.startsWith(DESCRIPTOR)) {
            return new Named(Path.of(text).toAbsolutePath());
        }
        String number = text.substring(DESCRIPTOR.length());
        int descriptor = number.matches("[0-9]{1,9}") ? Integer.parseInt(number) : -1;
        if (descriptor <= LAST_STANDARD_FD) {
            throw new IllegalArgumentException("fd=%s expected=a number above %d".formatted(number, LAST_STANDARD_FD));
        }
        return new Inherited(descriptor);
    }
}
