// SPDX-License-Identifier: Apache-2.0
package bench;

import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Threads;
import org.openjdk.jmh.annotations.Warmup;
import vfio.pci.core.gate.Gate;
import vfio.pci.core.gate.GateSlot;
import vfio.pci.core.gate.Guarded;

/// What does the gate add to an access, when one thread uses it, and when two use it at once? Compared with looking at what is guarded
/// without entering.
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 4, time = 250, timeUnit = TimeUnit.MILLISECONDS)
@Measurement(iterations = 6, time = 200, timeUnit = TimeUnit.MILLISECONDS)
@Fork(value = 3, jvmArgsAppend = {Forks.NATIVE, Forks.UNSAFE, Forks.COMPILE_FIRST, Forks.SILENT})
public class GateBench {
    /// For JMH.
    public GateBench() {
    }

    /// Something guarded, with something in it to look at.
    static final class Thing extends Guarded {
        volatile int value = 42;
    }

    /// The gate, shared by the threads.
    @State(Scope.Benchmark)
    public static class Shared {
        final Gate<Thing> gate = new Gate<>();

        /// A gate with a thing in it.
        public Shared() {
            gate.set(new Thing());
        }
    }

    /// A thread's slot.
    @State(Scope.Thread)
    public static class Own {
        private GateSlot slot;

        /// For JMH.
        public Own() {
        }

        /// Takes a slot of that gate.
        @Setup(Level.Trial)
        public void enrol(Shared shared) {
            slot = shared.gate.slot();
        }
    }

    private static int read(Shared shared, OnCpu clock) {
        return shared.gate.peek().value + clock.turn();
    }

    private static int guardedRead(Shared shared, Own own, OnCpu clock) {
        try {
            return shared.gate.enter(own.slot).value + clock.turn();
        } finally {
            shared.gate.leave(own.slot, 0);
        }
    }

    /// One thread, without the gate.
    @Benchmark
    @Threads(1)
    public int unguarded1(Shared shared, OnCpu clock) {
        return read(shared, clock);
    }

    /// One thread enters, looks and leaves.
    @Benchmark
    @Threads(1)
    public int guarded1(Shared shared, Own own, OnCpu clock) {
        return guardedRead(shared, own, clock);
    }

    /// Two threads, without the gate.
    @Benchmark
    @Threads(2)
    public int unguarded2(Shared shared, OnCpu clock) {
        return read(shared, clock);
    }

    /// Two threads enter, look and leave.
    @Benchmark
    @Threads(2)
    public int guarded2(Shared shared, Own own, OnCpu clock) {
        return guardedRead(shared, own, clock);
    }
}
