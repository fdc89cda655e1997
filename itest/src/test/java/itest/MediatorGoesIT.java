// SPDX-License-Identifier: Apache-2.0
package itest;

import static org.assertj.core.api.Assertions.assertThat;

import itest.bundles.MediatorBundle;
import itest.mediators.Answering;
import itest.mediators.Lingering;
import itest.mediators.Setting;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.Test;
import org.osgi.framework.Bundle;
import vfio.pci.api.VfioException;
import vfio.pci.api.admin.AccessStats;
import vfio.pci.api.device.Client;
import vfio.pci.api.device.VfioDevice;

/** A mediator's bundle stops, is updated or uninstalled while clients access a device it mediates: gone means gone. */
public class MediatorGoesIT extends OnTheNic {
    private static final int THREADS = 4;
    private static final long SOME_ROUNDS = 500;
    private static final int STOPS = 200;
    /** A register for each thread, all of them claimed. */
    private static final List<Long> OWN = List.of(
        Registers.VF_ARQBAH1, Registers.VF_ARQBAL1, Registers.VF_ATQBAH1, Registers.VF_ATQBAL1);

    @Test
    public void noCallIsLateInTwoHundredStops() throws Exception {
        Bundle bundle = mediators.install(MediatorBundle.of(Lingering.class).named("lingering"));
        for (int stop = 0; stop < STOPS; stop++) {
            bundle.start();
            try (VfioDevice device = open();
                    var threads = new AccessingThreads(device, 2, thread -> MediatorGoesIT::readStatus)) {
                Await.until("a thread is inside", () -> mediators.number(Setting.INSIDE, "lingering").get() > 0);
                bundle.stop();
                assertThat(mediators.number(Setting.INSIDE, "lingering")).as("inside after stop %d", stop).hasValue(0);
                long entered = mediators.number(Setting.ENTERED, "lingering").get();
                threads.awaitRounds(3);
                assertThat(mediators.number(Setting.ENTERED, "lingering")).as("entered after stop %d", stop).hasValue(entered);
                assertThat(mediators.number(Setting.CLOSED, "lingering")).hasValue(stop + 1);
            }
        }
        assertThat(mediators.number(Setting.LATE, "lingering")).hasValue(0);
        assertThat(mediators.number(Setting.STOPPING, "lingering")).hasValue(STOPS);
    }

    @Test
    public void anOpenDuringAStopIsNotLeftMediated() throws Exception {
        Bundle bundle = mediators.install(MediatorBundle.of(Answering.class).named("m").answering(0xA1));
        try (ExecutorService opener = Executors.newSingleThreadExecutor()) {
            for (int stop = 0; stop < STOPS; stop++) {
                bundle.start();
                long asked = mediators.board().journal().size();
                Future<VfioDevice> opening = opener.submit(() -> open());
                Await.until("it is asked", () -> mediators.board().journal().size() > asked);
                bundle.stop();
                try (VfioDevice device = opening.get(); var registers = new Registers(device)) {
                    assertThat(registers.read(Registers.VFGEN_RSTAT)).as("after stop %d", stop).isEqualTo(Registers.VFACTIVE);
                }
            }
        }
        assertThat(mediators.number(Setting.LATE, "m")).hasValue(0);
    }

    @Test
    public void uninstallUnderAccessLeavesPassThrough() throws Exception {
        Bundle bundle = mediators.start(MediatorBundle.of(Answering.class).named("m").answering(0xA1));
        try (VfioDevice device = open();
                var threads = new AccessingThreads(device, THREADS, thread -> new Checked(OWN.get(thread), 0xA1))) {
            threads.awaitRounds(SOME_ROUNDS);
            AccessStats before = admin.stats(SimulatedNic.VF0);
            assertThat(before.passedThrough()).as("all of it is claimed").isZero();
            bundle.uninstall();
            AccessStats after = admin.stats(SimulatedNic.VF0);
            threads.awaitRounds(SOME_ROUNDS);
            AccessStats later = admin.stats(SimulatedNic.VF0);
            assertThat(later.mediated()).as("nothing is mediated any more").isEqualTo(after.mediated());
            assertThat(later.passedThrough()).isGreaterThanOrEqualTo(after.passedThrough() + THREADS * SOME_ROUNDS);
            assertThat(later.errors()).isZero();
            assertThat(admin.device(SimulatedNic.VF0).mediator()).isEmpty();
            assertThat(admin.mediators()).isEmpty();
        }
        assertThat(mediators.number(Setting.LATE, "m")).hasValue(0);
        assertThat(mediators.number(Setting.CLOSED, "m")).hasValue(1);
    }

    @Test
    public void updateUnderAccessPassesThroughAndBindsAtTheNextOpen() throws Exception {
        MediatorBundle description = MediatorBundle.of(Answering.class).named("m").answering(0xA1);
        Bundle bundle = mediators.start(description);
        try (VfioDevice device = open();
                var threads = new AccessingThreads(device, THREADS, thread -> new Checked(OWN.get(thread), 0xA1))) {
            threads.awaitRounds(SOME_ROUNDS);
            bundle.update(description.version("1.1.0").answering(0xA2).jar());
            threads.awaitRounds(SOME_ROUNDS);
            assertThat(admin.device(SimulatedNic.VF0).mediator()).as("who had it open keeps what it has").isEmpty();
            try (VfioDevice second = open(); var registers = new Registers(second)) {
                assertThat(registers.read(Registers.VFGEN_RSTAT)).as("shares the open device").isEqualTo(Registers.VFACTIVE);
            }
        }
        assertThat(mediators.number(Setting.LATE, "m")).hasValue(0);
        assertThat(admin.mediators()).singleElement().satisfies(one -> assertThat(one.bundle()).endsWith("1.1.0"));
        try (VfioDevice device = open();
                var threads = new AccessingThreads(device, THREADS, thread -> new Checked(OWN.get(thread), 0xA2))) {
            threads.awaitRounds(SOME_ROUNDS);
            assertThat(admin.stats(SimulatedNic.VF0).passedThrough()).isZero();
        }
    }

    @Test
    public void reinstallBindsAtTheNextOpen() throws Exception {
        MediatorBundle description = MediatorBundle.of(Answering.class).named("m").answering(0xA1);
        Bundle bundle = mediators.start(description);
        try (VfioDevice device = open(); var registers = new Registers(device)) {
            assertThat(registers.read(Registers.VFGEN_RSTAT)).isEqualTo(0xA1);
            bundle.uninstall();
            assertThat(registers.read(Registers.VFGEN_RSTAT)).isEqualTo(Registers.VFACTIVE);
            mediators.start(description);
            assertThat(registers.read(Registers.VFGEN_RSTAT)).isEqualTo(Registers.VFACTIVE);
        }
        try (VfioDevice device = open(); var registers = new Registers(device)) {
            assertThat(registers.read(Registers.VFGEN_RSTAT)).isEqualTo(0xA1);
        }
    }

    @Test
    public void stoppingOneLeavesTheOthersDevicesAlone() throws Exception {
        Bundle first = mediators.start(MediatorBundle.of(Answering.class).named("first").answering(0xA1));
        try (VfioDevice device = open(); var registers = new Registers(device)) {
            mediators.start(MediatorBundle.of(Answering.class).named("second").answering(0xB1).ranked(1));
            try (VfioDevice other = vfio.open(SimulatedNic.VF1, Client.standard("itest"));
                    var threads = new AccessingThreads(other, 2, thread -> new Checked(OWN.get(thread), 0xB1))) {
                threads.awaitRounds(SOME_ROUNDS);
                first.stop();
                assertThat(registers.read(Registers.VFGEN_RSTAT)).isEqualTo(Registers.VFACTIVE);
                threads.awaitRounds(SOME_ROUNDS);
                assertThat(admin.stats(SimulatedNic.VF1).passedThrough()).isZero();
            }
        }
    }

    private static void readStatus(Registers registers) throws VfioException {
        assertThat(registers.read(Registers.VFGEN_RSTAT)).isEqualTo(Registers.VFACTIVE);
    }

    /**
     * What one thread checks: its register keeps what it wrote there last, and the status is the mediator's answer until the mediator
     * goes, and the device's from then on.
     */
    private static final class Checked implements AccessingThreads.Round {
        private final long register;
        private final int answer;
        private int written;
        private boolean gone;

        Checked(long register, int answer) {
            this.register = register;
            this.answer = answer;
        }

        @Override
        public void run(Registers registers) throws VfioException {
            registers.write(register, ++written);
            check("register", registers.read(register), written);
            int status = registers.read(Registers.VFGEN_RSTAT);
            gone |= status == Registers.VFACTIVE;
            check("status", status, gone ? Registers.VFACTIVE : answer);
        }

        private static void check(String what, int actual, int expected) {
            if (actual != expected) {
                throw new AssertionError("%s=0x%x expected=0x%x".formatted(what, actual, expected));
            }
        }
    }
}
