// SPDX-License-Identifier: Apache-2.0
package itest.protocol;

import static itest.options.RuntimeOptions.configuration;
import static itest.options.RuntimeOptions.core;
import static itest.options.RuntimeOptions.felix;
import static itest.options.RuntimeOptions.simulatedNic;
import static itest.options.RuntimeOptions.vfioUser;
import static itest.wire.Command.DATA_EVENTFD;
import static itest.wire.Command.DEVICE_FEATURE;
import static itest.wire.Command.DEVICE_GET_REGION_INFO;
import static itest.wire.Command.DEVICE_RESET;
import static itest.wire.Command.DEVICE_SET_IRQS;
import static itest.wire.Command.FEATURE_GET;
import static itest.wire.Command.FEATURE_SET;
import static itest.wire.Command.REGION_READ;
import static itest.wire.Command.REGION_WRITE;
import static itest.wire.Command.TRIGGER;
import static org.assertj.core.api.Assertions.assertThat;

import itest.Await;
import itest.bundles.InstalledMediators;
import itest.bundles.MediatorBundle;
import itest.mediators.Setting;
import itest.mediators.Switching;
import itest.wire.Bytes;
import itest.wire.Message;
import itest.wire.Payload;
import itest.wire.RawClient;
import java.time.Duration;
import java.util.Map;
import linux.sys.EventFd;
import linux.sys.Fd;
import org.junit.Before;
import org.junit.Rule;
import org.junit.Test;
import org.ops4j.pax.exam.Configuration;
import org.ops4j.pax.exam.Option;
import vfio.pci.api.VfioException;

/**
 * A client's MIG_DEVICE_STATE switches trapping on, and is answered when that client has acknowledged it, by the connection on which the
 * request is pending.
 */
public class TrapAcknowledgedIT extends OverSocket {
    private static final String MEDIATOR = "switching";
    private static final String TAKES_PART = "{\"capabilities\":{\"x_disablable_areas\":true}}";
    private static final int ETIMEDOUT = 110;
    /** So long that a client that acknowledges does so in time, whatever else the machine does. */
    private static final Duration BOUND = Duration.ofSeconds(3);
    private static final Duration SOON = Duration.ofSeconds(30);
    private static final int ARGSZ = 0x1000;

    /** The region that says whether areas trap, the first one added, and its fields. */
    private static final int TRAP_INFO = 9;
    private static final long TRAP = 4;
    private static final long GENERATION = 8;
    private static final long ACKNOWLEDGED = 12;
    private static final long TRAP_IRQ = 16;
    private static final long AREAS_IRQ = 20;

    private static final int MIG_DEVICE_STATE = 2;
    private static final int RUNNING = 2;
    private static final int PRE_COPY = 6;

    @Rule
    public final InstalledMediators mediators = new InstalledMediators(() -> context);

    @Override
    @Configuration
    public Option[] runtime() {
        Map<String, Object> drain = Map.of("drainTimeoutMillis", BOUND.multipliedBy(2).toMillis());
        Map<String, Object> request = Map.of("requestTimeoutMillis", BOUND.multipliedBy(4).toMillis());
        return new Option[] {felix(), configuration("vfio.pci.core", drain), core(), simulatedNic(),
            configuration("vfio.user", request), vfioUser()};
    }

    @Before
    public void mediate() throws Exception {
        mediators.start(MediatorBundle.of(Switching.class).named(MEDIATOR));
    }

    private static long read(RawClient client, long field) {
        return succeeds(client, REGION_READ, Payload.access(field, TRAP_INFO, 4)).u32(Payload.REGION_ACCESS);
    }

    private static void acknowledge(RawClient client) {
        succeeds(client, REGION_WRITE, Payload.access(ACKNOWLEDGED, TRAP_INFO, 4).u32(read(client, GENERATION)));
    }

    /** What a client does before it maps: from then on it may have. */
    private static int areas(RawClient client) {
        Message answer = succeeds(client, DEVICE_GET_REGION_INFO, Payload.regionInfo(ARGSZ, BAR0));
        assertThat(answer.fds()).isNotEmpty();
        answer.fds().forEach(Fd::close);
        return (int) answer.u32((int) answer.u32(12) + 8);
    }

    private static int postState(RawClient client, int state) {
        return client.post(DEVICE_FEATURE, 0, Payload.feature(ARGSZ, FEATURE_SET | MIG_DEVICE_STATE).u32(state, 0xFFFF_FFFFL));
    }

    private static long state(RawClient client) {
        return succeeds(client, DEVICE_FEATURE, Payload.feature(ARGSZ, FEATURE_GET | MIG_DEVICE_STATE)).u32(Payload.FEATURE);
    }

    private static EventFd event(RawClient client, long irqField) throws VfioException {
        EventFd event = EventFd.create();
        succeeds(client, DEVICE_SET_IRQS, Payload.irqSet(DATA_EVENTFD | TRIGGER, read(client, irqField), 0, 1), event.fd());
        return event;
    }

    private static void awaitSwitch(EventFd event) throws VfioException {
        assertThat(event.await(SOON)).as("told of the switch").isTrue();
        event.read();
    }

    @Test
    public void isRefusedWithTrappingOffWhenTheClientNeverAcknowledges() throws Exception {
        RawClient client = served.ready(TAKES_PART);
        assertThat(areas(client)).isEqualTo(Switching.AREAS);
        try (EventFd event = event(client, TRAP_IRQ)) {
            long begin = System.nanoTime();
            int asked = postState(client, PRE_COPY);
            awaitSwitch(event);
            Message refused = client.replyTo(asked, DEVICE_FEATURE);
            Duration took = Duration.ofNanos(System.nanoTime() - begin);
            assertThat(refused.errno()).isEqualTo(ETIMEDOUT);
            assertThat(took).isGreaterThanOrEqualTo(BOUND);
            awaitSwitch(event);
            assertThat(read(client, TRAP)).as("mapped again").isZero();
            assertThat(read(client, GENERATION)).isEqualTo(2);
            assertThat(state(client)).isEqualTo(RUNNING);
            assertThat(transport.served().getFirst().traffic().timedOut()).as("it is the device that refuses").isZero();
        }
    }

    @Test
    public void isAnsweredWhenTheClientHasAcknowledgedOnTheSameConnection() throws Exception {
        RawClient client = served.ready(TAKES_PART);
        areas(client);
        try (EventFd event = event(client, TRAP_IRQ)) {
            for (int copy = 1; copy <= 3; copy++) {
                int asked = postState(client, PRE_COPY);
                awaitSwitch(event);
                int waits = client.post(REGION_READ, 0, Payload.access(RSTAT, BAR0, 4));
                assertThat(read(client, TRAP)).isEqualTo(1);
                assertThat(client.call(REGION_WRITE, Payload.access(ACKNOWLEDGED, TRAP_INFO, 4).u32(77)).errno()).isEqualTo(EINVAL);
                acknowledge(client);
                assertThat(client.replyTo(asked, DEVICE_FEATURE).errno()).isZero();
                assertThat(client.replyTo(waits, REGION_READ).u32(Payload.REGION_ACCESS)).as("in its turn").isEqualTo(VFACTIVE);
                assertThat(state(client)).isEqualTo(PRE_COPY);
                assertThat(client.replyTo(postState(client, RUNNING), DEVICE_FEATURE).errno()).isZero();
                awaitSwitch(event);
                assertThat(read(client, TRAP)).as("cancelled").isZero();
            }
        }
    }

    @Test
    public void isAnsweredWhenAClientHasReadTheAreasAgain() throws Exception {
        RawClient client = served.ready();
        assertThat(areas(client)).as("of a client that is not told").isEqualTo(Switching.FIXED);
        try (EventFd event = event(client, AREAS_IRQ)) {
            assertThat(areas(client)).isEqualTo(Switching.AREAS);
            int asked = postState(client, PRE_COPY);
            awaitSwitch(event);
            assertThat(areas(client)).isEqualTo(Switching.FIXED);
            acknowledge(client);
            assertThat(client.replyTo(asked, DEVICE_FEATURE).errno()).isZero();
            succeeds(client, DEVICE_RESET, Bytes.none());
            awaitSwitch(event);
            assertThat(areas(client)).as("after a reset").isEqualTo(Switching.AREAS);
        }
    }

    @Test
    public void leavesNothingOfAClientThatDiesMeanwhile() throws Exception {
        RawClient client = served.ready(TAKES_PART);
        areas(client);
        try (EventFd event = event(client, TRAP_IRQ)) {
            postState(client, PRE_COPY);
            awaitSwitch(event);
            client.close();
            Await.until("its mediation has ended", () -> mediators.number(Setting.CLOSED, MEDIATOR).get() == 1);
        }
        served.hangUp();
        RawClient next = served.ready(TAKES_PART);
        assertThat(read(next, TRAP)).isZero();
        assertThat(state(next)).isEqualTo(RUNNING);
        assertThat(mediators.number(Setting.LATE, MEDIATOR)).hasValue(0);
    }

    @Test
    public void waitsForNobodyWhoWasShownNothingThatTraps() throws Exception {
        RawClient client = served.ready();
        assertThat(areas(client)).isEqualTo(Switching.FIXED);
        assertThat(client.replyTo(postState(client, PRE_COPY), DEVICE_FEATURE).errno()).isZero();
        assertThat(read(client, TRAP)).isEqualTo(1);
    }
}
