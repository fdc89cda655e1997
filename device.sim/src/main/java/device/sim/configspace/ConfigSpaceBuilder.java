// SPDX-License-Identifier: Apache-2.0
package device.sim.configspace;

import java.util.BitSet;
import java.util.List;
import vfio.pci.api.PciId;
import vfio.pci.api.function.Bar;

/// Lays out a config space: header, BARs, both capability lists. Fields must not overlap.
public final class ConfigSpaceBuilder {
    private static final int CONVENTIONAL_SIZE = 0x100;
    private static final int EXTENDED_SIZE = 0x1000;
    private static final int CAPABILITY_POINTER = 0x34;
    private static final int BAR_BASE = 0x10;

    private final byte[] initial;
    private final byte[] writable;
    private final byte[] clearable;
    private final byte[] trigger;
    private final BitSet used = new BitSet();
    private int lastConventional = -1;
    private int lastExtended = -1;

    private ConfigSpaceBuilder(int size) {
        initial = new byte[size];
        writable = new byte[size];
        clearable = new byte[size];
        trigger = new byte[size];
    }

    /// 256 bytes of config space.
    public static ConfigSpaceBuilder conventional() {
        return new ConfigSpaceBuilder(CONVENTIONAL_SIZE);
    }

    /// 4096 bytes of config space.
    public static ConfigSpaceBuilder extended() {
        return new ConfigSpaceBuilder(EXTENDED_SIZE);
    }

    /// The type 0 header.
    ///
    /// @param interruptPin 0 for none, 1 for INTA
    public ConfigSpaceBuilder header(PciId id, List<Bar> bars, int interruptPin) {
        boolean io = bars.stream().anyMatch(bar -> bar.kind() == Bar.Kind.IO);
        field(Field.fixed(0x00, 2, id.vendor()));
        field(Field.fixed(0x02, 2, id.device()));
        field(Field.writable(0x04, 2, 0, io ? 0x0547 : 0x0546));
        field(new Field(0x06, 2, 0x0010, 0, 0xF900, 0));
        field(Field.fixed(0x08, 1, id.revision()));
        field(Field.fixed(0x09, 3, id.classCode()));
        field(Field.writable(0x0C, 1, 0, 0xFF));
        for (Bar bar : bars) {
            BarRegister.fields(bar, BAR_BASE).forEach(this::field);
        }
        field(Field.fixed(0x2C, 2, id.subsystemVendor()));
        field(Field.fixed(0x2E, 2, id.subsystem()));
        field(Field.writable(0x3C, 1, 0, 0xFF));
        field(Field.fixed(0x3D, 1, interruptPin));
        return this;
    }

    /// Appends a capability to the list it belongs to.
    public ConfigSpaceBuilder capability(Capability capability) {
        if (capability.extended()) {
            appendExtended(capability);
        } else {
            appendConventional(capability);
        }
        for (Field field : capability.fields()) {
            field(new Field(capability.offset() + field.offset(), field.bytes(), field.value(), field.writable(), field.clearable(),
                field.trigger()));
        }
        return this;
    }

    private void appendConventional(Capability capability) {
        int link = lastConventional < 0 ? CAPABILITY_POINTER : lastConventional + 1;
        field(Field.fixed(capability.offset(), 1, capability.id()));
        initial[link] = (byte) capability.offset();
        used.set(capability.offset() + 1);
        lastConventional = capability.offset();
    }

    private void appendExtended(Capability capability) {
        if (lastExtended < 0 && capability.offset() != Capability.EXTENDED_START) {
            throw new IllegalArgumentException("capability=0x%x expected=the list starts at 0x100".formatted(capability.offset()));
        }
        if (lastExtended >= 0) {
            // Bits 20 to 31 of the header before: offset of this one, dword aligned.
            initial[lastExtended + 2] |= (byte) ((capability.offset() & 0xF) << 4);
            initial[lastExtended + 3] = (byte) (capability.offset() >> 4);
        }
        field(Field.fixed(capability.offset(), 4, capability.version() << 16 | capability.id()));
        lastExtended = capability.offset();
    }

    /// Adds a field at its place in config space.
    public ConfigSpaceBuilder field(Field field) {
        for (int i = 0; i < field.bytes(); i++) {
            int at = field.offset() + i;
            if (used.get(at)) {
                throw new IllegalArgumentException("offset=0x%x expected=one field per byte".formatted(at));
            }
            used.set(at);
            initial[at] = (byte) (field.value() >>> 8 * i);
            writable[at] = (byte) (field.writable() >>> 8 * i);
            clearable[at] = (byte) (field.clearable() >>> 8 * i);
            trigger[at] = (byte) (field.trigger() >>> 8 * i);
        }
        return this;
    }

    /// The config space laid out so far.
    public ConfigSpace build() {
        return new ConfigSpace(initial.clone(), writable.clone(), clearable.clone(), trigger.clone());
    }
}
