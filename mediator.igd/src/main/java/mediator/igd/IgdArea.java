// SPDX-License-Identifier: Apache-2.0
package mediator.igd;

import vfio.pci.api.Range;

/// What of BAR 0 the mediation has to do with. Numbers are the sample's ("igd_dt", patches 5 and 6 of the proposal); registers of graphics
/// devices are listed in Intel's Graphics Programmer's Reference Manuals, where BAR 0 is GTTMMADR.
final class IgdArea {
    /// Index of the BAR.
    static final int BAR = 0;
    /// An access here starts trapping, once.
    static final Range STARTING = new Range(0, 0x8000);
    /// Can be mapped and switched to trapped. An access here ends trapping.
    static final Range DISABLABLE = new Range(0x8000, 0x8000);

    private IgdArea() {
    }
}
