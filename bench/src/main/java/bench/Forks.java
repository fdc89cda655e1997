// SPDX-License-Identifier: Apache-2.0
package bench;

/// How the measuring processes are started: as the runtime is, and so that they measure the same on a machine with other work.
final class Forks {
    static final String NATIVE = "--enable-native-access=ALL-UNNAMED";
    static final String UNSAFE = "--sun-misc-unsafe-memory-access=allow";
    /// Waits for the compiler, which might come to nothing during a warm-up that is short by the clock.
    static final String COMPILE_FIRST = "-Xbatch";
    /// No log: every fork opens devices.
    static final String SILENT = "-Djava.util.logging.config.file=/dev/null";

    private Forks() {
    }
}
