// SPDX-License-Identifier: Apache-2.0
package itest.protocol;

import static itest.options.RuntimeOptions.configuration;
import static itest.options.RuntimeOptions.core;
import static itest.options.RuntimeOptions.felix;
import static itest.options.RuntimeOptions.mediatorGuard;
import static itest.options.RuntimeOptions.simulatedNic;
import static itest.options.RuntimeOptions.vfioUser;
import static itest.wire.Command.DATA_EVENTFD;
import static itest.wire.Command.DEVICE_GET_REGION_INFO;
import static itest.wire.Command.DEVICE_RESET;
import static itest.wire.Command.DEVICE_SET_IRQS;
import static itest.wire.Command.DMA_MAP;
import static itest.wire.Command.DMA_UNMAP;
import static itest.wire.Command.READABLE;
import static itest.wire.Command.REGION_READ;
import static itest.wire.Command.REGION_WRITE;
import static itest.wire.Command.TRIGGER;
import static itest.wire.Command.WRITABLE;
import static org.assertj.core.api.Assertions.assertThat;

import itest.Await;
import itest.wire.Bytes;
import itest.wire.Held;
import itest.wire.Message;
import itest.wire.Payload;
import itest.wire.RawClient;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Dictionary;
import java.util.Hashtable;
import java.util.List;
import java.util.Map;
import javax.inject.Inject;
import linux.sys.EventFd;
import linux.sys.Fd;
import linux.sys.Memfd;
import org.junit.After;
import org.junit.Before;
import org.junit.Test;
import org.ops4j.pax.exam.Configuration;
import org.ops4j.pax.exam.Option;
import org.osgi.service.cm.ConfigurationAdmin;
import vfio.pci.api.VfioException;
import vfio.pci.api.admin.DeviceAdmin;

/** What a client sees of a guard: windows that are refused, and pages that are taken back while it runs. */
public class GuardedDeviceIT extends OverSocket {
    private static final int EACCES = 13;
    private static final int EAGAIN = 11;
    private static final int BOTH = READABLE | WRITABLE;
    private static final long SIZE = 0x4000;
    private static final int ARGSZ = 0x1000;
    private static final String PID = "mediator.guard~sockets";
    /** The region that says whether areas trap, the first one added, and its fields. */
    private static final int TRAP_INFO = 9;
    private static final long GENERATION = 8;
    private static final long ACKNOWLEDGED = 12;
    private static final long AREAS_IRQ = 20;
    private static final Map<String, Object> RULES = Map.of("devices", "8086:154c",
        "rule.1", "deny write dma:0xfee00000-0xfeefffff",
        "rule.2", "limit access dma:0x10000000-0x1fffffff rate=1 burst=2",
        "rule.3", "deny write bar0:0xcc00");

    @Inject
    private ConfigurationAdmin configurations;
    @Inject
    private DeviceAdmin admin;

    @Override
    @Configuration
    public Option[] runtime() {
        return new Option[] {felix(), core(), simulatedNic(), vfioUser(), configuration(PID, RULES), mediatorGuard()};
    }

    @Before
    public void awaitGuard() throws Exception {
        Await.until("the guard is there", () -> admin.mediators().stream().anyMatch(one -> one.name().equals("guard-sockets")));
        Await.until("its rules are", () -> {
            RawClient client = served.ready();
            boolean denied = client.call(REGION_WRITE, Payload.access(KEEPS, BAR0, 4).u32(1)).errno() == EACCES;
            boolean passed = client.call(REGION_READ, Payload.access(RSTAT, BAR0, 4)).errno() == 0;
            served.hangUp();
            return denied && passed;
        });
    }

    @After
    public void restoreRules() throws Exception {
        configurations.getConfiguration(PID, "?").update(new Hashtable<>(RULES));
    }

    @Test
    public void answersARefusedMapWithTheErrnoOfItsRuleAndGoesOn() throws VfioException {
        RawClient client = served.ready();
        Held before = Held.now();
        try (Fd memory = Memfd.create("guest", SIZE, true)) {
            for (int turn = 0; turn < 50; turn++) {
                refuses(EACCES, client, DMA_MAP, Payload.dmaMap(BOTH, 0, 0xFEE0_0000L, SIZE), memory);
                refuses(EACCES, client, DMA_MAP, Payload.dmaMap(BOTH | 8, 0, 0xFEE0_0000L, SIZE), memory);
                refuses(EACCES, client, DMA_MAP, Payload.dmaMap(WRITABLE, 0, 0xFEE0_0000L, SIZE));
            }
            assertThat(Held.mappings("/memfd:guest")).as("mappings").isZero();
            succeeds(client, DMA_MAP, Payload.dmaMap(READABLE, 0, 0xFEE0_0000L, SIZE), memory);
            succeeds(client, DMA_MAP, Payload.dmaMap(BOTH, 0, 0, SIZE), memory);
            succeeds(client, DMA_UNMAP, Payload.dmaUnmap(0, 0xFEE0_0000L, SIZE));
            succeeds(client, DMA_UNMAP, Payload.dmaUnmap(2, 0, 0));
        }
        // The server's threads come and go.
        assertThat(Held.now().beyond(before).keySet()).as("left behind").allMatch(held -> held.startsWith("thread "));
    }

    @Test
    public void limitsHowOftenAWindowIsMade() throws VfioException {
        RawClient client = served.ready();
        List<Integer> answers = new ArrayList<>();
        for (int i = 0; i < 100 && !answers.contains(EAGAIN); i++) {
            answers.add(client.call(DMA_MAP, Payload.dmaMap(BOTH, 0, 0x1000_0000L + i * SIZE, SIZE)).errno());
        }
        assertThat(answers).startsWith(0, 0).contains(EAGAIN);
        serves(client);
        succeeds(client, DEVICE_RESET, Bytes.none());
        succeeds(client, DMA_UNMAP, Payload.dmaUnmap(2, 0, 0));
    }

    @Test
    public void aRuleThatComesTakesPagesBackFromAClientThatIsTold() throws Exception {
        RawClient client = served.ready();
        long tails = areas(client);
        assertThat(tails).as("areas").isPositive();
        try (EventFd event = EventFd.create()) {
            long irq = read(client, AREAS_IRQ);
            succeeds(client, DEVICE_SET_IRQS, Payload.irqSet(DATA_EVENTFD | TRIGGER, irq, 0, 1), event.fd());
            areas(client);
            changeRules(Map.of("rule.9", "deny access bar0"));
            assertThat(event.await(Duration.ofSeconds(10))).as("it is told").isTrue();
            assertThat(areas(client)).as("nothing to map").isZero();
            succeeds(client, REGION_WRITE, Payload.access(ACKNOWLEDGED, TRAP_INFO, 4).u32(read(client, GENERATION)));
            assertThat(client.call(REGION_READ, Payload.access(RSTAT, BAR0, 4)).errno()).isEqualTo(EACCES);
        }
    }

    private void changeRules(Map<String, Object> others) throws Exception {
        Dictionary<String, Object> changed = new Hashtable<>(Map.of("devices", "8086:154c"));
        others.forEach(changed::put);
        configurations.getConfiguration(PID, "?").update(changed);
    }

    private static long read(RawClient client, long field) {
        return succeeds(client, REGION_READ, Payload.access(field, TRAP_INFO, 4)).u32(Payload.REGION_ACCESS);
    }

    /** What a client does before it maps: from then on it may have. Zero where there is nothing to map. */
    private static int areas(RawClient client) {
        Message answer = succeeds(client, DEVICE_GET_REGION_INFO, Payload.regionInfo(ARGSZ, BAR0));
        boolean mappable = !answer.fds().isEmpty();
        answer.fds().forEach(Fd::close);
        return mappable ? (int) answer.u32((int) answer.u32(12) + 8) : 0;
    }
}
