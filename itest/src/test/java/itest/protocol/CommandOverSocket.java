// SPDX-License-Identifier: Apache-2.0
package itest.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import itest.wire.Bytes;
import itest.wire.Command;
import itest.wire.Message;
import itest.wire.Payload;
import itest.wire.RawClient;
import java.util.Arrays;
import linux.sys.EventFd;
import linux.sys.Fd;
import linux.sys.Memfd;
import org.junit.Test;
import vfio.pci.api.OwnedFd;
import vfio.pci.api.VfioException;

/** The tests that all commands have in common: the faults they answer alike, and how their messages may come. */
public abstract class CommandOverSocket extends OverSocket {
    /** More than the protocol lets a message bring, and more than the kernel's usual buffers hold. */
    private static final int TOO_MANY_FDS = 20;
    private static final int MERGED = 40;

    private final int command;

    CommandOverSocket(int command) {
        this.command = command;
    }

    /** A payload that succeeds, any number of times. */
    abstract Bytes valid();

    /** How many files are too many for {@link #valid()}. */
    int fdsTooMany() {
        return 1;
    }

    @Test
    public void rejectsEveryShorterPayload() throws VfioException {
        RawClient client = served.ready();
        byte[] bytes = valid().array();
        for (int length = 0; length < bytes.length; length++) {
            refuses(EINVAL, client, command, Bytes.none().raw(Arrays.copyOf(bytes, length)));
        }
    }

    @Test
    public void rejectsLongerPayloads() throws VfioException {
        RawClient client = served.ready();
        for (int more : new int[] {1, 7, 4096, 1 << 20}) {
            int length = Math.min(more, (1 << 20) + Payload.REGION_ACCESS - valid().array().length);
            refuses(EINVAL, client, command, valid().zeros(length));
        }
    }

    /** They are closed, too: what is left behind is counted after each test. */
    @Test
    public void rejectsFilesItDoesNotAskFor() throws VfioException {
        RawClient client = served.ready();
        try (EventFd eventFd = EventFd.create(); Fd memory = Memfd.create("unwanted", 4096, true)) {
            for (int count = fdsTooMany(); count <= TOO_MANY_FDS; count++) {
                OwnedFd[] fds = new OwnedFd[count];
                Arrays.setAll(fds, i -> i % 2 == 0 ? eventFd.fd() : memory);
                refuses(EINVAL, client, command, valid(), fds);
            }
        }
    }

    @Test
    public void closesMoreFilesThanCanBeReceived() throws VfioException {
        RawClient client = served.ready();
        try (EventFd eventFd = EventFd.create()) {
            OwnedFd[] fds = new OwnedFd[253];
            Arrays.fill(fds, eventFd.fd());
            Message reply = client.call(command, valid(), fds);
            assertThat(reply.errno()).as("EMFILE").isEqualTo(24);
            serves(client);
        }
    }

    @Test
    public void rejectsItBeforeVersion() throws VfioException {
        RawClient client = served.connect();
        assertThat(client.call(command, valid()).errno()).isEqualTo(EINVAL);
        client.post(command, Message.NO_REPLY, valid());
        succeeds(client, Command.VERSION, Payload.version(Payload.QEMU));
        serves(client);
    }

    @Test
    public void rejectsTypesThatAreNeitherCommandNorReply() throws VfioException {
        RawClient client = served.ready();
        for (int type = Message.REPLY + 1; type <= Message.TYPE; type++) {
            int id = client.post(command, type, valid());
            assertThat(client.replyTo(id, command).errno()).isEqualTo(EINVAL);
        }
        serves(client);
    }

    @Test
    public void doesNotAnswerAReplyToNothing() throws VfioException {
        RawClient client = served.ready();
        client.post(command, Message.REPLY, valid());
        client.post(command, Message.REPLY | Message.ERROR, Bytes.none());
        serves(client);
    }

    @Test
    public void answersNothingToNoReply() throws VfioException {
        RawClient client = served.ready();
        client.post(command, Message.NO_REPLY, valid());
        client.post(command, Message.NO_REPLY, valid().zeros(3));
        client.post(command, Message.NO_REPLY, Bytes.none());
        serves(client);
    }

    @Test
    public void answersWhatComesByteByByte() throws VfioException {
        RawClient client = served.ready();
        int id = client.nextId();
        for (byte one : Message.encode(id, command, 0, valid().array())) {
            client.send(new byte[] {one});
        }
        assertThat(client.replyTo(id, command).errno()).isZero();
        serves(client);
    }

    /** With its end missing at first. */
    @Test
    public void answersManyInOneInOrder() throws VfioException {
        RawClient client = served.ready();
        Bytes many = Bytes.none();
        for (int id = 0; id < MERGED; id++) {
            many.raw(Message.encode(id, command, 0, valid().array()));
        }
        byte[] merged = many.array();
        int cut = merged.length - 1;
        client.send(Arrays.copyOf(merged, cut));
        for (int id = 0; id < MERGED - 1; id++) {
            assertThat(client.replyTo(id, command).errno()).isZero();
        }
        client.send(Arrays.copyOfRange(merged, cut, merged.length));
        assertThat(client.replyTo(MERGED - 1, command).errno()).isZero();
        serves(client);
    }

    /** The device is closed, and the next client served, wherever the message ends. */
    @Test
    public void letsGoOfAClientThatLeavesWithinIt() throws VfioException {
        byte[] message = Message.encode(1, command, 0, valid().array());
        for (int length : new int[] {1, Message.HEADER - 1, Message.HEADER, message.length - 1, message.length}) {
            try (EventFd eventFd = EventFd.create()) {
                served.ready().send(Arrays.copyOf(message, length), eventFd.fd());
            }
            served.hangUp();
        }
        serves(served.ready());
    }
}
