// SPDX-License-Identifier: Apache-2.0
package linux.sys;

/// Who connected a socket, as the kernel saw it at that moment (SO_PEERCRED).
///
/// @param pid the process, as numbered here; 0 when it is not visible from here
/// @param uid the effective user
/// @param gid the effective group
public record PeerCredentials(int pid, long uid, long gid) {
}
