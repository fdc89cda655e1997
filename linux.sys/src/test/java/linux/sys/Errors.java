// SPDX-License-Identifier: Apache-2.0
package linux.sys;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;

/// What tests say about the failures of calls.
final class Errors {
    private Errors() {
    }

    /// Checks that it fails so, names the call, and carries no stack trace.
    static VfioException assertFails(Errno errno, String call, ThrowingCallable body) {
        VfioException failure = catchThrowableOfType(VfioException.class, body);
        assertThat(failure).as("failure").isNotNull();
        assertThat(failure.errno()).as(failure.getMessage()).isEqualTo(errno);
        assertThat(failure).hasMessageStartingWith("call=" + call + " ");
        assertThat(failure.getStackTrace()).isEmpty();
        return failure;
    }
}
