// SPDX-License-Identifier: Apache-2.0
package example.mediator;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Test;
import vfio.pci.api.VfioException;
import vfio.pci.api.mediation.DmaWindow;
import vfio.pci.api.mediation.Verdict;

class ExampleMediationTest {
    private final ExampleMediation mediation = new ExampleMediation();
    private final MemorySegment buffer = MemorySegment.ofArray(new int[1]);

    @Test
    void countsDoorbellsAndLetsThemPass() throws VfioException {
        assertEquals(Verdict.PASS_THROUGH, mediation.write(0, ExampleMediation.TAIL, buffer, 0, 4));
        assertEquals(Verdict.PASS_THROUGH, mediation.write(0, ExampleMediation.TAIL, buffer, 0, 4));
        assertEquals(2, read(ExampleMediation.DOORBELLS));
    }

    @Test
    void saysWhoItIs() throws VfioException {
        assertEquals(ExampleMediation.WHO_VALUE, read(ExampleMediation.WHO));
    }

    @Test
    void refusesAPartOfARegister() {
        assertThrows(VfioException.class, () -> mediation.read(0, ExampleMediation.WHO + 1, buffer, 0, 1));
    }

    @Test
    void refusesMemoryThatTheDeviceCannotReach() throws VfioException {
        mediation.dmaMap(new DmaWindow(ExampleMediation.HIGHEST - 0xFFF, 0x1000, true, true));
        assertThrows(VfioException.class, () -> mediation.dmaMap(new DmaWindow(ExampleMediation.HIGHEST, 0x1000, true, true)));
    }

    private int read(long offset) throws VfioException {
        assertEquals(Verdict.HANDLED, mediation.read(0, offset, buffer, 0, 4));
        return buffer.get(ValueLayout.JAVA_INT, 0);
    }
}
