// SPDX-License-Identifier: Apache-2.0
package itest.iavf;

/** {@code struct iavf_aq_desc}: one message in an admin queue. */
final class AqDescLayout {
    static final int BYTES = 32;

    static final int FLAGS = 0;
    static final int OPCODE = 2;
    static final int DATALEN = 4;
    static final int RETVAL = 6;
    /** The virtchnl opcode. */
    static final int COOKIE_HIGH = 8;
    /** The virtchnl status. */
    static final int COOKIE_LOW = 12;
    static final int PARAM0 = 16;
    static final int ADDR_HIGH = 24;
    static final int ADDR_LOW = 28;

    static final int F_DD = 1;
    static final int F_CMP = 1 << 1;
    static final int F_ERR = 1 << 2;
    static final int F_LB = 1 << 9;
    static final int F_RD = 1 << 10;
    static final int F_BUF = 1 << 12;
    static final int F_SI = 1 << 13;

    /** {@code iavf_aqc_opc_queue_shutdown}. */
    static final int OP_QUEUE_SHUTDOWN = 0x0003;
    /** {@code iavf_aqc_opc_send_msg_to_pf}. */
    static final int OP_SEND_MSG_TO_PF = 0x0801;
    /** {@code iavf_aqc_opc_send_msg_to_vf}. */
    static final int OP_SEND_MSG_TO_VF = 0x0802;

    /** A buffer beyond this needs {@link #F_LB}. */
    static final int SMALL_BUFFER = 512;

    private AqDescLayout() {
    }
}
