// SPDX-License-Identifier: Apache-2.0
package bench;

import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/// How long the measuring thread was on a processor, and how often it did its work in that time. JMH's own scores are by the wall clock,
/// which on a machine with other work also counts that.
@State(Scope.Thread)
@AuxCounters(AuxCounters.Type.EVENTS)
public class OnCpu {
    /// Nanoseconds on a processor, at the end of an iteration.
    public long cpuNanos;
    /// Invocations in that time.
    public long operations;

    private final ThreadMXBean threads = ManagementFactory.getThreadMXBean();
    private long turns;
    private long start;

    /// For JMH.
    public OnCpu() {
    }

    /// Starts the clock.
    @Setup(Level.Iteration)
    public void start() {
        turns = 0;
        start = threads.getCurrentThreadCpuTime();
    }

    /// Stops the clock.
    @TearDown(Level.Iteration)
    public void stop() {
        cpuNanos = threads.getCurrentThreadCpuTime() - start;
        operations = turns;
    }

    /// Nanoseconds that this thread was on a processor so far.
    long now() {
        return threads.getCurrentThreadCpuTime();
    }

    /// Leaves out what was not to be measured.
    void leaveOut(long nanos) {
        start += nanos;
    }

    /// Counts an invocation.
    ///
    /// @return how many there were before
    int turn() {
        return (int) turns++;
    }
}
