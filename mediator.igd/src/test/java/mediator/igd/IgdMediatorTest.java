// SPDX-License-Identifier: Apache-2.0
package mediator.igd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.function.PciFunction;
import vfio.pci.api.mediation.Mediation;

class IgdMediatorTest {
    private static final PciFunction IGD = DescribedFunction.of(0x8086, 0x5927, 0x030000);

    @ParameterizedTest
    @CsvSource({"0x8086,0x154c,0x020000", "0x8086,0x5927,0x038000", "0x8086,0x5926,0x030000", "0x10de,0x5927,0x030000"})
    void refusesWhatIsNotItsOwn(String vendor, String device, String classCode) throws VfioException {
        PciFunction function = DescribedFunction.of(Integer.decode(vendor), Integer.decode(device), Integer.decode(classCode));
        assertThat(new IgdMediator(Map.of()).open(function, new RecordingContext())).isEmpty();
    }

    @Test
    void refusesThe257thAndTakesItWhenOneHasClosed() throws VfioException {
        IgdMediator mediator = new IgdMediator(Map.of());
        List<Mediation> open = new ArrayList<>();
        for (int i = 0; i < 256; i++) {
            open.add(mediator.open(IGD, new RecordingContext()).orElseThrow());
        }
        assertThatThrownBy(() -> mediator.open(IGD, new RecordingContext())).isInstanceOfSatisfying(VfioException.class,
            e -> assertThat(e.errno()).isEqualTo(Errno.ENOSPC)).hasMessageContaining("open=256").hasMessageContaining("0000:00:02.0");
        open.getLast().close();
        assertThat(mediator.open(IGD, new RecordingContext())).isPresent();
        assertThatThrownBy(() -> mediator.open(IGD, new RecordingContext())).isInstanceOf(VfioException.class);
    }

    @Test
    void countsNoDeviceThatItRefused() throws VfioException {
        IgdMediator mediator = new IgdMediator(Map.of());
        for (int i = 0; i < 300; i++) {
            assertThat(mediator.open(DescribedFunction.of(0x8086, 0x154c, 0x020000), new RecordingContext())).isEmpty();
        }
        assertThat(mediator.open(IGD, new RecordingContext())).isPresent();
    }

    @Test
    void takesBothOfItsIdsWithAnyProgrammingInterface() throws VfioException {
        IgdMediator mediator = new IgdMediator(Map.of());
        assertThat(mediator.open(DescribedFunction.of(0x8086, 0x193b, 0x0300FF), new RecordingContext())).isPresent();
        assertThat(mediator.open(IGD, new RecordingContext())).isPresent();
        assertThat(mediator.name()).isEqualTo("igd");
    }

    @Test
    void takesMoreIdsByConfiguration() throws VfioException {
        PciFunction skylake = DescribedFunction.of(0x8086, 0x1912, 0x030000);
        for (Object ids : List.of("8086:1912", " 8086:0001, 8086:1912 ", new String[] {"8086:1912"}, List.of("8086:1912"))) {
            assertThat(new IgdMediator(Map.of("ids", ids)).open(skylake, new RecordingContext())).isPresent();
        }
        IgdMediator mediator = new IgdMediator(Map.of());
        assertThat(mediator.open(skylake, new RecordingContext())).isEmpty();
        mediator.modified(Map.of("ids", "8086:1912"));
        assertThat(mediator.open(skylake, new RecordingContext())).isPresent();
        assertThat(mediator.open(IGD, new RecordingContext())).isPresent();
    }

    @Test
    void leavesOutWhatIsNoIdAndKeepsTheRest() {
        List<String> wrong = new ArrayList<>();
        IgdIds ids = IgdIds.with("8086:19, 8086:1912,10de:1912,", wrong::add);
        assertThat(wrong).containsExactly("8086:19", "10de:1912");
        assertThat(ids.ids()).containsExactlyInAnyOrder("8086:5927", "8086:193b", "8086:1912");
    }
}
