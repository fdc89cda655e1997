// SPDX-License-Identifier: Apache-2.0
package itest.fuzz;

import itest.wire.Bytes;
import itest.wire.Command;
import itest.wire.Message;
import itest.wire.Payload;
import itest.wire.RawClient;
import java.io.ByteArrayOutputStream;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.random.RandomGenerator;
import linux.sys.Fd;
import vfio.pci.api.OwnedFd;
import vfio.pci.api.VfioException;

/**
 * Plays one session and judges the server: each reply in its turn, well-formed, no longer than asked, and none but those; no hanging up
 * but where the framing is lost.
 */
final class Player {
    private static final int KNOWN_FLAGS = Message.TYPE | Message.ERROR;
    /** Most bytes that are sent at once on purpose. */
    private static final int MERGED = 1 << 14;

    private final Path socket;
    private final Files files;
    /** Decides how the bytes are cut. */
    private final RandomGenerator cuts;
    /** Decides what is answered to the server's requests; they come when they come. */
    private final RandomGenerator answers;
    private final Duration patience;
    private final Tally tally;
    private final Framing framing = new Framing();
    private RawClient client;
    private Optional<RawClient> twin = Optional.empty();
    private int message;

    Player(Path socket, Files files, RandomGenerator cuts, RandomGenerator answers, Duration patience, Tally tally) {
        this.socket = socket;
        this.files = files;
        this.cuts = cuts;
        this.answers = answers;
        this.patience = patience;
        this.tally = tally;
    }

    /** Which message of the session was sent last, from 0. */
    int message() {
        return message;
    }

    /**
     * Plays it.
     *
     * @param leaveAt how many messages are sent whole; of the next one a part; all where it is no less than there are
     */
    void play(List<Outgoing> session, int leaveAt) throws VfioException {
        client = RawClient.connect(socket);
        try {
            boolean there = true;
            for (message = 0; message < Math.min(leaveAt, session.size()) && there; message++) {
                there = send(session, session.get(message));
                if (cuts.nextInt(16) == 0) {
                    files.resize(cuts);
                }
            }
            if (there && leaveAt < session.size()) {
                byte[] bytes = session.get(leaveAt).bytes();
                client.trySend(Arrays.copyOf(bytes, cuts.nextInt(bytes.length + 1)), files.of(session.get(leaveAt).files()));
            } else {
                settle();
            }
        } finally {
            twin.ifPresent(RawClient::close);
            client.close();
        }
    }

    /** Sends a message: whole, in pieces, or together with some that follow and bring no files. */
    private boolean send(List<Outgoing> session, Outgoing first) {
        byte[] bytes = first.bytes();
        OwnedFd[] fds = files.of(first.files());
        if (cuts.nextInt(8) == 0 && bytes.length > 1) {
            int cut = cuts.nextInt(1, bytes.length);
            return sent(Arrays.copyOf(bytes, cut), fds) && sent(Arrays.copyOfRange(bytes, cut, bytes.length)) && takeReplies();
        }
        if (cuts.nextInt(4) > 0) {
            var merged = new ByteArrayOutputStream();
            merged.writeBytes(bytes);
            while (message + 1 < session.size() && session.get(message + 1).files().isEmpty() && merged.size() < MERGED
                && cuts.nextInt(8) > 0) {
                merged.writeBytes(session.get(++message).bytes());
            }
            bytes = merged.toByteArray();
        }
        return sent(bytes, fds) && takeReplies();
    }

    private boolean sent(byte[] bytes, OwnedFd... fds) {
        framing.add(bytes);
        return client.trySend(bytes, fds);
    }

    /** Takes what is there. */
    private boolean takeReplies() {
        Optional<Message> came;
        while ((came = client.next(Duration.ZERO)).isPresent()) {
            judge(came.get());
        }
        twin.ifPresent(this::answerTwin);
        requireThere();
        return !client.hasEnded();
    }

    private void answerTwin(RawClient second) {
        Optional<Message> asked;
        while ((asked = second.next(Duration.ZERO)).isPresent()) {
            tally.add(asked.get());
            answer(second, asked.get(), false);
        }
    }

    private void requireThere() {
        if (client.hasEnded() && !framing.isBroken()) {
            throw new AssertionError("the server has hung up, owing " + framing.missing());
        }
    }

    /** Waits for all that is owed; and for the end, where the server has to hang up. */
    private void settle() {
        while (!framing.isSettled() && !client.hasEnded()) {
            twin.ifPresent(this::answerTwin);
            Optional<Message> came = client.next(patience);
            if (came.isPresent()) {
                judge(came.get());
            } else if (!client.hasEnded()) {
                throw new AssertionError("not answered: " + framing.missing());
            }
        }
        requireThere();
        if (framing.isBroken()) {
            Optional<Message> more;
            while ((more = client.next(patience)).isPresent()) {
                judge(more.get());
            }
            if (!client.hasEnded()) {
                throw new AssertionError("the framing is lost, and the server does not hang up");
            }
            if (!framing.isSettled()) {
                throw new AssertionError("hung up on what came before the framing was lost: " + framing.missing());
            }
        }
    }

    private void judge(Message came) {
        tally.add(came);
        if (!came.isReply()) {
            answer(client, came, true);
            return;
        }
        Framing.Owed owed = framing.next().orElseThrow(() -> new AssertionError("a reply nobody asked for: " + came));
        boolean formed = came.id() == owed.id() && came.command() == owed.command() && (came.flags() & ~KNOWN_FLAGS) == 0
            && (came.isError() ? came.errno() > 0 && came.payload().length == 0 : came.errno() == 0)
            && came.payload().length <= owed.longest() && (came.isError() || !owed.error());
        boolean mayBringOne = came.command() == Command.DEVICE_GET_REGION_INFO || came.command() == Command.VERSION
            || came.command() == Command.DEVICE_GET_REGION_IO_FDS;
        if (came.fds().size() > (mayBringOne ? 16 : 0) || !formed) {
            throw new AssertionError("owed %s, got %s".formatted(owed, came));
        }
        if (came.command() == Command.VERSION && !came.fds().isEmpty() && answers.nextInt(4) > 0) {
            twin = Optional.of(twin(came.fds().getFirst()));
        } else {
            came.fds().forEach(Fd::close);
        }
    }

    private RawClient twin(Fd fd) {
        try {
            RawClient second = RawClient.over(fd);
            if (answers.nextInt(4) == 0) {
                byte[] junk = new byte[answers.nextInt(64)];
                answers.nextBytes(junk);
                second.trySend(junk);
            }
            return second;
        } catch (VfioException e) {
            throw new AssertionError(e);
        }
    }

    /** Answers the server's DMA_READ or DMA_WRITE; rightly, wrongly or not at all. */
    private void answer(RawClient to, Message request, boolean overConnection) {
        int count = request.payload().length < Payload.DMA_ACCESS ? 0 : (int) request.u64(Long.BYTES);
        boolean read = request.command() == Command.DMA_READ;
        int expected = Payload.DMA_ACCESS + (read ? 0 : count);
        if (!read && request.command() != Command.DMA_WRITE || request.flags() != 0 || request.payload().length != expected || count <= 0) {
            throw new AssertionError("a request that is none: " + request);
        }
        Bytes right = Payload.dmaAccess(request.u64(0), count).zeros(read ? count : 0);
        Outgoing reply = Outgoing.of(request.id(), request.command(), Message.REPLY, right.array());
        switch (answers.nextInt(8)) {
            case 0 -> {
                return;
            }
            case 1 -> reply = Outgoing.of(request.id(), request.command(), Message.REPLY | Message.ERROR, new byte[0])
                .with(12, Integer.BYTES, answers.nextInt());
            case 2 -> reply = Fields.changeOne(reply, answers);
            default -> {
            }
        }
        if (overConnection) {
            sent(reply.bytes());
        } else {
            to.trySend(reply.bytes());
        }
    }
}
