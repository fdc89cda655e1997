// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710.mailbox;

import java.util.Arrays;
import java.util.Objects;

/// What the device sends its driver.
///
/// @param opcode of the descriptor, not 0: drivers stop reading there
/// @param cookieHigh of a message between functions, its virtchnl opcode
/// @param cookieLow of such a message, its virtchnl status
/// @param payload what goes into the buffer
public record Message(int opcode, int cookieHigh, int cookieLow, byte[] payload) {
    /// Copies the payload.
    public Message {
        payload = payload.clone();
    }

    @Override
    public byte[] payload() {
        return payload.clone();
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Message(int code, int high, int low, byte[] bytes) && code == opcode && high == cookieHigh
            && low == cookieLow && Arrays.equals(bytes, payload);
    }

    @Override
    public int hashCode() {
        return Objects.hash(opcode, cookieHigh, cookieLow, Arrays.hashCode(payload));
    }
}
