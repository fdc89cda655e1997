// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710.mailbox;

/// A descriptor of an admin queue.
///
/// @param flags see [Flags]
/// @param opcode of the command, 16 bits
/// @param length `datalen`: bytes in the buffer, 16 bits
/// @param retval number of a [ReturnCode]
/// @param cookieHigh of a message between functions, its virtchnl opcode
/// @param cookieLow of such a message, its virtchnl status
/// @param param0 as the command says
/// @param param1 as the command says
/// @param address of the buffer
public record Descriptor(int flags, int opcode, int length, int retval, int cookieHigh, int cookieLow, int param0, int param1,
        long address) {
    /// Whether all these flags are set.
    public boolean has(int bits) {
        return (flags & bits) == bits;
    }

    /// As the device hands it back.
    Descriptor completed(Outcome outcome) {
        int done = flags | Flags.DD | Flags.CMP;
        return new Descriptor(outcome.code() == ReturnCode.OK ? done & ~Flags.ERR : done | Flags.ERR, opcode,
            outcome.written() > 0 ? outcome.written() : length, outcome.code().code(), cookieHigh, cookieLow, outcome.param0(),
            outcome.param1(), outcome.address());
    }
}
