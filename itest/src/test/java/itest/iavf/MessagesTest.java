// SPDX-License-Identifier: Apache-2.0
package itest.iavf;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import org.junit.Test;

/** Bytes of messages against those that follow from {@code virtchnl.h}; lengths are what Linux sends. */
public class MessagesTest {
    private static final int VSI = 2;
    private static final MacAddress MAC = new MacAddress(0x5254_0012_3456L);

    @Test
    public void selectsQueues() {
        assertThat(Messages.queues(VSI, 3, 5).toBytes()).isEqualTo(hex("0200 0000 03000000 05000000"));
    }

    @Test
    public void mapsVectorsInUnalignedElements() {
        byte[] bytes = Messages.irqMap(VSI, List.of(new Messages.VectorMap(1, 0x21, 0x43, 0, 1))).toBytes();
        assertThat(bytes).isEqualTo(hex("0100 0200 0100 2100 4300 0000 0100" + "00".repeat(12)));
    }

    @Test
    public void namesAnAddress() {
        assertThat(Messages.address(VSI, MAC, true).toBytes()).isEqualTo(hex("0200 0100 525400123456 01 00" + "00".repeat(8)));
    }

    @Test
    public void hasTheLengthsThatDriversSend() {
        assertThat(Messages.version().toBytes()).hasSize(8);
        assertThat(Messages.wantedCapabilities(1).toBytes()).hasSize(4);
        assertThat(Messages.rssKey(VSI, new byte[52]).toBytes()).hasSize(57);
        assertThat(Messages.rssLut(VSI, new byte[64]).toBytes()).hasSize(69);
        assertThat(Messages.vlan(VSI, 7).toBytes()).hasSize(8);
        assertThat(Messages.promiscuous(VSI, true, false).toBytes()).isEqualTo(hex("0200 0100"));
    }

    @Test
    public void describesAPairOfQueuesIn64Bytes() throws Exception {
        try (var guest = GuestMemory.create(1 << 20)) {
            guest.allocate(0x1000, 0x1000);
            var tx = new TxRing(guest, none(), 64, 2048);
            var rx = new RxRing(guest, none(), 1, 128, 2048);
            byte[] bytes = Messages.vsiQueues(VSI, List.of(new QueuePair(1, tx, rx)), 1536).toBytes();
            String txAddress = "0010008025000000";
            String rxAddress = address(rx.iova());
            assertThat(bytes).isEqualTo(hex("0200 0100 00000000"
                + "0200 0100 4000 0000" + txAddress + "0000000000000000"
                + "0200 0100 80000000 0000 0000 00080000 00060000 00 01 0000" + rxAddress + "00000000 00000000"
                + "00".repeat(64)));
        }
    }

    @Test
    public void readsResources() {
        VfResources resources = VfResources.decode(new AqMessage(3, 0, hex("01000400050000008100000034000000400000000200040006000000"
            + "0000 525400123456")));
        assertThat(resources).isEqualTo(new VfResources(4, 5, 0, 0x81, 52, 64, VSI, MAC));
        assertThat(resources.has(Capability.ADV_LINK_SPEED)).isTrue();
        assertThat(resources.has(Capability.RSS_PF)).isFalse();
    }

    @Test
    public void readsEvents() {
        assertThat(PfEvent.decode(new AqMessage(17, 0, hex("01000000 409c0000 01 000000 00000000"))))
            .isEqualTo(new PfEvent.LinkChange(true, 40000));
    }

    @Test
    public void asksForWhatTheDriversAskFor() {
        assertThat(Optional.of(Sequence.LINUX.wanted()).filter(Capability.RSS_REG::in)).as("Linux takes registers too").isPresent();
        assertThat(Optional.of(Sequence.DPDK.wanted()).filter(Capability.RSS_REG::in)).as("DPDK does not").isEmpty();
    }

    private static Doorbell none() {
        return new Doorbell.Mapped(Arena.ofAuto().allocate(4, 4), 0);
    }

    private static String address(long iova) {
        return HexFormat.of().toHexDigits(Long.reverseBytes(iova));
    }

    private static byte[] hex(String text) {
        return HexFormat.of().parseHex(text.replace(" ", ""));
    }
}
