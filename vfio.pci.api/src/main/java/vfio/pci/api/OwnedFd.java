// SPDX-License-Identifier: Apache-2.0
package vfio.pci.api;

import org.osgi.annotation.versioning.ProviderType;

/// A file descriptor with exactly one owner, who closes it. Passing one to a method that says it *takes* the descriptor
/// hands over the ownership, on every way out of that method, an exception included.
@ProviderType
public interface OwnedFd extends AutoCloseable {
    /// The descriptor's number, good until [#close()].
    ///
    /// @throws IllegalStateException when it was closed: the number may be somebody else's by now
    int number();

    /// Closes the descriptor; a second call has no effect. May be called by any thread.
    @Override
    void close();
}
