// SPDX-License-Identifier: Apache-2.0
package vfio.pci.api.mediation;

/// What a mediation declares at open; for each the core adds a region, and parses it.
public enum Capability {
    /// The migration region (type 3, subtype 1), over [Mediation#migration()], which must be there. Bit 0x1 of the proposal.
    MIGRATION(0x1),
    /// The dynamic-trap-bar-info region (type 4, subtype 1) with its interrupt. Bit 0x2 of the proposal.
    DYNAMIC_TRAP_BAR(0x2);

    private final int bit;

    Capability(int bit) {
        this.bit = bit;
    }

    /// The proposal's bit.
    public int bit() {
        return bit;
    }
}
