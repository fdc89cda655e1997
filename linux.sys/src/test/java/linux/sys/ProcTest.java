// SPDX-License-Identifier: Apache-2.0
package linux.sys;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import vfio.pci.api.VfioException;

class ProcTest {
    @Test
    void countsWhatIsOpened() throws VfioException {
        Memfd.create("warm up", 1, false).close();
        int before = Proc.openDescriptors();
        try (Fd first = Memfd.create("first", 1, false); Fd second = first.duplicate()) {
            assertThat(Proc.openDescriptors()).isEqualTo(before + 2);
            second.close();
            assertThat(Proc.openDescriptors()).isEqualTo(before + 1);
        }
        assertThat(Proc.openDescriptors()).isEqualTo(before);
    }
}
