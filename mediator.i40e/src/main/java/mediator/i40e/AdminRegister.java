// SPDX-License-Identifier: Apache-2.0
package mediator.i40e;

/// The registers of a physical function's admin queue for commands, all in BAR 0. Source: `i40e_register.h` of Intel's Linux driver, whose
/// names these are.
enum AdminRegister {
    /// Base, lower half.
    PF_ATQBAL(0x80000),
    /// Base, upper half.
    PF_ATQBAH(0x80100),
    /// Length, enable and errors.
    PF_ATQLEN(0x80200),
    /// What the device works on next.
    PF_ATQH(0x80300),
    /// Where the driver puts its next command.
    PF_ATQT(0x80400);

    /// Index of the BAR.
    static final int BAR = 0;
    /// Bit of PF_ATQLEN: the queue is on.
    static final int ATQENABLE = 1 << 31;
    /// Bits of PF_ATQLEN: the queue cannot be worked with.
    static final int ERRORS = 0x7000_0000;

    private final int offset;

    AdminRegister(int offset) {
        this.offset = offset;
    }

    int offset() {
        return offset;
    }
}
