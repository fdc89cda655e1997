// SPDX-License-Identifier: Apache-2.0
package itest;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import vfio.pci.api.VfioException;
import vfio.pci.api.device.VfioDevice;

/** Threads that access one device all the time, each through a port of its own, until they are closed or something is wrong. */
final class AccessingThreads implements AutoCloseable {
    /** What a thread does again and again; it throws or fails an assertion when something is wrong. */
    interface Round {
        void run(Registers registers) throws VfioException;
    }

    /** Makes the round of each thread. */
    interface RoundOfThread {
        Round of(int thread);
    }

    private final ExecutorService executor;
    private final List<AtomicLong> rounds = new ArrayList<>();
    private final List<Future<?>> results = new ArrayList<>();
    private volatile boolean stopping;

    AccessingThreads(VfioDevice device, int count, RoundOfThread work) throws VfioException {
        executor = Executors.newFixedThreadPool(count);
        for (int thread = 0; thread < count; thread++) {
            Round round = work.of(thread);
            Registers registers = new Registers(device);
            var done = new AtomicLong();
            rounds.add(done);
            results.add(executor.submit(() -> {
                try (registers) {
                    while (!stopping) {
                        round.run(registers);
                        done.incrementAndGet();
                    }
                    return null;
                }
            }));
        }
        executor.shutdown();
    }

    /** Returns when each thread has done that many rounds more; fails at once when one of them has failed. */
    void awaitRounds(long more) throws Exception {
        List<Long> targets = rounds.stream().map(done -> done.get() + more).toList();
        Await.until(more + " more rounds of each thread", () -> {
            boolean all = true;
            for (int i = 0; i < targets.size(); i++) {
                if (results.get(i).isDone()) {
                    results.get(i).get();
                }
                all &= rounds.get(i).get() >= targets.get(i);
            }
            return all;
        });
    }

    /** Waits until something is wrong for each of the threads, which ends it; a thread may be long in getting a processor. */
    List<Throwable> awaitFailures() throws Exception {
        Await.until("each thread has failed", executor::isTerminated);
        return end();
    }

    /** Has the threads end after the round they are in, and says what each of them ended by: null where nothing was wrong. */
    List<Throwable> end() throws Exception {
        stopping = true;
        if (!executor.awaitTermination(30, TimeUnit.SECONDS)) {
            throw new AssertionError("a thread hangs in an access");
        }
        List<Throwable> ends = new ArrayList<>();
        for (Future<?> result : results) {
            try {
                result.get();
                ends.add(null);
            } catch (ExecutionException e) {
                ends.add(e.getCause());
            }
        }
        return ends;
    }

    /** Ends the threads; fails when something was wrong in one of them. */
    @Override
    public void close() throws Exception {
        for (Throwable end : end()) {
            if (end != null) {
                throw new AssertionError("in an accessing thread", end);
            }
        }
    }
}
