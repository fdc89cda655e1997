// SPDX-License-Identifier: Apache-2.0
package itest.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import itest.wire.Bytes;
import itest.wire.Command;
import itest.wire.Message;
import itest.wire.Payload;
import itest.wire.RawClient;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import linux.sys.EventFd;
import linux.sys.Fd;
import org.junit.Test;
import vfio.pci.api.OwnedFd;
import vfio.pci.api.VfioException;

/** VERSION. */
public class VersionIT extends OverSocket {
    /** What QEMU's buffer for the answer holds. */
    private static final int MOST_QEMU_TAKES = 214;

    private static void refusedThenServed(RawClient client, int errno, Bytes payload, OwnedFd... fds) {
        assertThat(client.call(Command.VERSION, payload, fds).errno()).isEqualTo(errno);
    }

    private static String text(Message reply) {
        assertThat(reply.payload()[reply.payload().length - 1]).as("terminating NUL").isZero();
        return new String(reply.payload(), 4, reply.payload().length - 5, StandardCharsets.UTF_8);
    }

    @Test
    public void rejectsShortPayloads() throws VfioException {
        RawClient client = served.connect();
        for (int length = 0; length < 4; length++) {
            refusedThenServed(client, EINVAL, Bytes.none().zeros(length));
        }
        succeeds(client, Command.VERSION, Payload.version(Payload.QEMU));
        serves(client);
    }

    @Test
    public void rejectsAnotherMajor() throws VfioException {
        RawClient client = served.connect();
        refusedThenServed(client, EINVAL, Bytes.none().u16(1, 0).text(Payload.QEMU));
        refusedThenServed(client, EINVAL, Bytes.none().u16(0xFFFF, 0).text(Payload.QEMU));
        succeeds(client, Command.VERSION, Payload.version(Payload.QEMU));
        serves(client);
    }

    @Test
    public void rejectsWhatIsNoJson() throws VfioException {
        RawClient client = served.connect();
        String deep = "{\"capabilities\":" + "[".repeat(2000) + "]".repeat(2000) + "}";
        for (String text : new String[] {"", "{", "[]", "nothing", "{\"capabilities\":1}", "{\"capabilities\":{\"max_msg_fds\":-1}}",
            "{\"capabilities\":{\"max_msg_fds\":\"16\"}}", "{\"capabilities\":{\"max_data_xfer_size\":0}}",
            "{\"capabilities\":{\"pgsizes\":1}}", "{\"capabilities\":{\"max_msg_fds\":1e400}}", "{\"capabilities\":{\"twin_socket\":3}}"}) {
            assertThat(client.call(Command.VERSION, Payload.version(text)).errno()).as(text).isEqualTo(EINVAL);
        }
        assertThat(client.call(Command.VERSION, Payload.version(deep)).errno()).as("nested deeply").isEqualTo(EINVAL);
        refusedThenServed(client, EINVAL, Bytes.none().u16(0, 0).raw(Payload.QEMU.getBytes(StandardCharsets.UTF_8)));
        refusedThenServed(client, EINVAL, Bytes.none().u16(0, 0).u8('{', '"', 0xFF, '"', ':', '1', '}', 0));
        refusedThenServed(client, EMSGSIZE, Payload.version("{\"capabilities\":{}}" + " ".repeat(5000)));
        succeeds(client, Command.VERSION, Payload.version(Payload.QEMU));
        serves(client);
    }

    @Test
    public void rejectsASecondOne() throws VfioException {
        RawClient client = served.ready();
        refuses(EINVAL, client, Command.VERSION, Payload.version(Payload.QEMU));
        client.post(Command.VERSION, Message.NO_REPLY, Payload.version(Payload.QEMU));
        serves(client);
    }

    @Test
    public void answersASecondOneThatComesWithTheFirst() throws VfioException {
        RawClient client = served.connect();
        byte[] payload = Payload.version(Payload.QEMU).array();
        client.send(Bytes.none().raw(Message.encode(1, Command.VERSION, 0, payload)).raw(Message.encode(2, Command.VERSION, 0, payload))
            .raw(Message.encode(3, Command.DEVICE_RESET, 0, new byte[0])).array());
        assertThat(client.replyTo(1, Command.VERSION).errno()).isZero();
        assertThat(client.replyTo(2, Command.VERSION).errno()).isEqualTo(EINVAL);
        assertThat(client.replyTo(3, Command.DEVICE_RESET).errno()).isZero();
        serves(client);
    }

    @Test
    public void rejectsFiles() throws VfioException {
        RawClient client = served.connect();
        try (EventFd eventFd = EventFd.create()) {
            for (int count : new int[] {1, 16, 17}) {
                OwnedFd[] fds = new OwnedFd[count];
                Arrays.fill(fds, eventFd.fd());
                refusedThenServed(client, EINVAL, Payload.version(Payload.QEMU), fds);
            }
        }
        succeeds(client, Command.VERSION, Payload.version(Payload.QEMU));
        serves(client);
    }

    @Test
    public void doesNotAnswerAReply() throws VfioException {
        RawClient client = served.connect();
        client.post(Command.VERSION, Message.REPLY, Payload.version(Payload.QEMU));
        succeeds(client, Command.VERSION, Payload.version(Payload.QEMU));
        serves(client);
    }

    @Test
    public void hangsUpOnASizeThatNoMessageHas() throws VfioException {
        for (long size : new long[] {0, 15, (1 << 20) + 33, 0x7FFF_FFFFL, 0xFFFF_FFFFL}) {
            RawClient client = served.connect();
            client.send(Message.encode(1, Command.VERSION, size, 0, 0, new byte[16]));
            assertThat(client.endsOrderly()).as("size=0x%x", size).isTrue();
            served.hangUp();
        }
        for (long size : new long[] {0, 15, (1 << 20) + 33, 0xFFFF_FFFFL}) {
            RawClient client = served.ready();
            client.send(Bytes.none().raw(Message.encode(1, Command.DEVICE_RESET, 0, new byte[0]))
                .raw(Message.encode(2, Command.REGION_READ, size, 0, 0, new byte[16])).array());
            assertThat(client.replyTo(1, Command.DEVICE_RESET).errno()).as("what came before").isZero();
            assertThat(client.endsOrderly()).as("size=0x%x", size).isTrue();
            served.hangUp();
        }
        serves(served.ready());
    }

    /** The bytes of the answer to QEMU. */
    @Test
    public void answersWhatWasProposedAndIsNotTheDefault() throws VfioException {
        RawClient client = served.connect();
        Message reply = succeeds(client, Command.VERSION, Payload.version(Payload.QEMU));
        assertThat(reply.u16(0)).as("major").isZero();
        assertThat(reply.u16(2)).as("minor").isZero();
        assertThat(text(reply)).isEqualTo("{\"capabilities\":{\"max_msg_fds\":16,\"write_multiple\":true}}");
        assertThat(reply.size()).isEqualTo(78).isLessThanOrEqualTo(MOST_QEMU_TAKES);
        serves(client);
    }

    @Test
    public void answersNothingToWhoProposesNothing() throws VfioException {
        for (Bytes payload : new Bytes[] {Bytes.none().u16(0, 0), Bytes.none().u16(0, 7), Payload.version("{}"),
            Payload.version("{\"capabilities\":{}}"), Payload.version("{\"capabilities\":{\"something\":[1,{}],\"else\":null}}")}) {
            RawClient client = served.connect();
            assertThat(text(succeeds(client, Command.VERSION, payload))).doesNotContain("max").doesNotContain("twin");
            serves(client);
            served.hangUp();
        }
    }

    @Test
    public void takesItWithoutReply() throws VfioException {
        RawClient client = served.connect();
        client.post(Command.VERSION, Message.NO_REPLY, Payload.version(Payload.QEMU));
        serves(client);
    }

    @Test
    public void takesItByteByByteAndLosesAClientAnywhere() throws VfioException {
        byte[] message = Message.encode(7, Command.VERSION, 0, Payload.version(Payload.QEMU).array());
        RawClient client = served.connect();
        for (byte one : message) {
            client.send(new byte[] {one});
        }
        assertThat(client.replyTo(7, Command.VERSION).errno()).isZero();
        for (int length = 0; length <= message.length; length += 13) {
            served.hangUp();
            served.connect().send(Arrays.copyOf(message, length));
        }
        served.hangUp();
        serves(served.ready());
    }

    @Test
    public void bringsOneTwinSocketToWhoAsks() throws VfioException {
        RawClient client = served.connect();
        Message reply = succeeds(client, Command.VERSION, Payload.version("{\"capabilities\":{\"twin_socket\":{\"supported\":true}}}"));
        assertThat(text(reply)).isEqualTo("{\"capabilities\":{\"twin_socket\":{\"supported\":true,\"fd_index\":0}}}");
        assertThat(reply.fds()).hasSize(1);
        try (RawClient twin = RawClient.over(reply.fds().getFirst())) {
            twin.send(Message.encode(1, Command.DEVICE_RESET, 0, new byte[0]));
            assertThat(twin.endsOrderly()).as("a client's commands have no place there").isTrue();
        }
        serves(client);
        reply.fds().forEach(Fd::close);
    }
}
