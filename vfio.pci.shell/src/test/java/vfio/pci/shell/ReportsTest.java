// SPDX-License-Identifier: Apache-2.0
package vfio.pci.shell;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import vfio.pci.api.PciAddress;
import vfio.pci.api.PciId;
import vfio.pci.api.admin.AccessStats;
import vfio.pci.api.admin.CommandTraffic;
import vfio.pci.api.admin.DeviceStatus;
import vfio.pci.api.admin.MediationLayer;
import vfio.pci.api.admin.MediatorStatus;
import vfio.pci.api.admin.PlanAction;
import vfio.pci.api.admin.ProvidedMediator;
import vfio.pci.api.admin.ProvisionPlan;
import vfio.pci.api.admin.ServedStatus;
import vfio.pci.api.admin.ServedTraffic;
import vfio.pci.api.device.IrqInfo;
import vfio.pci.api.device.MmapArea;
import vfio.pci.api.device.RegionCapability;
import vfio.pci.api.device.RegionInfo;

class ReportsTest {
    private static final PciAddress PF = PciAddress.parse("0000:3b:00.0");
    private static final PciAddress VF = PciAddress.parse("0000:3b:02.0");
    private static final PciId VF_ID = new PciId(0x8086, 0x154C, 0x020000, 2, 0x8086, 1);
    private static final DeviceStatus CLOSED = new DeviceStatus(PF, new PciId(0x8086, 0x1583, 0x020000, 2, 0x8086, 0),
        Optional.empty(), Optional.of("i40e"), List.of(), Optional.empty(), false, Optional.empty(), List.of(), List.of());
    private static final DeviceStatus OPEN = new DeviceStatus(VF, VF_ID, Optional.of(PF), Optional.of("vfio-pci"),
        List.of("vm1"), Optional.of("i40e"), true, Optional.empty(),
        List.of(new RegionInfo(0, 0x10000, EnumSet.allOf(RegionInfo.Flag.class),
                List.of(new RegionCapability.SparseMmap(List.of(new MmapArea(0, 0x1000, false), new MmapArea(0x2000, 0x1000, true))))),
            new RegionInfo(9, 0x20, EnumSet.of(RegionInfo.Flag.READ, RegionInfo.Flag.WRITE), List.of(RegionCapability.Type.MIGRATION))),
        List.of(new IrqInfo(2, 5, EnumSet.of(IrqInfo.Flag.EVENTFD, IrqInfo.Flag.NORESIZE), Optional.empty()),
            new IrqInfo(5, 1, EnumSet.of(IrqInfo.Flag.EVENTFD), Optional.of(IrqInfo.Type.DYNAMIC_TRAP_BAR_INFO))));
    private static final ServedStatus SERVED = new ServedStatus(VF, Path.of("/run/vm1.sock"), Optional.of("pid 7"), 12, 1,
        new ServedTraffic(30, 2, 1, 1, 3, 4, List.of(new CommandTraffic("VERSION", 2, 0, 900_000, 1_500_000, 1_500_000, 1_500_000),
            new CommandTraffic("REGION_READ", 28, 2, 4095, 8191, 8191, 8100))));

    private static List<String> printed(Consumer<PrintStream> report) {
        var bytes = new ByteArrayOutputStream();
        report.accept(new PrintStream(bytes, true, StandardCharsets.UTF_8));
        return bytes.toString(StandardCharsets.UTF_8).lines().toList();
    }

    @Test
    void showsLayersTopFirst() {
        var stacked = new DeviceStatus(VF, VF_ID, Optional.of(PF), Optional.of("vfio-pci"), List.of("vm1"), Optional.of("guard over i40e"),
            false, Optional.empty(), List.of(), List.of(), List.of(new MediationLayer("guard", Optional.of("guard")),
                new MediationLayer("tracer", Optional.empty()), new MediationLayer("*", Optional.of("i40e"))));
        var report = new StackReport(stacked, List.of("guard", "tracer"));
        assertThat(printed(report::print)).containsExactly(
            "declared: guard tracer",
            "LAYER  DECLARED-FOR  MEDIATOR",
            "1      guard         guard",
            "2      tracer        none",
            "3      *             i40e");
        assertThat(report.json()).hasToString("""
            {"address":"0000:3b:02.0","declared":["guard","tracer"],"layers":[{"place":"guard","mediator":"guard"},\
            {"place":"tracer","mediator":null},{"place":"*","mediator":"i40e"}]}""");
        assertThat(printed(new StackReport(CLOSED, List.of("*"))::print)).containsExactly("declared: *");
    }

    @Test
    void alignsDevices() {
        assertThat(printed(DeviceReport.table(List.of(CLOSED, OPEN), List.of(SERVED))::print)).containsExactly(
            "ADDRESS       ID         CLASS     PF            DRIVER    MEDIATOR  CLIENTS  SOCKET         NOTE",
            "0000:3b:00.0  8086:1583  0x020000  -             i40e      -         -        -              -",
            "0000:3b:02.0  8086:154c  0x020000  0000:3b:00.0  vfio-pci  i40e      vm1      /run/vm1.sock  trapping");
    }

    @Test
    void showsRegionsAndInterruptsOfOneDevice() {
        assertThat(printed(out -> DeviceReport.print(OPEN, List.of(SERVED), out))).contains(
            "address            0000:3b:02.0",
            "connected          pid 7",
            "REGION  SIZE     ACCESS  TYPE       MAPPABLE",
            "bar0    0x10000  rwm     -          0x0-0xfff 0x2000-0x2fff(disablable)",
            "9       0x20     rw-     migration  -",
            "IRQ   VECTORS  FLAGS             TYPE",
            "msix  5        eventfd noresize  -",
            "5     1        eventfd           4/1");
    }

    @Test
    void omitsTablesOfDeviceThatIsNotOpen() {
        assertThat(printed(out -> DeviceReport.print(CLOSED, List.of(SERVED), out)))
            .noneMatch(line -> line.startsWith("REGION") || line.startsWith("IRQ") || line.startsWith("socket"));
    }

    @Test
    void writesDeviceAsJson() {
        assertThat(DeviceReport.json(OPEN, List.of(SERVED))).hasToString("""
            {"address":"0000:3b:02.0","id":"8086:154c","subsystem":"8086:0001","class":"0x020000","revision":"0x02",\
            "physicalFunction":"0000:3b:00.0","driver":"vfio-pci","mediator":"i40e",\
            "layers":[{"place":"*","mediator":"i40e"}],"clients":["vm1"],"trapping":true,"isolated":null,\
            "served":{"address":"0000:3b:02.0","socket":"/run/vm1.sock","client":"pid 7","requests":12,"errors":1},\
            "regions":[{"index":0,"name":"bar0","size":"0x10000","access":"rwm","type":null,"mappable":[\
            {"offset":"0x0","size":"0x1000","disablable":false},{"offset":"0x2000","size":"0x1000","disablable":true}]},\
            {"index":9,"name":"9","size":"0x20","access":"rw-","type":"migration","mappable":[]}],\
            "irqs":[{"index":2,"name":"msix","vectors":5,"flags":["eventfd","noresize"],"type":null},\
            {"index":5,"name":"5","vectors":1,"flags":["eventfd"],"type":"4/1"}]}""");
    }

    @Test
    void showsMediatorsInOrderAndStuckThreads() {
        var stuck = new MediatorStatus.StuckThread(VF, "vfio-loop-1", List.of("a.B.read(B.java:7)", "a.C.run(C.java:1)"));
        var gone = new MediatorStatus("slow", "mediator.slow 1.0.0", 31, 5, 77, List.of(VF), 2, 1, 0, List.of(stuck));
        var bound = new MediatorStatus("igd", "mediator.igd 0.1.0", 9, 0, 50, List.of(), 0, 3, 1, List.of());
        assertThat(printed(out -> MediatorReport.print(List.of(gone, bound), out))).containsExactly(
            "MEDIATOR  BUNDLE               BUNDLE-ID  RANKING  SERVICE-ID  ACCEPTED  REFUSED  FAILED  DEVICES       STUCK",
            "slow      mediator.slow 1.0.0  31         5        77          2         1        0       0000:3b:02.0  1",
            "igd       mediator.igd 0.1.0   9          0        50          0         3        1       -             0",
            "",
            "stuck in slow of mediator.slow 1.0.0: device 0000:3b:02.0, thread vfio-loop-1",
            "    at a.B.read(B.java:7)",
            "    at a.C.run(C.java:1)");
        assertThat(MediatorReport.json(gone, List.of())).hasToString("""
            {"name":"slow","bundle":"mediator.slow 1.0.0","bundleId":31,"ranking":5,"serviceId":77,"devices":["0000:3b:02.0"],\
            "accepted":2,"refused":1,"failed":0,"stuck":[{"device":"0000:3b:02.0","thread":"vfio-loop-1",\
            "stack":["a.B.read(B.java:7)","a.C.run(C.java:1)"]}],"loadedFor":null}""");
    }

    @Test
    void showsWhatWasLoadedOnDemand() {
        var provided = new ProvidedMediator("mediator.igd 0.1.0", 9, PF, VF_ID, "vendor=8086 fits", "/repo/igd.jar");
        assertThat(printed(out -> PlanReport.print(List.of(provided), out))).containsExactly(
            "",
            "LOADED ON DEMAND    BUNDLE-ID  FOR           ID         WHY               FROM",
            "mediator.igd 0.1.0  9          0000:3b:00.0  8086:154c  vendor=8086 fits  /repo/igd.jar");
        assertThat(printed(out -> PlanReport.print(List.of(), out))).isEmpty();
        var bound = new MediatorStatus("igd", "mediator.igd 0.1.0", 9, 0, 50, List.of(), 0, 3, 1, List.of());
        assertThat(MediatorReport.json(bound, List.of(provided)).toString()).contains("""
            "loadedFor":{"device":"0000:3b:00.0","id":"8086:154c","why":"vendor=8086 fits","source":"/repo/igd.jar"}""");
    }

    @Test
    void showsAPlan() {
        var plan = new ProvisionPlan(PlanAction.UPDATE, "mediator.igd 0.1.0",
            List.of(new ProvisionPlan.AffectedBundle("mediator.igd 0.1.0", Optional.of(9L), "updated")),
            List.of(new ProvisionPlan.AffectedDevice(VF, List.of("vm1"), "mediator igd", "pass-through")),
            List.of("It becomes 2."), "ab12");
        assertThat(printed(out -> PlanReport.print(plan, out))).containsExactly(
            "update mediator.igd 0.1.0",
            "BUNDLE              BUNDLE-ID  EFFECT",
            "mediator.igd 0.1.0  9          updated",
            "",
            "DEVICE        CLIENTS  LOSES         FOLLOWS",
            "0000:3b:02.0  vm1      mediator igd  pass-through",
            "It becomes 2.",
            "state ab12; vfio:apply carries this out as long as bundles and devices are in it");
        assertThat(PlanReport.json(plan)).hasToString("""
            {"action":"update","subject":"mediator.igd 0.1.0",\
            "bundles":[{"bundle":"mediator.igd 0.1.0","bundleId":9,"effect":"updated"}],\
            "devices":[{"address":"0000:3b:02.0","clients":["vm1"],"loses":"mediator igd","follows":"pass-through"}],\
            "notes":["It becomes 2."],"state":"ab12"}""");
    }

    @Test
    void showsEveryCounter() {
        var stats = new AccessStats(1, 2, 3, 4, 5, 6, 7, 8);
        assertThat(printed(out -> StatsReport.print(stats, Optional.empty(), out)))
            .hasSize(1 + AccessStats.class.getRecordComponents().length).contains("mediated         1", "dmaFaults        8");
        assertThat(StatsReport.json(VF, stats, Optional.empty())).hasToString("""
            {"address":"0000:3b:02.0","mediated":1,"passedThrough":2,"trapped":3,"interrupts":4,"errors":5,\
            "dmaBytesRead":6,"dmaBytesWritten":7,"dmaFaults":8,"served":null}""");
    }

    @Test
    void showsTheSocketsCountersByCommand() {
        assertThat(printed(out -> StatsReport.print(AccessStats.ZERO, Optional.of(SERVED.traffic()), out))).containsSubsequence(
            "SOCKET       VALUE",
            "requests     30",
            "errors       2",
            "timedOut     1",
            "lateResults  1",
            "lost         3",
            "doorbells    4",
            "",
            "COMMAND      REQUESTS  ERRORS  P50-US  P99-US  P99.9-US  MAX-US",
            "VERSION      2         0       900.0   1500.0  1500.0    1500.0",
            "REGION_READ  28        2       4.1     8.2     8.2       8.1");
        assertThat(StatsReport.json(VF, AccessStats.ZERO, Optional.of(SERVED.traffic())).toString()).contains("""
            "served":{"requests":30,"errors":2,"timedOut":1,"lateResults":1,"lost":3,"doorbells":4,"commands":[\
            {"command":"VERSION","requests":2,"errors":0,"p50Nanos":900000,"p99Nanos":1500000,"p999Nanos":1500000,"maxNanos":1500000},\
            {"command":"REGION_READ","requests":28,"errors":2,"p50Nanos":4095,"p99Nanos":8191,"p999Nanos":8191,"maxNanos":8100}]}""");
    }

    @Test
    void escapesJsonText() {
        assertThat(new Json().put("a\"b", "\\ \n \t \u0001 \u007f ü \uD83D\uDE00")).hasToString(
            "{\"a\\\"b\":\"\\\\ \\n \\t \\u0001 \\u007f ü \\ud83d\\ude00\"}");
        assertThat(Json.list(List.of())).isEqualTo("[]");
        assertThat(new Json().put("nothing", Optional.empty()).put("list", List.of(new Json(), 1L))).hasToString(
            "{\"nothing\":null,\"list\":[{},1]}");
    }
}
