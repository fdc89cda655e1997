// SPDX-License-Identifier: Apache-2.0
package device.sim.wire;

import java.nio.file.Path;

/// What a recording came to.
///
/// @param path the file
/// @param frames how many are in it
/// @param dropped frames that are not, because they came too fast or the file was full
/// @param bytes of the file
/// @param full whether the file reached the most it might have
public record Recording(Path path, long frames, long dropped, long bytes, boolean full) {
}
