// SPDX-License-Identifier: Apache-2.0
package itest;

import static itest.options.RuntimeOptions.configuration;
import static itest.options.RuntimeOptions.core;
import static itest.options.RuntimeOptions.felix;
import static itest.options.RuntimeOptions.simulatedNic;
import static itest.options.RuntimeOptions.vfioUser;
import static org.assertj.core.api.Assertions.assertThat;

import itest.iavf.Doorbells;
import itest.iavf.DriverOptions;
import itest.iavf.FrameChecker;
import itest.iavf.IavfDriver;
import itest.iavf.IavfRegister;
import itest.iavf.NumberedFrames;
import itest.iavf.Sequence;
import itest.iavf.TxRing;
import itest.iavf.Vectors;
import itest.iavf.VfStats;
import java.time.Duration;
import java.util.Map;
import org.junit.Before;
import org.junit.Test;
import org.ops4j.pax.exam.Configuration;
import org.ops4j.pax.exam.Option;
import vfio.pci.api.PciAddress;

/**
 * Two guests, each with a virtual function, send each other frames of all lengths. Every byte of each is checked; none is lost, none comes
 * twice, all come in order. With {@code -Dvfio.nightly=true} there are a million, else fewer.
 */
public class IavfTrafficIT extends OnServedVfs {
    private static final long FRAMES = Boolean.getBoolean("vfio.nightly") ? 1_000_000 : 50_000;
    private static final long FEWER = FRAMES / 5;
    /** MTU 9000. */
    private static final int JUMBO = 9018;
    private static final int SHORT_RING = 64;
    private static final int PINGS = 500;
    private static final Duration SOON = Duration.ofSeconds(30);
    /** Of a card whose tails are never mapped. */
    private static final PciAddress TRAPPED_0 = PciAddress.parse("0000:5e:02.0");
    private static final PciAddress TRAPPED_1 = PciAddress.parse("0000:5e:02.1");

    @Override
    @Configuration
    public Option[] runtime() {
        return new Option[] {felix(), core(),
            configuration("device.sim.xl710~trapped", Map.of("address", "0000:5e:00.0", "doorbells", "trapped")),
            simulatedNic(), vfioUser()};
    }

    @Before
    public void waitForTheOtherNic() throws Exception {
        Await.until("the other NIC's functions appear",
            () -> admin.devices().stream().anyMatch(device -> device.address().equals(TRAPPED_1)));
    }

    @Test
    public void mappedDoorbells() throws Exception {
        oneWay(SimulatedNic.VF0, SimulatedNic.VF1, DriverOptions.DEFAULT, true, FRAMES);
    }

    @Test
    public void trappedDoorbells() throws Exception {
        oneWay(TRAPPED_0, TRAPPED_1, DriverOptions.DEFAULT, false, FRAMES);
    }

    @Test
    public void doorbellsThatCouldBeMappedAndAreNot() throws Exception {
        oneWay(SimulatedNic.VF0, SimulatedNic.VF1, DriverOptions.DEFAULT.with(Doorbells.POSTED), false, FEWER);
    }

    @Test
    public void asDpdkDoesIt() throws Exception {
        oneWay(SimulatedNic.VF0, SimulatedNic.VF1, DriverOptions.DEFAULT.with(Sequence.DPDK), true, FEWER);
    }

    private void oneWay(PciAddress from, PciAddress to, DriverOptions options, boolean mapped, long frames) throws Exception {
        try (GuestVf sender = GuestVf.start(vfs.socket(from), options); GuestVf receiver = GuestVf.start(vfs.socket(to), options)) {
            IavfDriver tx = sender.driver();
            IavfDriver rx = receiver.driver();
            assertThat(tx.bar().isMapped(IavfRegister.QTX_TAIL1)).as("Tx tails are mapped").isEqualTo(mapped);
            assertThat(rx.bar().isMapped(IavfRegister.QRX_TAIL1)).as("Rx tails are mapped").isEqualTo(mapped);
            VfStats txBefore = tx.stats();
            VfStats rxBefore = rx.stats();
            Traffic.Result result = new Traffic(tx, rx).oneWay(frames);
            report(mapped ? "mapped" : "trapped", result);
            VfStats sent = tx.stats().minus(txBefore);
            VfStats received = rx.stats().minus(rxBefore);
            assertThat(sent.txUnicast()).as("%s", sent).isEqualTo(frames);
            assertThat(sent.txDiscards() + sent.txErrors()).as("%s", sent).isZero();
            assertThat(received.rxUnicast()).as("%s", received).isEqualTo(frames);
            assertThat(received.rxDiscards()).as("%s", received).isZero();
            assertThat(received.rxBytes()).as("%s", received).isEqualTo(sent.txBytes()).isGreaterThanOrEqualTo(result.bytes());
        }
    }

    @Test
    public void bothWaysAtOnce() throws Exception {
        try (GuestVf one = GuestVf.start(vfs.socket(SimulatedNic.VF0), DriverOptions.DEFAULT);
                GuestVf other = GuestVf.start(vfs.socket(SimulatedNic.VF1), DriverOptions.DEFAULT)) {
            report("mapped, both ways", new Traffic(one.driver(), other.driver()).bothWays(FRAMES / 2));
        }
    }

    @Test
    public void jumboFramesOverSeveralDescriptors() throws Exception {
        DriverOptions options = DriverOptions.DEFAULT.withMaxFrame(JUMBO);
        try (GuestVf one = GuestVf.start(vfs.socket(SimulatedNic.VF0), options);
                GuestVf other = GuestVf.start(vfs.socket(SimulatedNic.VF1), options)) {
            report("jumbo, both ways", new Traffic(one.driver(), other.driver(), NumberedFrames.SHORTEST, JUMBO).bothWays(FEWER));
        }
    }

    @Test
    public void shortRings() throws Exception {
        DriverOptions options = DriverOptions.DEFAULT.withRingLength(SHORT_RING);
        try (GuestVf one = GuestVf.start(vfs.socket(SimulatedNic.VF0), options);
                GuestVf other = GuestVf.start(vfs.socket(SimulatedNic.VF1), DriverOptions.DEFAULT)) {
            report("a short ring sends", new Traffic(one.driver(), other.driver()).oneWay(FEWER));
        }
    }

    @Test
    public void betweenAMappedAndATrappedOneOfTheSameCard() throws Exception {
        try (GuestVf one = GuestVf.start(vfs.socket(SimulatedNic.VF0), DriverOptions.DEFAULT);
                GuestVf other = GuestVf.start(vfs.socket(SimulatedNic.VF1), DriverOptions.DEFAULT.with(Doorbells.POSTED))) {
            new Traffic(one.driver(), other.driver()).bothWays(FEWER);
        }
    }

    @Test
    public void pingsByInterrupts() throws Exception {
        DriverOptions options = DriverOptions.DEFAULT.withInterrupts();
        try (GuestVf one = GuestVf.start(vfs.socket(SimulatedNic.VF0), options);
                GuestVf other = GuestVf.start(vfs.socket(SimulatedNic.VF1), options)) {
            var there = new NumberedFrames(one.driver().mac(), other.driver().mac());
            var back = new NumberedFrames(other.driver().mac(), one.driver().mac());
            var pings = new InterruptedGuest(one.driver(), there, back);
            var answers = new InterruptedGuest(other.driver(), back, there);
            long begun = System.nanoTime();
            for (int i = 0; i < PINGS; i++) {
                pings.send();
                answers.await();
                answers.send();
                pings.await();
            }
            System.out.printf("iavf guest, interrupts: %d pings, %d us each%n", PINGS, (System.nanoTime() - begun) / PINGS / 1000);
        }
    }

    /** Sleeps until the vector of its queues fires, and looks then and only then. */
    private static final class InterruptedGuest {
        private static final int VECTOR = 1;

        private final IavfDriver driver;
        private final NumberedFrames outgoing;
        private final FrameChecker incoming;
        private long sent;

        InterruptedGuest(IavfDriver driver, NumberedFrames outgoing, NumberedFrames incoming) {
            this.driver = driver;
            this.outgoing = outgoing;
            this.incoming = new FrameChecker(driver.pair(0).rx(), incoming, true);
        }

        void send() throws Exception {
            TxRing ring = driver.pair(0).tx();
            ring.clean();
            ring.add(outgoing.write(ring.memory(), ring.buffer(), sent++));
            ring.kick();
        }

        void await() throws Exception {
            long expected = incoming.arrived() + 1;
            Vectors vectors = driver.vectors().orElseThrow();
            while (incoming.run() == 0) {
                vectors.enable(VECTOR);
                vectors.awaitFired(VECTOR, SOON);
            }
            assertThat(incoming.arrived()).isEqualTo(expected);
        }
    }

    /** A figure, not a test of speed: this machine may be busy with something else. */
    @Test
    public void comparedWithCopyingAlone() throws Exception {
        try (GuestVf one = GuestVf.start(vfs.socket(SimulatedNic.VF0), DriverOptions.DEFAULT);
                GuestVf other = GuestVf.start(vfs.socket(SimulatedNic.VF1), DriverOptions.DEFAULT)) {
            new Traffic(one.driver(), other.driver()).oneWay(FRAMES);
            Traffic.Result result = new Traffic(one.driver(), other.driver()).oneWay(FRAMES);
            report("mapped, warm", result);
            var frames = new NumberedFrames(one.driver().mac(), other.driver().mac());
            for (boolean checked : new boolean[] {true, false}) {
                new MemcpyRing(frames, checked).rate(FRAMES);
                double rate = new MemcpyRing(frames, checked).rate(FRAMES);
                System.out.printf("iavf guest, two threads that copy%s: %.0f a second; the guests %.2f of that%n",
                    checked ? ", make and check" : " alone", rate, result.framesPerSecond() / rate);
                assertThat(rate).as("frames a second").isPositive();
            }
        }
    }

    private static void report(String what, Traffic.Result result) {
        System.out.printf("iavf guest, %s: %d frames of %d bytes on average in %d ms, %.0f a second%n", what, result.frames(),
            result.bytes() / result.frames(), result.time().toMillis(), result.framesPerSecond());
    }
}
