// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;

/// What a client is answered, in tests.
public final class VfioErrors {
    private VfioErrors() {
    }

    /// The call fails with this errno, and says why.
    public static void assertErrno(Errno errno, ThrowingCallable call) {
        assertThatExceptionOfType(VfioException.class).isThrownBy(call)
            .satisfies(e -> assertThat(e.errno()).as(e.getMessage()).isEqualTo(errno))
            .satisfies(e -> assertThat(e.getMessage()).contains("="));
    }
}
