// SPDX-License-Identifier: Apache-2.0
package itest.iavf;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * What came from the PF.
 *
 * @param op virtchnl opcode
 * @param status virtchnl status, 0 for success
 * @param bytes payload
 */
public record AqMessage(int op, int status, byte[] bytes) {
    /** The payload, little-endian, from its beginning. */
    public ByteBuffer payload() {
        return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof AqMessage message && message.op == op && message.status == status && Arrays.equals(message.bytes, bytes);
    }

    @Override
    public int hashCode() {
        return 31 * (31 * op + status) + Arrays.hashCode(bytes);
    }

    @Override
    public String toString() {
        return "op=%d status=%d payload=0x%x".formatted(op, status, bytes.length);
    }
}
