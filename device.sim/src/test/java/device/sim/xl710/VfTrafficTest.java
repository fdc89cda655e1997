// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710;

import static device.sim.xl710.MailboxDriver.ints;
import static device.sim.xl710.MailboxDriver.shorts;
import static org.assertj.core.api.Assertions.assertThat;

import device.sim.Await;
import device.sim.GuestRam;
import device.sim.TestDriver;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Frames from one virtual function to another, set up and sent as a driver does it.
class VfTrafficTest {
    private static final int CAPABILITIES = 0x0009_00E1;
    private static final int TX_RING = 0x20_0000;
    private static final int RX_RING = 0x21_0000;
    private static final int TX_BUFFER = 0x22_0000;
    private static final int RX_BUFFERS = 0x24_0000;
    private static final int LENGTH = 512;

    private TestDriver first;
    private TestDriver second;
    private int lastTail;

    @AfterEach
    void close() {
        first.close();
        second.close();
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void carriesFramesWithDoorbellsByAccess(boolean mapped) throws Exception {
        start(mapped ? TestCard.standard() : TestCard.trapped());
        for (int i = 0; i < 600; i++) {
            send(i, false);
            assertThat(receive(i)).isEqualTo(frame(i));
        }
    }

    @Test
    void carriesFramesWithDoorbellsInMemory() throws Exception {
        start(TestCard.standard());
        for (int i = 0; i < 600; i++) {
            send(i, true);
            assertThat(receive(i)).isEqualTo(frame(i));
        }
    }

    @Test
    void trapsTheDoorbellsOfOneFunctionAlone() throws Exception {
        TestCard card = TestCard.trapped(Set.of(1));
        assertThat(card.virtualFunction(0).bars().getFirst().memoryLike()).isNotEmpty();
        assertThat(card.virtualFunction(1).bars().getFirst().memoryLike()).isEmpty();
        start(card);
        for (int i = 0; i < 600; i++) {
            send(i, true);
            assertThat(receive(i)).isEqualTo(frame(i));
        }
    }

    @Test
    void sendsTheVectorsOfItsQueuesOnce() throws Exception {
        start(TestCard.trapped());
        first.write(0x3800, 0x19);
        second.write(0x3804, 0x19);
        for (int i = 0; i < 3; i++) {
            send(i, false);
            receive(i);
            int sent = i;
            Await.until("transmitted", () -> (first.ram().get(TX_RING + 16 * sent + 8) & 0xF) == 0xF);
        }
        Await.until("INTENA cleared", () -> (first.read(0x3800) & 1) == 0 && (second.read(0x3804) & 1) == 0);
        assertThat(first.raised()).containsExactly(1);
        assertThat(second.raised()).containsExactly(2);
        second.write(0x3804, 0x19);
        assertThat(second.raised()).as("what came meanwhile").containsExactly(2);
    }

    @Test
    void servesQueuesOfVector0WithCausesOfTheirOwn() throws Exception {
        start(TestCard.trapped());
        MailboxDriver mailbox = new MailboxDriver(second);
        second.function().reset();
        mailbox.start(CAPABILITIES);
        assertThat(mailbox.ask(7, Arrays.copyOf(shorts(1, 1, 0, 1, 0, 0, 0), 26)).status()).isZero();
        setUp(mailbox, second, LENGTH - 1);
        second.read(0x4800);
        second.write(0x5C00, 0x19);
        send(0, false);
        receive(0);
        Await.until("vector 0", () -> second.raised().contains(0));
        assertThat(second.read(0x4800)).isEqualTo(2);
    }

    @Test
    void usesNoMemoryAfterDisableWasAnswered() throws Exception {
        start(TestCard.trapped());
        MailboxDriver mailbox = new MailboxDriver(second);
        second.function().reset();
        mailbox.start(CAPABILITIES);
        setUp(mailbox, second, LENGTH - 1);
        for (int round = 0; round < 20; round++) {
            send(round, false);
            assertThat(mailbox.ask(9, ints(1, 1, 1)).status()).isZero();
            byte[] before = second.ram().get(RX_RING, 32 * LENGTH);
            send(round + 100, false);
            Await.until("sent", () -> first.read(0x0000) == lastTail);
            assertThat(second.ram().get(RX_RING, 32 * LENGTH)).isEqualTo(before);
            mailbox.send(8, ints(1, 1, 1));
            mailbox.receive();
            mailbox.receive();
        }
    }

    @Test
    void tellsOfDoorbellsBeforeItActs() throws Exception {
        start(TestCard.standard());
        MailboxDriver mailbox = new MailboxDriver(second);
        second.function().reset();
        mailbox.start(CAPABILITIES);
        setUp(mailbox, second, 1);
        List<String> told = Collections.synchronizedList(new ArrayList<>());
        GuestRam ram = second.ram();
        assertThat(second.function().tapDoorbells(Optional.of((bar, offset, value) -> told.add("bar%d+0x%x=%d %s".formatted(bar, offset,
            value, (ram.get(RX_RING + 8) & 1) == 0 ? "before" : "after"))))).isTrue();
        send(0, true);
        Await.until("received", () -> (ram.get(RX_RING + 8) & 1) == 1);
        assertThat(told).contains("bar0+0x2000=1 before");
        second.write(MailboxDriver.ARQT, 9);
        Await.until("mailbox", () -> told.contains("bar0+0x7000=9 after"));
        second.mapped(0).set(ValueLayout.JAVA_INT, 0x2000, 3);
        send(1, true);
        Await.until("mapped", () -> told.contains("bar0+0x2000=3 after"));
        second.function().tapDoorbells(Optional.empty());
        told.clear();
        second.function().reset();
        mailbox.start(CAPABILITIES);
        assertThat(told).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void neitherSendsNorReceivesUnlessBusMaster(boolean mapped) throws Exception {
        start(mapped ? TestCard.standard() : TestCard.trapped());
        first.config(0x04, 2, 2);
        send(0, mapped);
        long end = System.nanoTime() + 30_000_000;
        while (System.nanoTime() - end < 0) {
            assertThat(first.ram().get(TX_RING + 8) & 0xF).as("done").isZero();
        }
        first.config(0x04, 2, MailboxDriver.MEMORY_AND_MASTER);
        assertThat(receive(0)).isEqualTo(frame(0));
        second.config(0x04, 2, 2);
        send(1, mapped);
        Await.until("sent", () -> (first.ram().get(TX_RING + 16 + 8) & 0xF) == 0xF);
        end = System.nanoTime() + 30_000_000;
        while (System.nanoTime() - end < 0) {
            assertThat(second.ram().get(RX_RING + 32 + 8) & 1).as("done").isZero();
        }
        second.config(0x04, 2, MailboxDriver.MEMORY_AND_MASTER);
        assertThat(receive(1)).isEqualTo(frame(1));
    }

    @Test
    void countsWhatPassed() throws Exception {
        TestCard card = TestCard.trapped();
        start(card);
        send(0, false);
        receive(0);
        Await.until("counted", () -> card.virtualFunction(1).model().network().orElseThrow().statistics().get("rx_unicast") == 1);
        assertThat(card.virtualFunction(0).model().network().orElseThrow().statistics()).containsEntry("tx_unicast", 1L)
            .containsEntry("tx_bytes", 60L).containsEntry("dma_faults", 0L);
    }

    private void start(TestCard card) throws Exception {
        first = TestDriver.bind(card.virtualFunction(0));
        second = TestDriver.bind(card.virtualFunction(1));
        for (TestDriver driver : List.of(first, second)) {
            MailboxDriver mailbox = new MailboxDriver(driver);
            mailbox.start(CAPABILITIES);
            int vector = driver == first ? 1 : 2;
            assertThat(mailbox.ask(7, Arrays.copyOf(shorts(1, 1, vector, 1, 1, 0, 1), 26)).status()).isZero();
            setUp(mailbox, driver, LENGTH - 1);
        }
    }

    private static void setUp(MailboxDriver mailbox, TestDriver driver, int tail) throws Exception {
        for (int i = 0; i < LENGTH; i++) {
            driver.ram().set(RX_RING + 32 * i, RX_BUFFERS + 2048 * i);
            driver.ram().set(RX_RING + 32 * i + 8, 0);
        }
        driver.write(0x2000, tail);
        assertThat(mailbox.ask(6, config()).status()).isZero();
        mailbox.send(8, ints(1, 1, 1));
        assertThat(mailbox.receive().status()).isZero();
        mailbox.receive();
    }

    private void send(int number, boolean mapped) throws Exception {
        int index = number % LENGTH;
        GuestRam ram = first.ram();
        byte[] frame = frame(number);
        ram.set(TX_BUFFER, frame);
        ram.set(TX_RING + 16 * index, TX_BUFFER);
        ram.set(TX_RING + 16 * index + 4, 0);
        // EOP, RS and ICRC; length.
        ram.set(TX_RING + 16 * index + 8, 7 << 4);
        ram.set(TX_RING + 16 * index + 12, frame.length << 2);
        int tail = (index + 1) % LENGTH;
        lastTail = tail;
        if (mapped) {
            MemorySegment doorbells = first.mapped(0);
            doorbells.set(ValueLayout.JAVA_INT, 0, tail);
        } else {
            first.write(0x0000, tail);
        }
    }

    private byte[] receive(int number) throws Exception {
        int at = RX_RING + 32 * (number % LENGTH);
        GuestRam ram = second.ram();
        Await.until("frame " + number, () -> (ram.get(at + 8) & 3) == 3);
        int length = ram.get(at + 12) >>> 6 & 0x3FFF;
        byte[] frame = ram.get(RX_BUFFERS + 2048 * (number % LENGTH), length);
        ram.set(at, RX_BUFFERS + 2048 * (number % LENGTH));
        ram.set(at + 4, 0);
        ram.set(at + 8, 0);
        second.write(0x2000, number % LENGTH);
        return frame;
    }

    private static byte[] frame(int number) {
        byte[] frame = new byte[60 + number % 1400];
        ByteBuffer bytes = ByteBuffer.wrap(frame);
        bytes.putShort((short) 0x0200).putInt(0x003B_0001).putShort((short) 0x0200).putInt(0x003B_0000).putShort((short) 0x88B5);
        while (bytes.remaining() >= Integer.BYTES) {
            bytes.putInt(number * 31 + bytes.position());
        }
        return frame;
    }

    private static byte[] config() {
        ByteBuffer message = ByteBuffer.wrap(VirtchnlTest.config(0)).order(ByteOrder.LITTLE_ENDIAN);
        message.putLong(8 + 8, TX_RING).putLong(8 + 48, RX_RING).putInt(8 + 36, 2048);
        return message.array();
    }
}
