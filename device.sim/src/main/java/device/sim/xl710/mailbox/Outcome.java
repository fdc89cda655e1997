// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710.mailbox;

/// What became of a command.
///
/// @param code as the driver gets it
/// @param param0 goes into the descriptor
/// @param param1 goes into the descriptor
/// @param written bytes of the buffer that go back to the driver
public record Outcome(ReturnCode code, int param0, int param1, int written) {
    /// Nothing to say but this.
    public static Outcome of(Descriptor command, ReturnCode code) {
        return new Outcome(code, command.param0(), command.param1(), 0);
    }
}
