// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.device;

import static org.assertj.core.api.Assertions.assertThat;
import static vfio.pci.core.device.OneDevice.read32;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.admin.Exchange;
import vfio.pci.api.device.Client;
import vfio.pci.api.device.DevicePort;
import vfio.pci.api.device.IrqInfo;
import vfio.pci.api.device.MmapArea;
import vfio.pci.api.device.RegionCapability;
import vfio.pci.api.device.RegionInfo;
import vfio.pci.api.device.VfioDevice;
import vfio.pci.api.mediation.Claim;
import vfio.pci.core.VfioErrors;
import vfio.pci.core.binding.Mediator;

/// An open device gets a mediator that came later, or another one, and its clients are told what can be told.
class RebindingTest {
    private static final long REGISTER = 0x5000;

    private final OneDevice one = new OneDevice();

    @BeforeEach
    void waitLong() {
        one.settings = OneDevice.drainingIn(Duration.ofSeconds(20));
    }

    @AfterEach
    void close() {
        one.close();
    }

    @Test
    void rebindingGivesAnOpenDeviceItsFirstMediator() throws VfioException {
        try (VfioDevice handle = one.open(); DevicePort port = handle.port()) {
            assertThat(read32(port, 0, REGISTER)).isZero();
            VfioErrors.assertErrno(Errno.EPERM, () -> one.function.rebind(List.of()));
            Mediator refusing = one.mediator("refusing", (asked, context) -> Optional.empty());
            Mediator late = one.accepting("late", context -> new AnsweringMediation(Claim.of(0, REGISTER, 4), Claim.of(0, 0x1000, 0x1000)));
            Exchange exchange = one.function.rebind(List.of(refusing, late));
            assertThat(exchange.mediator()).contains("late");
            assertThat(exchange.withheld()).singleElement().asString().contains("region=0", "0x1000-0x1fff");
            assertThat(read32(port, 0, REGISTER)).isEqualTo(0xA5A5A5A5);
            assertThat(one.function.rebind(List.of(refusing, late)).mediator()).contains("late");
            assertThat(late.status().accepted()).isEqualTo(1);
        }
    }

    @Test
    void whoIsToldOfAreasAsksAgainAndForOthersItIsSaid() throws VfioException {
        one.accepting("trapping", context -> new TrappingMediation());
        Mediator next = one.accepting("next", context -> new AnsweringMediation(Claim.of(0, 0x2000, 0x1000)) {
            @Override
            public RegionInfo regionInfo(RegionInfo defaults) {
                return defaults.index() != 0 ? defaults
                    : defaults.with(new RegionCapability.SparseMmap(List.of(new MmapArea(0, 0x1000, false))));
            }
        });
        AtomicInteger told = new AtomicInteger();
        try (VfioDevice handle = one.open(Client.standard("told")); VfioDevice _ = one.open(Client.standard("other"))) {
            int areas = 0;
            while (!handle.irqInfo(areas).type().equals(Optional.of(IrqInfo.Type.REGION_AREAS))) {
                areas++;
            }
            handle.setIrqTriggers(areas, 0, List.of(told::incrementAndGet));
            Exchange exchange = one.function.rebind(List.of(next));
            assertThat(told).hasValue(1);
            assertThat(exchange.withheld()).filteredOn(line -> line.contains("0x2000-0x2fff")).singleElement().asString()
                .contains("client=other");
        }
    }
}
