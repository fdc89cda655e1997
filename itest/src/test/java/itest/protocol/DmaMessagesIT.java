// SPDX-License-Identifier: Apache-2.0
package itest.protocol;

import static itest.wire.Command.DMA_MAP;
import static itest.wire.Command.DMA_READ;
import static itest.wire.Command.DMA_UNMAP;
import static itest.wire.Command.DMA_WRITE;
import static itest.wire.Command.READABLE;
import static itest.wire.Command.REGION_READ;
import static itest.wire.Command.REGION_WRITE;
import static itest.wire.Command.WRITABLE;
import static org.assertj.core.api.Assertions.assertThat;

import itest.Await;
import itest.bundles.InstalledMediators;
import itest.bundles.MediatorBundle;
import itest.mediators.Transferring;
import itest.wire.Bytes;
import itest.wire.Message;
import itest.wire.Payload;
import itest.wire.RawClient;
import java.time.Duration;
import java.util.Arrays;
import java.util.Random;
import linux.sys.Fd;
import linux.sys.Mapping;
import linux.sys.Memfd;
import org.junit.Before;
import org.junit.Rule;
import org.junit.Test;

/** DMA_READ and DMA_WRITE, from the server to the client, over the connection and over a twin socket; and DMA by a file beside them. */
public class DmaMessagesIT extends OverSocket {
    private static final int EFAULT = 14;
    private static final int EDEADLK = 35;
    private static final int EPROTO = 71;
    private static final int ETIMEDOUT = 110;
    private static final int ENXIO = 6;
    private static final int BOTH = READABLE | WRITABLE;
    private static final long IOVA = 0x7_0000_0000L;
    private static final int SIZE = 0x10_0000;
    private static final String SMALL_PIECES = "{\"capabilities\":{\"max_data_xfer_size\":65536}}";

    @Rule
    public final InstalledMediators mediators = new InstalledMediators(() -> context);

    @Before
    public void transfer() throws Exception {
        mediators.start(MediatorBundle.of(Transferring.class).named("transferring"));
    }

    private static void write(RawClient client, long register, long value) {
        succeeds(client, REGION_WRITE, Payload.access(register, BAR0, 4).u32(value));
    }

    private static long read(RawClient client, long register) {
        return succeeds(client, REGION_READ, Payload.access(register, BAR0, 4)).u32(Payload.REGION_ACCESS);
    }

    private static void begin(RawClient client, int doorbell, long address, int count) {
        write(client, Transferring.ADDRESS_LOW, address);
        write(client, Transferring.ADDRESS_HIGH, address >>> 32);
        write(client, Transferring.COUNT, count);
        // Posted, so that the next message is the server's request.
        client.post(REGION_WRITE, Message.NO_REPLY, Payload.access(Transferring.DOORBELL, BAR0, 4).u32(doorbell));
    }

    private static Message request(RawClient from, int command, long address, long count) {
        Message request = from.receive();
        assertThat(request.command()).isEqualTo(command);
        assertThat(request.flags()).isZero();
        assertThat(request.errno()).isZero();
        assertThat(request.fds()).isEmpty();
        assertThat(request.u64(0)).as("address").isEqualTo(address);
        assertThat(request.u64(8)).as("count").isEqualTo(count);
        assertThat(request.payload()).hasSize(Payload.DMA_ACCESS + (command == DMA_WRITE ? (int) count : 0));
        return request;
    }

    private static void reply(RawClient to, Message request, Bytes payload) {
        to.send(Message.encode(request.id(), request.command(), Message.REPLY, payload.array()));
    }

    private static void endsWith(RawClient client, int done, int errno) throws Exception {
        Await.until("the transfer has ended", () -> read(client, Transferring.DONE) == done);
        assertThat(read(client, Transferring.RESULT)).as("how it ended").isEqualTo(errno);
    }

    @Test
    public void failsWhatTheClientRefusesOrAnswersWrongly() throws Exception {
        RawClient client = served.ready();
        succeeds(client, DMA_MAP, Payload.dmaMap(BOTH, 0, IOVA, SIZE));
        begin(client, Transferring.READ, IOVA, 64);
        Message refused = request(client, DMA_READ, IOVA, 64);
        client.send(Message.encode(refused.id(), DMA_READ, Message.HEADER, Message.REPLY | Message.ERROR, ENXIO, new byte[0]));
        endsWith(client, 1, ENXIO);
        int done = 1;
        for (int bytes : new int[] {0, 1, Payload.DMA_ACCESS - 1, Payload.DMA_ACCESS, Payload.DMA_ACCESS + 63, Payload.DMA_ACCESS + 65,
            1 << 16}) {
            begin(client, Transferring.READ, IOVA, 64);
            reply(client, request(client, DMA_READ, IOVA, 64), Bytes.none().zeros(bytes));
            endsWith(client, ++done, EPROTO);
        }
        for (int bytes : new int[] {1, Payload.DMA_ACCESS - 1, Payload.DMA_ACCESS + 1}) {
            begin(client, Transferring.WRITE, IOVA, 64);
            reply(client, request(client, DMA_WRITE, IOVA, 64), Bytes.none().zeros(bytes));
            endsWith(client, ++done, EPROTO);
        }
    }

    /** Another id, the other command, the same reply twice: none of it is taken for the answer, none of it is answered. */
    @Test
    public void takesNoReplyThatIsNotTheOne() throws Exception {
        RawClient client = served.ready();
        succeeds(client, DMA_MAP, Payload.dmaMap(BOTH, 0, IOVA, SIZE));
        begin(client, Transferring.READ, IOVA, 8);
        Message request = request(client, DMA_READ, IOVA, 8);
        client.send(Message.encode(request.id() + 1, DMA_READ, Message.REPLY, Payload.dmaAccess(IOVA, 8).u64(1).array()));
        client.send(Message.encode(request.id(), DMA_WRITE, Message.REPLY, Payload.dmaAccess(IOVA, 8).array()));
        serves(client);
        reply(client, request, Payload.dmaAccess(IOVA, 8).u64(0x42));
        reply(client, request, Payload.dmaAccess(IOVA, 8).u64(0x43));
        endsWith(client, 1, 0);
        begin(client, Transferring.WRITE, IOVA, 8);
        Message write = request(client, DMA_WRITE, IOVA, 8);
        assertThat(write.u64(Payload.DMA_ACCESS)).as("what was read").isEqualTo(0x42);
        client.send(Message.encode(write.id(), DMA_WRITE, Message.REPLY, new byte[0]));
        endsWith(client, 2, 0);
    }

    @Test
    public void failsWhenNobodyAnswers() throws Exception {
        RawClient client = served.ready();
        succeeds(client, DMA_MAP, Payload.dmaMap(BOTH, 0, IOVA, SIZE));
        begin(client, Transferring.READ, IOVA, 8);
        Message late = request(client, DMA_READ, IOVA, 8);
        endsWith(client, 1, ETIMEDOUT);
        reply(client, late, Payload.dmaAccess(IOVA, 8).u64(1));
        serves(client);
    }

    @Test
    public void failsWhereNothingIsMappedOrTheClientMayNotWait() throws Exception {
        RawClient client = served.ready();
        begin(client, Transferring.READ, IOVA, 8);
        endsWith(client, 1, EFAULT);
        succeeds(client, DMA_MAP, Payload.dmaMap(BOTH, 0, IOVA, SIZE));
        begin(client, Transferring.WRITE, IOVA + SIZE, 8);
        endsWith(client, 2, EFAULT);
        Message reply = client.call(REGION_WRITE, Payload.access(Transferring.DOORBELL, BAR0, 4).u32(Transferring.READ_AT_ONCE));
        assertThat(reply.errno()).as("memory by messages within a register access").isIn(EDEADLK, EFAULT);
        write(client, Transferring.ADDRESS_LOW, IOVA);
        reply = client.call(REGION_WRITE, Payload.access(Transferring.DOORBELL, BAR0, 4).u32(Transferring.READ_AT_ONCE));
        assertThat(reply.errno()).isEqualTo(EDEADLK);
    }

    @Test
    public void endsWhenTheClientUnmapsOrLeaves() throws Exception {
        RawClient client = served.ready();
        succeeds(client, DMA_MAP, Payload.dmaMap(BOTH, 0, IOVA, SIZE));
        begin(client, Transferring.READ, IOVA, 8);
        Message request = request(client, DMA_READ, IOVA, 8);
        succeeds(client, DMA_UNMAP, Payload.dmaUnmap(0, IOVA, SIZE));
        reply(client, request, Payload.dmaAccess(IOVA, 8).u64(1));
        endsWith(client, 1, EFAULT);
        succeeds(client, DMA_MAP, Payload.dmaMap(BOTH, 0, IOVA, SIZE));
        begin(client, Transferring.WRITE, IOVA, 8);
        request(client, DMA_WRITE, IOVA, 8);
        served.hangUp();
        serves(served.ready());
    }

    @Test
    public void copiesInPiecesOverTheConnection() throws Exception {
        RawClient client = served.ready(SMALL_PIECES);
        copies(client, client);
    }

    @Test
    public void copiesInPiecesOverATwinSocket() throws Exception {
        RawClient client = served.connect();
        Message version = succeeds(client, itest.wire.Command.VERSION,
            Payload.version("{\"capabilities\":{\"max_data_xfer_size\":65536,\"twin_socket\":{\"supported\":true}}}"));
        assertThat(version.fds()).hasSize(1);
        try (RawClient twin = RawClient.over(version.fds().getFirst())) {
            copies(client, twin);
            assertThat(client.next(Duration.ZERO)).as("nothing of it over the connection").isEmpty();
        }
        begin(client, Transferring.READ, IOVA, 8);
        endsWith(client, 3, EFAULT);
    }

    private static void copies(RawClient client, RawClient commands) throws Exception {
        byte[] data = new byte[0x28000];
        new Random(1).nextBytes(data);
        succeeds(client, DMA_MAP, Payload.dmaMap(BOTH, 0, IOVA, SIZE));
        begin(client, Transferring.READ, IOVA, data.length);
        for (int done = 0; done < data.length; done += 0x10000) {
            int count = Math.min(0x10000, data.length - done);
            Message request = request(commands, DMA_READ, IOVA + done, count);
            reply(commands, request, Payload.dmaAccess(IOVA + done, count).raw(Arrays.copyOfRange(data, done, done + count)));
        }
        endsWith(client, 1, 0);
        begin(client, Transferring.WRITE, IOVA + 0x1000, data.length);
        for (int done = 0; done < data.length; done += 0x10000) {
            int count = Math.min(0x10000, data.length - done);
            Message request = request(commands, DMA_WRITE, IOVA + 0x1000 + done, count);
            assertThat(Arrays.equals(request.payload(), Payload.DMA_ACCESS, Payload.DMA_ACCESS + count, data, done, done + count))
                .as("data from %d", done).isTrue();
            reply(commands, request, Payload.dmaAccess(IOVA + 0x1000 + done, count));
        }
        endsWith(client, 2, 0);
    }

    /** The same by a file, mapped and read and written; one that is cut short fails that transfer and no other. */
    @Test
    public void copiesByAFileAndFailsWhereItWasCutShort() throws Exception {
        RawClient client = served.ready();
        int size = 0x20000;
        for (int flags : new int[] {BOTH, BOTH | 8}) {
            try (Fd file = Memfd.create("cut-short", size, false); Mapping mine = Mapping.of(file, 0, size, true, true)) {
                long done = read(client, Transferring.DONE);
                mine.memory().setString(0x100, "from the guest");
                succeeds(client, DMA_MAP, Payload.dmaMap(flags, 0, IOVA, size), file);
                begin(client, Transferring.READ, IOVA + 0x100, 64);
                endsWith(client, (int) done + 1, 0);
                begin(client, Transferring.WRITE, IOVA + 0x10000, 64);
                endsWith(client, (int) done + 2, 0);
                assertThat(mine.memory().getString(0x10000)).isEqualTo("from the guest");
                file.truncate(0x1000);
                begin(client, Transferring.WRITE, IOVA + 0x10000, 64);
                endsWith(client, (int) done + 3, EFAULT);
                begin(client, Transferring.READ, IOVA + 0x100, 64);
                Await.until("the transfer has ended", () -> read(client, Transferring.DONE) == done + 4);
                succeeds(client, DMA_UNMAP, Payload.dmaUnmap(0, IOVA, size));
            }
        }
        serves(client);
    }
}
