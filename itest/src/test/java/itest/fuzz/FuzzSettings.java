// SPDX-License-Identifier: Apache-2.0
package itest.fuzz;

/**
 * How long, and from where. Properties: {@code vfio.nightly} for the long run, {@code vfio.fuzz.seed}, {@code vfio.fuzz.messages}, and
 * {@code vfio.fuzz.session} to play that one session again, alone.
 *
 * @param seed of everything that is random
 * @param messages to send at least
 * @param only session to play, or -1 for all
 */
record FuzzSettings(long seed, long messages, long only) {
    private static final long SEED = 0x2019_1204L;
    private static final long MESSAGES = 50_000;
    private static final long MESSAGES_AT_NIGHT = 1_000_000;

    /** The same sessions each time, others each night. */
    static FuzzSettings read() {
        boolean nightly = Boolean.getBoolean("vfio.nightly");
        return new FuzzSettings(Long.getLong("vfio.fuzz.seed", nightly ? System.currentTimeMillis() : SEED),
            Long.getLong("vfio.fuzz.messages", nightly ? MESSAGES_AT_NIGHT : MESSAGES), Long.getLong("vfio.fuzz.session", -1));
    }
}
