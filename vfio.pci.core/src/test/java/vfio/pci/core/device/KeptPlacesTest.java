// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.device;

import static org.assertj.core.api.Assertions.assertThat;
import static vfio.pci.core.VfioErrors.assertErrno;
import static vfio.pci.core.device.OneDevice.read32;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.admin.Exchange;
import vfio.pci.api.device.DevicePort;
import vfio.pci.api.device.IrqIndex;
import vfio.pci.api.device.IrqInfo;
import vfio.pci.api.device.MmapArea;
import vfio.pci.api.device.RegionCapability;
import vfio.pci.api.device.RegionIndex;
import vfio.pci.api.device.RegionInfo;
import vfio.pci.api.device.RegionMap;
import vfio.pci.api.device.VfioDevice;
import vfio.pci.api.mediation.Mediation;
import vfio.pci.api.mediation.MediationContext;
import vfio.pci.api.mediation.SharedMemory;
import vfio.pci.api.mediation.Verdict;
import vfio.pci.core.binding.Mediator;

/// What a mediation added to a device is, for its client, still there and where it was when another mediation has come.
@Timeout(60)
class KeptPlacesTest {
    private static final int FIRST = RegionIndex.FIRST_SPECIFIC;
    private static final long PAGE = 0x1000;
    private static final Optional<RegionCapability.Type> RING = Optional.of(new RegionCapability.Type(0x77, 1));
    private static final IrqInfo.Type BELL = new IrqInfo.Type(0x77, 1);

    private final OneDevice one = new OneDevice();

    @BeforeEach
    void waitLong() {
        one.settings = OneDevice.drainingIn(Duration.ofSeconds(20));
    }

    @AfterEach
    void end() {
        one.close();
    }

    /// A region that a version adds.
    ///
    /// @param memory name of what a client may map of it, or none
    private record Added(Optional<RegionCapability.Type> type, long size, String memory) {
        RegionInfo info() {
            List<RegionCapability> capabilities = new ArrayList<>(type.stream().toList());
            EnumSet<RegionInfo.Flag> flags = EnumSet.of(RegionInfo.Flag.READ, RegionInfo.Flag.WRITE);
            if (!memory.isEmpty()) {
                flags.add(RegionInfo.Flag.MMAP);
                capabilities.add(new RegionCapability.SparseMmap(List.of(new MmapArea(0, size, false))));
            }
            return new RegionInfo(0, size, flags, capabilities);
        }
    }

    /// Adds regions and an interrupt, answers reads of its regions with its number, and has no state.
    private static final class Adding extends Mediation {
        final MediationContext context;
        final List<Integer> regions = new ArrayList<>();
        final int irq;
        private final int number;

        Adding(MediationContext context, int number, Added... all) throws VfioException {
            this.context = context;
            this.number = number;
            for (Added added : all) {
                Optional<SharedMemory> memory = added.memory.isEmpty() ? Optional.empty()
                    : Optional.of(context.sharedMemory(added.memory, added.size));
                regions.add(context.addRegion(added.size, memory, added.info()));
            }
            irq = context.addIrq(1, BELL);
        }

        @Override
        public Verdict read(int region, long offset, MemorySegment buffer, long bufferOffset, int count) {
            if (!regions.contains(region)) {
                return Verdict.PASS_THROUGH;
            }
            buffer.set(ValueLayout.JAVA_INT_UNALIGNED, bufferOffset, number + 0x100 * regions.indexOf(region));
            return Verdict.HANDLED;
        }

        @Override
        public boolean stateless() {
            return true;
        }
    }

    private final List<Adding> opened = new ArrayList<>();

    private Mediator version(String name, Added... added) {
        int number = one.mediators.size() + 1;
        return one.mediator(name, (asked, context) -> {
            opened.add(new Adding(context, number, added));
            return Optional.of(opened.getLast());
        });
    }

    private Exchange swap(Mediator from, Mediator to) {
        return MediatorSwap.eachAlone(List.of(one.function), from, to).getFirst();
    }

    @Test
    void aSuccessorHasTheRegionTheMemoryAndTheInterruptThatTheClientKnows() throws VfioException {
        Added ring = new Added(RING, 2 * PAGE, "ring");
        Added plain = new Added(Optional.empty(), PAGE, "");
        Mediator from = version("versioned", ring, plain, plain);
        AtomicInteger signals = new AtomicInteger();
        try (VfioDevice device = one.open(); DevicePort port = device.port(); RegionMap map = device.map(FIRST, PAGE, PAGE)) {
            device.setIrqTriggers(IrqIndex.FIRST_SPECIFIC, 0, List.of(signals::incrementAndGet));
            for (int i = 0; i < 20; i++) {
                Mediator to = version("versioned", ring, plain, plain);
                Exchange exchange = swap(from, to);
                assertThat(exchange.failure()).isEmpty();
                assertThat(exchange.withheld()).isEmpty();
                Adding now = opened.getLast();
                assertThat(now.regions).containsExactly(FIRST, FIRST + 1, FIRST + 2);
                assertThat(device.info().regions()).isEqualTo(FIRST + 3);
                assertThat(device.info().irqs()).isEqualTo(IrqIndex.FIRST_SPECIFIC + 1);
                assertThat(List.of(read32(port, FIRST, 0), read32(port, FIRST + 1, 0), read32(port, FIRST + 2, 0)))
                    .containsExactly(now.number, now.number + 0x100, now.number + 0x200);
                map.memory().set(ValueLayout.JAVA_INT, 0, i);
                assertThat(now.context.sharedMemory("ring", 2 * PAGE).memory().get(ValueLayout.JAVA_INT, PAGE)).isEqualTo(i);
                assertThat(now.context.raise(now.irq, 0)).isTrue();
                assertThat(signals).hasValue(i + 1);
                from = to;
            }
        }
    }

    @Test
    void aVersionThatFailsTakesNoIndexAway() throws VfioException {
        Added ring = new Added(RING, PAGE, "ring");
        Mediator from = version("versioned", ring);
        try (VfioDevice device = one.open(); DevicePort port = device.port()) {
            Mediator failing = one.mediator("versioned", (asked, context) -> {
                new Adding(context, 9, ring, new Added(RING, 4 * PAGE, ""));
                throw new VfioException(Errno.EINVAL, "not me");
            });
            for (int i = 0; i < 3; i++) {
                assertThat(swap(from, failing).failure()).isPresent();
                assertThat(read32(port, FIRST, 0)).isEqualTo(1);
                assertThat(device.regionInfo(FIRST).size()).isEqualTo(PAGE);
                assertThat(device.info().regions()).as("an index that was tried is taken again").isEqualTo(FIRST + 2);
                assertThat(device.info().irqs()).isEqualTo(IrqIndex.FIRST_SPECIFIC + 1);
            }
        }
    }

    @Test
    void whatTheClientCouldNotGoOnWithIsWithheldAndSaid() throws VfioException {
        Mediator from = version("versioned", new Added(RING, PAGE, "ring"));
        try (VfioDevice device = one.open(); DevicePort port = device.port()) {
            Mediator larger = version("versioned", new Added(RING, 2 * PAGE, ""));
            assertThat(swap(from, larger).withheld()).anyMatch(line -> line.contains("region=9 is empty now"))
                .anyMatch(line -> line.contains("region=10 is not announced"));
            assertErrno(Errno.EINVAL, () -> read32(port, FIRST, 0));
            assertThat(read32(port, FIRST + 1, 0)).isEqualTo(2);
            Mediator otherMemory = version("versioned", new Added(RING, PAGE, "another"));
            assertThat(swap(larger, otherMemory).withheld()).as("its client may have the first one's mapped")
                .anyMatch(line -> line.contains("region=11 is not announced"));
            Mediator again = version("versioned", new Added(RING, PAGE, "ring"));
            swap(otherMemory, again);
            assertThat(opened.getLast().regions).as("where it was").containsExactly(FIRST);
        }
    }

    @Test
    void aMappedAreaThatIsNoLongerOfferedIsSaid() throws VfioException {
        Mediator from = version("versioned", new Added(RING, 2 * PAGE, "ring"));
        try (VfioDevice _ = one.open()) {
            Mediator to = one.mediator("versioned", (asked, context) -> {
                Adding adding = new Adding(context, 2);
                RegionInfo unmapped = new RegionInfo(0, 2 * PAGE, EnumSet.of(RegionInfo.Flag.READ), List.of(RING.orElseThrow()));
                adding.regions.add(context.addRegion(2 * PAGE, Optional.of(context.sharedMemory("ring", 2 * PAGE)), unmapped));
                return Optional.of(adding);
            });
            assertThat(swap(from, to).withheld()).singleElement().asString().contains("region=9 0x0-0x1fff may be mapped");
        }
    }

    @Test
    void aMediatorThatComesAgainHasItsIndexAgain() throws VfioException {
        Added ring = new Added(RING, PAGE, "ring");
        Mediator first = version("versioned", ring);
        try (VfioDevice device = one.open(); DevicePort port = device.port()) {
            assertThat(device.regionInfo(FIRST).size()).isEqualTo(PAGE);
            one.goes(first);
            assertThat(device.regionInfo(FIRST).size()).isZero();
            assertThat(one.function.rebind(List.of(version("versioned", ring))).withheld()).as("its client knows of it").isEmpty();
            assertThat(read32(port, FIRST, 0)).isEqualTo(opened.getLast().number);
            assertThat(device.info().regions()).isEqualTo(FIRST + 1);
        }
    }

    @Test
    void aRegionWithoutATypeIsItsOwnMediators() throws VfioException {
        Added plain = new Added(Optional.empty(), PAGE, "");
        Mediator first = version("first", plain);
        try (VfioDevice _ = one.open()) {
            assertThat(swap(first, version("second", plain)).withheld()).anyMatch(line -> line.contains("region=9 is empty now"));
            assertThat(opened.getLast().regions).containsExactly(FIRST + 1);
        }
    }
}
