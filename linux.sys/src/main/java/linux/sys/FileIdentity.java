// SPDX-License-Identifier: Apache-2.0
package linux.sys;

/// Which file a descriptor is of, and how it was opened: two descriptors of the same identity do the same where an offset is given with
/// each call. Good as long as one of them, or a mapping of the file, exists; then the number of the inode may be used again.
///
/// @param major of the device the file is on
/// @param minor of that device
/// @param inode its number there
/// @param flags access mode and status flags, as `F_GETFL` has them
public record FileIdentity(int major, int minor, long inode, int flags) {
}
