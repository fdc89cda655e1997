// SPDX-License-Identifier: Apache-2.0
package itest.iavf;

/**
 * How a driver is set up.
 *
 * @param queuePairs at most; the function may have fewer
 * @param ringLength descriptors of each ring
 * @param bufferSize bytes of each buffer, a multiple of 128
 * @param maxFrame bytes of the longest frame to take
 * @param doorbells how tails are written
 * @param sequence in which order things are done
 * @param interrupts whether it waits for interrupts, else it polls
 */
public record DriverOptions(int queuePairs, int ringLength, int bufferSize, int maxFrame, Doorbells doorbells, Sequence sequence,
        boolean interrupts) {
    /** One pair of 512, mapped doorbells, Linux' order, polling. */
    public static final DriverOptions DEFAULT = new DriverOptions(1, 512, 2048, 1536, Doorbells.MAPPED, Sequence.LINUX, false);

    /** The same with so many pairs. */
    public DriverOptions withQueuePairs(int pairs) {
        return new DriverOptions(pairs, ringLength, bufferSize, maxFrame, doorbells, sequence, interrupts);
    }

    /** The same with rings of so many descriptors. */
    public DriverOptions withRingLength(int descriptors) {
        return new DriverOptions(queuePairs, descriptors, bufferSize, maxFrame, doorbells, sequence, interrupts);
    }

    /** The same for frames of up to so many bytes. */
    public DriverOptions withMaxFrame(int bytes) {
        return new DriverOptions(queuePairs, ringLength, bufferSize, bytes, doorbells, sequence, interrupts);
    }

    /** The same with tails written like that. */
    public DriverOptions with(Doorbells how) {
        return new DriverOptions(queuePairs, ringLength, bufferSize, maxFrame, how, sequence, interrupts);
    }

    /** The same in that order. */
    public DriverOptions with(Sequence whose) {
        return new DriverOptions(queuePairs, ringLength, bufferSize, maxFrame, doorbells, whose, interrupts);
    }

    /** The same, waiting for interrupts. */
    public DriverOptions withInterrupts() {
        return new DriverOptions(queuePairs, ringLength, bufferSize, maxFrame, doorbells, sequence, true);
    }
}
