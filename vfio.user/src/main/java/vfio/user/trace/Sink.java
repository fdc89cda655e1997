// SPDX-License-Identifier: Apache-2.0
package vfio.user.trace;

import java.io.IOException;
import vfio.user.wire.trace.TraceRecord;

/// Where what is watched goes to.
interface Sink {
    /// A message.
    void take(TraceRecord record) throws IOException;

    /// There is none for now.
    default void rest() throws IOException {
    }
}
