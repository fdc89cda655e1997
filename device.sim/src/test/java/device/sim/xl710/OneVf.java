// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710;

import device.sim.TestDriver;
import device.sim.function.SimulatedFunction;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import vfio.pci.api.VfioException;

/// What tests of one virtual function have in common: the function, and a driver that is bound to it.
abstract class OneVf {
    SimulatedFunction function;
    TestDriver driver;

    @BeforeEach
    void bind() throws VfioException {
        function = TestCard.standard().virtualFunction(0);
        driver = TestDriver.bind(function);
    }

    @AfterEach
    void close() {
        driver.close();
    }
}
