// SPDX-License-Identifier: Apache-2.0
package mediator.i40e;

import java.util.Optional;

/// The registers of a virtual function's mailbox, as the physical function sees them and as the virtual one does. Source: `i40e_register.h`
/// of Intel's Linux driver, whose names these are.
enum MailboxRegister {
    /// Base of the queue for commands, lower half.
    VF_ATQBAL(0x80800, 0x7C00),
    /// Its upper half.
    VF_ATQBAH(0x81000, 0x7800),
    /// Length and enable.
    VF_ATQLEN(0x81800, 0x6800),
    /// What the device works on next.
    VF_ATQH(0x82000, 0x6400),
    /// Where the driver puts its next command.
    VF_ATQT(0x82800, 0x8400),
    /// Base of the queue for messages, lower half.
    VF_ARQBAL(0x80C00, 0x6C00),
    /// Its upper half.
    VF_ARQBAH(0x81400, 0x6000),
    /// Length and enable.
    VF_ARQLEN(0x81C00, 0x8000),
    /// What the device fills next.
    VF_ARQH(0x82400, 0x7400),
    /// How far the driver gave buffers.
    VF_ARQT(0x82C00, 0x7000);

    /// Bits of a head or tail.
    static final int INDEX_MASK = 0x3FF;

    private static final MailboxRegister[] ALL = values();

    private final int physical;
    private final int virtual;

    MailboxRegister(int physical, int virtual) {
        this.physical = physical;
        this.virtual = virtual;
    }

    /// Where it is in BAR 0 of the physical function.
    int physical(int function) {
        return physical + Integer.BYTES * function;
    }

    /// Where it is in BAR 0 of the virtual function.
    int virtual() {
        return virtual;
    }

    /// Whether it belongs to the queue for messages.
    boolean receives() {
        return compareTo(VF_ARQBAL) >= 0;
    }

    /// The register a virtual function has there.
    static Optional<MailboxRegister> at(long offset) {
        for (MailboxRegister register : ALL) {
            if (register.virtual == offset) {
                return Optional.of(register);
            }
        }
        return Optional.empty();
    }
}
