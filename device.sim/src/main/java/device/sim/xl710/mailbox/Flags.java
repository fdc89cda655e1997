// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710.mailbox;

/// Bits of a descriptor's flags. Names: `I40E_AQ_FLAG_*`.
public final class Flags {
    /// The device is done with the descriptor.
    public static final int DD = 1;
    /// Completed.
    public static final int CMP = 1 << 1;
    /// Completed with an error, which `retval` names.
    public static final int ERR = 1 << 2;
    /// The buffer is larger than [Flags#SMALL_BUFFER].
    public static final int LB = 1 << 9;
    /// The device reads the buffer.
    public static final int RD = 1 << 10;
    /// There is a buffer.
    public static final int BUF = 1 << 12;
    /// No interrupt on completion.
    public static final int SI = 1 << 13;

    /// Most bytes of a buffer that needs no LB.
    public static final int SMALL_BUFFER = 512;
    /// Most bytes of a buffer.
    public static final int LARGEST_BUFFER = 4096;

    private Flags() {
    }
}
