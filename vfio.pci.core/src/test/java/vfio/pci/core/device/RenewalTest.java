// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;
import static vfio.pci.core.device.OneDevice.read32;

import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import vfio.pci.api.VfioException;
import vfio.pci.api.device.DevicePort;
import vfio.pci.api.device.VfioDevice;

/// A function is bound afresh behind an open device, whose mediation stays.
class RenewalTest {
    private static final long REGISTER = Counting.REGISTER;

    private final OneDevice one = new OneDevice();

    @AfterEach
    void close() {
        one.close();
    }

    @Test
    void aRenewedFunctionHasTheStateOfTheOneBefore() throws VfioException {
        Counting counting = new Counting(1);
        one.accepting("counter", context -> counting);
        try (VfioDevice handle = one.open(); DevicePort port = handle.port()) {
            read32(port, 0, REGISTER);
            OneDevice.write32(port, 7, 4, 0x0006);
            int command = read32(port, 7, 4);
            one.function.renew();
            assertThat(one.hardware.done).contains("close");
            assertThat(read32(port, 0, REGISTER)).isEqualTo(2);
            assertThat(read32(port, 7, 4)).isEqualTo(command);
            assertThat(counting.starts).hasValue(1);
            assertThat(counting.closes).hasValue(0);
        }
        assertThat(one.hardware.driver()).isEmpty();
    }

    @Test
    void aFunctionThatCannotBeHadAgainIsGone() throws VfioException {
        one.accepting("counter", context -> new Counting(1));
        try (VfioDevice handle = one.open(); DevicePort port = handle.port()) {
            AtomicInteger told = new AtomicInteger();
            handle.onGone(told::incrementAndGet);
            one.hardware.goes();
            assertThat(catchThrowable(one.function::renew)).isInstanceOf(VfioException.class);
            assertThat(told.get()).isLessThanOrEqualTo(1);
        }
    }
}
