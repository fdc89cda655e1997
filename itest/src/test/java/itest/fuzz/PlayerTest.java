// SPDX-License-Identifier: Apache-2.0
package itest.fuzz;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import itest.wire.Bytes;
import itest.wire.Message;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import linux.sys.EventFd;
import linux.sys.ReceivedFds;
import linux.sys.UnixSocket;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;
import vfio.pci.api.VfioException;

/** The fuzzer notices what a server does wrong: one that answers everything by an error as it should, and makes one mistake. */
public class PlayerTest {
    private static final int SESSIONS = 20;
    private static final int MISTAKEN_REPLY = 3;
    private static final int ENOTTY = 25;
    /** For an answer that comes, and for one that does not. */
    private static final Duration LONG = Duration.ofSeconds(20);
    private static final Duration SHORT = Duration.ofMillis(300);

    @Rule
    public final TemporaryFolder folder = new TemporaryFolder();

    private enum Mistake {
        NONE, NO_REPLY, TWICE, ANOTHER_ID, ANOTHER_COMMAND, NO_ERRNO, AN_ERRNO_WITHOUT_THE_FLAG, ERROR_WITH_PAYLOAD, TOO_LONG, FILE,
        SUCCESS, HANGS_UP, REQUEST_OUT_OF_SHAPE, NEVER_HANGS_UP
    }

    @Test
    public void findsNoFaultWithAServerThatMakesNone() throws Exception {
        for (int session = 0; session < SESSIONS; session++) {
            play(Mistake.NONE, session, true);
        }
    }

    @Test
    public void noticesEachMistake() throws Exception {
        for (Mistake mistake : Mistake.values()) {
            if (mistake != Mistake.NONE && mistake != Mistake.NEVER_HANGS_UP && mistake != Mistake.SUCCESS) {
                assertThatThrownBy(() -> play(mistake, 0, false)).as("%s", mistake).isInstanceOf(AssertionError.class);
            }
        }
    }

    @Test
    public void noticesAServerThatTakesWhatHasNoShape() {
        byte[] cut = new byte[15];
        List<Outgoing> session = List.of(Outgoing.of(1, 9, 0, new byte[16]), Outgoing.of(2, 9, 0, new byte[16]), Outgoing.of(3, 9, 0, cut));
        assertThatThrownBy(() -> play(Mistake.SUCCESS, 0, session)).isInstanceOf(AssertionError.class);
    }

    @Test
    public void noticesAServerThatGoesOnWhereTheFramingIsLost() {
        List<Outgoing> lost = List.of(new Outgoing(Message.encode(1, 4, 3, 0, 0, new byte[0]), List.of()));
        assertThatThrownBy(() -> play(Mistake.NEVER_HANGS_UP, 0, lost)).isInstanceOf(AssertionError.class)
            .hasMessageContaining("does not hang up");
    }

    /** The same seed makes the same session. */
    @Test
    public void makesASessionAgain() {
        List<Outgoing> first = session(7, true);
        List<Outgoing> again = session(7, true);
        assertThat(first).hasSameSizeAs(again);
        for (int i = 0; i < first.size(); i++) {
            assertThat(first.get(i).bytes()).isEqualTo(again.get(i).bytes());
            assertThat(first.get(i).files()).isEqualTo(again.get(i).files());
        }
    }

    private static List<Outgoing> session(long seed, boolean mutated) {
        var random = new SplittableRandom(seed);
        return Mutations.apply(Invented.session(random), mutated ? 200 : 0, random);
    }

    private void play(Mistake mistake, long seed, boolean mutated) throws Exception {
        play(mistake, seed, session(seed, mutated));
    }

    private void play(Mistake mistake, long seed, List<Outgoing> session) throws Exception {
        Path path = folder.getRoot().toPath().resolve("server-" + mistake + seed);
        var random = new SplittableRandom(seed);
        try (Files files = new Files(); UnixSocket listening = UnixSocket.listen(path, 0600, 1)) {
            Thread server = Thread.ofPlatform().start(() -> serve(listening, mistake));
            try {
                Duration patience = mistake == Mistake.NONE ? LONG : SHORT;
                new Player(path, files, random.split(), random.split(), patience, new Tally()).play(session, session.size());
            } finally {
                server.join();
            }
        }
    }

    private static void serve(UnixSocket listening, Mistake mistake) {
        var framing = new Framing();
        var fds = new ReceivedFds();
        int replies = 0;
        try (UnixSocket client = listening.accept(); EventFd file = EventFd.create(); Arena arena = Arena.ofConfined()) {
            MemorySegment buffer = arena.allocate(1 << 16);
            int count;
            while ((!framing.isBroken() || mistake == Mistake.NEVER_HANGS_UP)
                && (count = client.receive(buffer, 0, 1 << 16, fds, true)) > 0) {
                fds.clear();
                framing.add(buffer.asSlice(0, count).toArray(ValueLayout.JAVA_BYTE));
                Optional<Framing.Owed> owed;
                while ((owed = framing.next()).isPresent()) {
                    Mistake now = ++replies == MISTAKEN_REPLY ? mistake : Mistake.NONE;
                    if (now == Mistake.HANGS_UP) {
                        return;
                    }
                    byte[] bytes = reply(owed.get(), now);
                    MemorySegment.copy(bytes, 0, buffer, ValueLayout.JAVA_BYTE, 0, bytes.length);
                    int[] numbers = {file.fd().number()};
                    client.sendWithFds(buffer, 0, bytes.length, numbers, now == Mistake.FILE ? 1 : 0, true);
                }
            }
        } catch (VfioException e) {
            throw new AssertionError(e);
        }
    }

    private static byte[] reply(Framing.Owed owed, Mistake mistake) {
        int id = owed.id();
        int error = Message.REPLY | Message.ERROR;
        byte[] right = header(id, owed.command(), error, ENOTTY, 0);
        return switch (mistake) {
            case NO_REPLY -> new byte[0];
            case TWICE -> Bytes.none().raw(right).raw(right).array();
            case ANOTHER_ID -> header(id + 1, owed.command(), error, ENOTTY, 0);
            case ANOTHER_COMMAND -> header(id, owed.command() + 1, error, ENOTTY, 0);
            case NO_ERRNO -> header(id, owed.command(), error, 0, 0);
            case AN_ERRNO_WITHOUT_THE_FLAG -> header(id, owed.command(), Message.REPLY, ENOTTY, 0);
            case ERROR_WITH_PAYLOAD -> header(id, owed.command(), error, ENOTTY, 8);
            case SUCCESS -> header(id, owed.command(), Message.REPLY, 0, 0);
            case TOO_LONG -> header(id, owed.command(), Message.REPLY, 0, 1 << 14);
            case REQUEST_OUT_OF_SHAPE -> header(id, owed.command(), 0, 0, 4);
            default -> right;
        };
    }

    private static byte[] header(int id, int command, int flags, int errno, int payload) {
        return Message.encode(id, command, Message.HEADER + payload, flags, errno, new byte[payload]);
    }
}
