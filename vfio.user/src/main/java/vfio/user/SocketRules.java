// SPDX-License-Identifier: Apache-2.0
package vfio.user;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.UserPrincipalNotFoundException;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;

/// Who may connect.
///
/// @param mode permission bits of the socket
/// @param owner user, or user:group; empty for the server's own
/// @param uids whose processes are let in
record SocketRules(int mode, String owner, Set<Long> uids) {
    private static final long ROOT = 0;

    /// Owner only.
    static SocketRules standard() {
        return new SocketRules(0600, "", rootAndOwn());
    }

    /// Those of the configuration.
    ///
    /// @throws IllegalArgumentException when the mode is not octal
    static SocketRules of(VfioUserConfig config) {
        Set<Long> uids = config.allowedUids().length == 0 ? rootAndOwn()
            : Arrays.stream(config.allowedUids()).boxed().collect(Collectors.toSet());
        return new SocketRules(Integer.parseInt(config.socketMode(), 8) & 0777, config.socketOwner().strip(), uids);
    }

    private static Set<Long> rootAndOwn() {
        return Set.copyOf(List.of(ROOT, ownUid()));
    }

    /// Of this process, as the kernel says it.
    private static long ownUid() {
        try {
            return ((Integer) Files.getAttribute(Path.of("/proc/self"), "unix:uid")).longValue();
        } catch (IOException e) {
            return ROOT;
        }
    }

    boolean admits(long uid) {
        return uids.contains(uid);
    }

    /// Gives the socket its owner.
    ///
    /// @throws VfioException EPERM when this process may not, EINVAL for a name that nobody has
    void applyOwner(Path socket) throws VfioException {
        if (owner.isEmpty()) {
            return;
        }
        int colon = owner.indexOf(':');
        String user = colon < 0 ? owner : owner.substring(0, colon);
        try {
            var names = socket.getFileSystem().getUserPrincipalLookupService();
            if (!user.isEmpty()) {
                Files.setOwner(socket, names.lookupPrincipalByName(user));
            }
            if (colon >= 0) {
                Files.getFileAttributeView(socket, PosixFileAttributeView.class, LinkOption.NOFOLLOW_LINKS)
                    .setGroup(names.lookupPrincipalByGroupName(owner.substring(colon + 1)));
            }
        } catch (UserPrincipalNotFoundException e) {
            throw new VfioException(Errno.EINVAL, "owner=%s expected=a user, or user:group".formatted(owner));
        } catch (IOException e) {
            throw new VfioException(Errno.EPERM, "socket=%s owner=%s cannot be given: %s".formatted(socket, owner, e.getMessage()));
        }
    }
}
