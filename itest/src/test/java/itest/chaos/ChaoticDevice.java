// SPDX-License-Identifier: Apache-2.0
package itest.chaos;

import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import vfio.pci.api.PciAddress;
import vfio.pci.api.VfioException;
import vfio.pci.api.device.Client;
import vfio.pci.api.device.VfioDevice;
import vfio.pci.api.device.VfioPci;

/** One device under chaos, as its client threads and who disturbs them know it. */
final class ChaoticDevice {
    private final Core core;
    private final CountedFunction function;
    private final Incarnations incarnations;
    private final LongAdder answers = new LongAdder();
    private final LongAdder mediated = new LongAdder();
    private final LongAdder reopened = new LongAdder();
    /** The number of a time in which each access meets a mediator, or 0. */
    private final AtomicLong guarded = new AtomicLong();
    private final AtomicLong guards = new AtomicLong();

    /** Where devices are opened; it is looked for each time, for it may have gone. */
    interface Core {
        VfioPci look() throws VfioException;
    }

    ChaoticDevice(Core core, int number, Incarnations incarnations) {
        this.core = core;
        this.function = new CountedFunction(address(number));
        this.incarnations = incarnations;
    }

    /** Where the functions of the tests sit. */
    static PciAddress address(int number) {
        return new PciAddress(0, 0xC0, number, 0);
    }

    CountedFunction function() {
        return function;
    }

    PciAddress address() {
        return function.address();
    }

    Incarnations incarnations() {
        return incarnations;
    }

    VfioDevice open(int thread) throws VfioException {
        return core.look().open(address(), Client.standard("chaos-" + thread));
    }

    /** From now on until {@link #unguard()} no access may pass by the mediators. */
    void guard() {
        guarded.set(guards.incrementAndGet());
    }

    void unguard() {
        guarded.set(0);
    }

    /** The time it is in, for who compares it with that afterwards. */
    long guarded() {
        return guarded.get();
    }

    void answered() {
        answers.increment();
    }

    void met(long incarnation) {
        if (incarnation != 0) {
            mediated.increment();
        }
    }

    void reopened() {
        reopened.increment();
    }

    /** Accesses that were answered. */
    long answers() {
        return answers.sum();
    }

    /** Those of them in which a mediator left its incarnation. */
    long mediated() {
        return mediated.sum();
    }

    /** How often a client thread lost the device and opened it again. */
    long reopenings() {
        return reopened.sum();
    }
}
