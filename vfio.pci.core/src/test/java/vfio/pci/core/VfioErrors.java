// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;

/// What a client is answered, in tests.
public final class VfioErrors {
    private VfioErrors() {
    }

    /// What the call fails with.
    public static VfioException of(ThrowingCallable call) {
        VfioException error = catchThrowableOfType(VfioException.class, call);
        assertThat(error).as("an error").isNotNull();
        assertThat(error.getMessage()).contains("=");
        return error;
    }

    /// The call fails with this errno, and says why.
    public static void assertErrno(Errno errno, ThrowingCallable call) {
        assertThatExceptionOfType(VfioException.class).isThrownBy(call)
            .satisfies(e -> assertThat(e.errno()).as(e.getMessage()).isEqualTo(errno))
            .satisfies(e -> assertThat(e.getMessage()).contains("="));
    }
}
