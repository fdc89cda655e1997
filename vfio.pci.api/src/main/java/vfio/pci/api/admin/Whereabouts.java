// SPDX-License-Identifier: Apache-2.0
package vfio.pci.api.admin;

/// Which devices of a virtual machine may be used after it was to be moved. Never two of them.
public enum Whereabouts {
    /// The machine runs, or goes on running, where it was.
    SOURCE,
    /// The machine runs on the other side; where it was it stays stopped until it is closed.
    DESTINATION,
    /// The source had given the machine away when the connection was lost: it stays stopped, and only the destination can say whether it
    /// runs there.
    UNKNOWN,
    /// The machine was not given away, and where it was a device has failed.
    NOWHERE
}
