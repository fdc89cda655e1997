// SPDX-License-Identifier: Apache-2.0
package vfio.user.loop;

/// A thread that runs a loop or has been overtaken in one.
final class LoopThread extends Thread {
    LoopThread(Runnable task, String name, UncaughtExceptionHandler report) {
        super(task, name);
        setDaemon(true);
        setUncaughtExceptionHandler(report);
    }
}
