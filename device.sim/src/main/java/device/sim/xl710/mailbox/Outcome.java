// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710.mailbox;

/// What became of a command.
///
/// @param code as the driver gets it
/// @param param0 goes into the descriptor
/// @param param1 goes into the descriptor
/// @param address goes into the descriptor: that of the buffer, unless a command without one answers there too
/// @param written bytes of the buffer that go back to the driver
public record Outcome(ReturnCode code, int param0, int param1, long address, int written) {
    /// Nothing to say but this.
    public static Outcome of(Descriptor command, ReturnCode code) {
        return new Outcome(code, command.param0(), command.param1(), command.address(), 0);
    }

    /// Done, with a number to tell and bytes to hand back.
    public static Outcome done(Descriptor command, int param1, int written) {
        return new Outcome(ReturnCode.OK, command.param0(), param1, command.address(), written);
    }
}
