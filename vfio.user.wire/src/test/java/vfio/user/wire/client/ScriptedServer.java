// SPDX-License-Identifier: Apache-2.0
package vfio.user.wire.client;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import linux.sys.ReceivedFds;
import linux.sys.UnixSocket;
import vfio.pci.api.Errno;

/// A server that does what its script says to its first client: messages put together by hand, without this project's layouts.
final class ScriptedServer implements AutoCloseable {
    /// What it does.
    interface Script {
        void run(ScriptedServer server) throws Exception;
    }

    /// A message: its id, command, flags, errno and payload.
    record Message(int id, int command, int flags, int errno, byte[] payload) {
        ByteBuffer bytes() {
            return ByteBuffer.wrap(payload).order(ByteOrder.nativeOrder());
        }
    }

    /// Flags of an answer that is an error.
    static final int F_ERROR = 0x21;

    private static final int MOST = 1 << 16;

    private final UnixSocket listener;
    private final Arena arena = Arena.ofShared();
    private final MemorySegment buffer = arena.allocate(MOST);
    private final CompletableFuture<Void> done = new CompletableFuture<>();
    private final ReceivedFds fds = new ReceivedFds();
    private UnixSocket client;

    ScriptedServer(Path path, Script script) throws Exception {
        listener = UnixSocket.listen(path, 0600, 1);
        Thread.ofPlatform().daemon().name("scripted-server").start(() -> {
            try {
                client = listener.accept();
                script.run(this);
                done.complete(null);
                // checkstyle: allow IllegalCatch: whatever went wrong is told by finish()
            } catch (Throwable e) {
                done.completeExceptionally(e);
            }
        });
    }

    UnixSocket client() {
        return client;
    }

    Message receive() {
        return receive(client);
    }

    Message receive(UnixSocket from) {
        receive(from, 0, 16);
        int size = buffer.get(ValueLayout.JAVA_INT_UNALIGNED, 4);
        receive(from, 16, size - 16);
        return new Message(buffer.get(ValueLayout.JAVA_SHORT_UNALIGNED, 0), buffer.get(ValueLayout.JAVA_SHORT_UNALIGNED, 2),
            buffer.get(ValueLayout.JAVA_INT_UNALIGNED, 8), buffer.get(ValueLayout.JAVA_INT_UNALIGNED, 12),
            buffer.asSlice(16, size - 16).toArray(ValueLayout.JAVA_BYTE));
    }

    private void receive(UnixSocket from, int at, int size) {
        for (int have = 0; have < size;) {
            int count = from.receive(buffer, at + have, size - have, fds, true);
            if (count <= 0) {
                throw new IllegalStateException("received " + count);
            }
            have += count;
        }
    }

    void send(UnixSocket to, Message message, int... numbers) {
        int size = 16 + message.payload.length;
        ByteBuffer bytes = ByteBuffer.allocate(size).order(ByteOrder.nativeOrder()).putShort((short) message.id)
            .putShort((short) message.command).putInt(size).putInt(message.flags).putInt(message.errno).put(message.payload);
        MemorySegment.copy(bytes.array(), 0, buffer, ValueLayout.JAVA_BYTE, 0, size);
        int sent = numbers.length == 0 ? to.send(buffer, 0, size, true)
            : to.sendWithFds(buffer, 0, size, numbers, numbers.length, true);
        if (sent != size) {
            throw new IllegalStateException("sent " + sent);
        }
    }

    /// Answers with that payload.
    void reply(Message to, byte[] payload, int... numbers) {
        send(client, new Message(to.id, to.command, 1, 0, payload), numbers);
    }

    /// Receives that command with that payload, both in hex with blanks, and answers it.
    void answer(int command, String asked, String answer) {
        reply(receive(command, asked), hex(answer));
    }

    /// Receives that command with that payload, and answers with an error.
    void refuse(int command, String asked, Errno errno) {
        Message message = receive(command, asked);
        send(client, new Message(message.id, message.command, F_ERROR, errno.value(), new byte[0]));
    }

    private Message receive(int command, String asked) {
        Message message = receive();
        assertThat(message.command).isEqualTo(command);
        assertThat(HexFormat.of().formatHex(message.payload)).isEqualTo(asked.replace(" ", ""));
        return message;
    }

    private static byte[] hex(String bytes) {
        return HexFormat.of().parseHex(bytes.replace(" ", ""));
    }

    /// Sends a command of the server on the client's connection.
    void ask(int id, int command, byte[] payload) {
        send(client, new Message(id, command, 0, 0, payload));
    }

    /// Answers VERSION.
    void agree(String json, int... numbers) {
        Message version = receive();
        byte[] text = json.getBytes(StandardCharsets.UTF_8);
        reply(version, ByteBuffer.allocate(5 + text.length).putInt(0).put(text).put((byte) 0).array(), numbers);
    }

    static byte[] access(long address, long count, byte... data) {
        return ByteBuffer.allocate(16 + data.length).order(ByteOrder.nativeOrder()).putLong(address).putLong(count).put(data).array();
    }

    /// Waits for the end of the script, and throws what it threw.
    void finish() throws InterruptedException, ExecutionException, TimeoutException {
        done.get(20, TimeUnit.SECONDS);
    }

    @Override
    public void close() {
        listener.close();
        if (client != null) {
            client.close();
        }
        fds.clear();
    }
}
