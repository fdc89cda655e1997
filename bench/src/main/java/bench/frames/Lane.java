// SPDX-License-Identifier: Apache-2.0
package bench.frames;

/// A way for frames from one end to another.
interface Lane extends AutoCloseable {
    /// Carries frames for that long. Each frame arrives whole and in order, which is looked at.
    ///
    /// @return frames per second
    double run(long nanos);

    @Override
    void close();
}
