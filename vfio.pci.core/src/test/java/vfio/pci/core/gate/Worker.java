// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.gate;

import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/// One other thread, told step by step what to do, so that a test says who is where.
final class Worker implements AutoCloseable {
    private static final Runnable END = () -> { };

    private final LinkedBlockingQueue<Runnable> steps = new LinkedBlockingQueue<>();
    private final Thread thread;

    Worker(String name) {
        thread = Thread.ofPlatform().name(name).daemon().start(this::run);
    }

    private void run() {
        try {
            for (Runnable step = steps.take(); step != END; step = steps.take()) {
                step.run();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    Thread thread() {
        return thread;
    }

    /// Starts a step.
    <R> FutureTask<R> begin(Callable<R> step) {
        FutureTask<R> task = new FutureTask<>(step);
        steps.add(task);
        return task;
    }

    /// Does a step, and returns when it is done.
    <R> R does(Callable<R> step) throws Exception {
        try {
            return begin(step).get(30, TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            throw new AssertionError(thread.getName() + " failed", e.getCause());
        }
    }

    @Override
    public void close() throws InterruptedException {
        steps.add(END);
        thread.join(30_000);
    }
}
