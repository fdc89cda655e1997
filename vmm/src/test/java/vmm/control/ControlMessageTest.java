// SPDX-License-Identifier: Apache-2.0
package vmm.control;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import linux.sys.UnixSocket;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.admin.MigrationOrder;
import vfio.pci.api.admin.MigrationOutcome;
import vfio.pci.api.admin.MigrationProgress;
import vfio.pci.api.admin.Whereabouts;
import vmm.channel.UnixLink;

class ControlMessageTest {
    private UnixLink here;
    private UnixLink there;

    @BeforeEach
    void connect() throws VfioException {
        UnixSocket[] pair = UnixSocket.pair();
        here = UnixLink.over(pair[0], Duration.ofSeconds(5));
        there = UnixLink.over(pair[1], Duration.ofSeconds(5));
    }

    @AfterEach
    void disconnect() {
        here.close();
        there.close();
    }

    private ControlMessage passed(ControlMessage message) throws VfioException {
        message.send(here);
        return ControlMessage.receive(there);
    }

    @ParameterizedTest
    @ValueSource(strings = {"SING", "", "RESULT\nnothing", "RESULT\n=x"})
    void rejectsText(String text) throws VfioException {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        raw(bytes.length, bytes);
        assertThatExceptionOfType(VfioException.class).isThrownBy(() -> ControlMessage.receive(there))
            .matches(e -> e.errno() == Errno.EPROTO);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, -1, ControlMessage.LONGEST + 1, Integer.MIN_VALUE})
    void rejectsLength(int length) throws VfioException {
        raw(length, new byte[0]);
        assertThatExceptionOfType(VfioException.class).isThrownBy(() -> ControlMessage.receive(there))
            .matches(e -> e.errno() == Errno.EPROTO);
    }

    private void raw(int length, byte[] bytes) throws VfioException {
        ByteBuffer message = ByteBuffer.allocate(4 + bytes.length).order(ByteOrder.LITTLE_ENDIAN).putInt(length).put(bytes);
        here.write(message.array(), 0, message.position());
    }

    @Test
    void namesWhatIsMissingOrWrong() {
        ControlMessage message = ControlMessage.of(Verb.MIGRATE).with("to", "/x").with("max-downtime", "soon");
        assertThatExceptionOfType(VfioException.class).isThrownBy(() -> message.number("order")).withMessage("order= expected=something");
        assertThatExceptionOfType(VfioException.class).isThrownBy(message.with("dry-run", false)::order)
            .withMessage("max-downtime=soon expected=a number");
        assertThatExceptionOfType(VfioException.class).isThrownBy(message.with("max-downtime", 0)::order)
            .withMessage("max-downtime=0 expected=more than 0");
    }

    @Test
    void carriesOrderProgressAndOutcome() throws VfioException {
        MigrationOrder order = new MigrationOrder("tcp://a:1", true, Duration.ofMillis(7));
        assertThat(passed(ControlMessage.migrate(3, order)).order()).isEqualTo(order);
        MigrationProgress progress = new MigrationProgress("COPY", 2, 3, 4, Duration.ofNanos(5));
        assertThat(passed(ControlMessage.progress(3, progress)).progress()).isEqualTo(progress);
        MigrationOutcome outcome = new MigrationOutcome(Whereabouts.UNKNOWN, false, "a = b, c", 1, 2, 3, Duration.ofMillis(9));
        ControlMessage result = passed(ControlMessage.result(4, outcome));
        assertThat(result.outcome()).isEqualTo(outcome);
        assertThat(result.number("order")).isEqualTo(4);
    }

    @Test
    void keepsLinesOutOfValues() throws VfioException {
        assertThat(passed(ControlMessage.of(Verb.REFUSED).with("reason", "a\nb=c")).text("reason")).isEqualTo("a b=c");
    }
}
