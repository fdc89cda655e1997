// SPDX-License-Identifier: Apache-2.0
package itest.migration;

import itest.iavf.IavfRegister;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.EnumMap;
import java.util.Map;
import vfio.pci.api.VfioException;
import vfio.pci.api.device.RegionIndex;
import vfio.user.wire.client.VfioUserClient;

/** What a driver must find unchanged when its function was moved: the registers it looks at. */
record Invariants(Map<IavfRegister, Integer> registers) {
    private static final IavfRegister[] WATCHED = {
        IavfRegister.ATQH1, IavfRegister.ATQT1, IavfRegister.ATQLEN1, IavfRegister.ATQBAL1, IavfRegister.ATQBAH1,
        IavfRegister.ARQH1, IavfRegister.ARQT1, IavfRegister.ARQLEN1, IavfRegister.ARQBAL1, IavfRegister.ARQBAH1,
        IavfRegister.VFGEN_RSTAT, IavfRegister.QTX_TAIL1, IavfRegister.QRX_TAIL1, IavfRegister.VFINT_DYN_CTL01,
        IavfRegister.VFINT_ICR0_ENA1};

    /** Those of a function that stands still. */
    static Invariants of(VfioUserClient client) throws VfioException {
        Map<IavfRegister, Integer> values = new EnumMap<>(IavfRegister.class);
        MemorySegment value = Arena.ofAuto().allocate(Integer.BYTES, Integer.BYTES);
        synchronized (client) {
            for (IavfRegister register : WATCHED) {
                client.read(RegionIndex.BAR0, register.offset(0), value, 0, Integer.BYTES);
                values.put(register, value.get(java.lang.foreign.ValueLayout.JAVA_INT, 0));
            }
        }
        return new Invariants(values);
    }

    boolean mailboxEnabled() {
        return (registers.get(IavfRegister.ARQLEN1) & IavfRegister.LEN_ENABLE) != 0;
    }

    boolean active() {
        return (registers.get(IavfRegister.VFGEN_RSTAT) & IavfRegister.RSTAT_MASK) == IavfRegister.RSTAT_VFACTIVE;
    }
}
