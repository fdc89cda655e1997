// SPDX-License-Identifier: Apache-2.0
package mediator.i40e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.mediation.Capability;
import vfio.pci.api.mediation.Mediation;

class I40eMediatorTest {
    private final I40eMediator mediator = new I40eMediator(new NoSuccession());

    @ParameterizedTest
    @CsvSource({"0000:3b:00.0", "0000:3b:01.7", "0000:3b:02.4", "0000:3c:02.0", "0001:3b:02.0", "0000:00:02.0"})
    void refusesWhatIsNoVirtualFunctionOfItsOwn(String address) throws VfioException {
        mediator.add(PfBinding.bind(ScriptedFunction.physical("3b:00.0", 4, 16, 1)));
        assertThat(open(address)).isFalse();
    }

    @ParameterizedTest
    @CsvSource({"0000:3b:02.0", "0000:3b:02.3"})
    void acceptsItsVirtualFunctions(String address) throws VfioException {
        mediator.add(PfBinding.bind(ScriptedFunction.physical("3b:00.0", 4, 16, 1)));
        assertThat(open(address)).isTrue();
    }

    @Test
    void carriesRoutingIdsIntoTheBus() throws VfioException {
        mediator.add(PfBinding.bind(ScriptedFunction.physical("0002:3b:1f.0", 3, 16, 0x100)));
        assertThat(open("0002:3c:01.0")).isTrue();
        assertThat(open("0002:3d:01.0")).isTrue();
        assertThat(open("0002:3e:01.0")).isTrue();
        assertThat(open("0002:3f:01.0")).as("only three").isFalse();
        assertThat(open("0002:3c:01.1")).as("between two").isFalse();
    }

    @Test
    void goesByWhatTheCapabilitySaysNow() throws VfioException {
        ScriptedFunction function = ScriptedFunction.physical("3b:00.0", 1, 16, 0);
        mediator.add(PfBinding.bind(function));
        assertThat(open("3b:02.0")).isTrue();
        assertThat(open("3b:02.1")).isFalse();
        function.sriov(true, 2, 16, 1);
        assertThat(open("3b:02.1")).isTrue();
        function.sriov(false, 2, 16, 1);
        assertThat(open("3b:02.0")).isFalse();
    }

    @Test
    void acceptsNothingWithoutTheCapability() throws VfioException {
        mediator.add(PfBinding.bind(new ScriptedFunction("3b:00.0", 0x1583)));
        assertThat(open("3b:02.0")).isFalse();
    }

    @Test
    void acceptsNothingWhenTheCapabilityListLoops() throws VfioException {
        ScriptedFunction function = new ScriptedFunction("3b:00.0", 0x1583);
        function.dword(0x100, 0x1 | 1 << 16 | 0x200 << 20);
        function.dword(0x200, 0x2 | 1 << 16 | 0x100 << 20);
        mediator.add(PfBinding.bind(function));
        assertThat(open("3b:02.0")).isFalse();
    }

    @Test
    void acceptsNothingOfAPhysicalFunctionThatWent() throws VfioException {
        PfBinding binding = PfBinding.bind(ScriptedFunction.physical("3b:00.0", 4, 16, 1));
        mediator.add(binding);
        binding.close();
        assertThat(open("3b:02.0")).as("ENODEV from its config space").isFalse();
        mediator.remove(binding);
        assertThat(mediator.drivesNothing()).isTrue();
    }

    @Test
    void refusesThe1025thAndTakesItWhenOneHasClosed() throws VfioException {
        mediator.add(PfBinding.bind(ScriptedFunction.physical("3b:00.0", 4, 16, 1)));
        ScriptedFunction virtual = new ScriptedFunction("3b:02.0", 0x154C);
        List<Mediation> open = new ArrayList<>();
        for (int i = 0; i < 1024; i++) {
            open.add(mediator.open(virtual, new RecordingContext()).orElseThrow());
        }
        assertThatThrownBy(() -> mediator.open(virtual, new RecordingContext())).isInstanceOfSatisfying(VfioException.class,
            e -> assertThat(e.errno()).isEqualTo(Errno.ENOSPC)).hasMessageContaining("open=1024");
        open.getFirst().close();
        assertThat(mediator.open(virtual, new RecordingContext())).isPresent();
    }

    @Test
    void offersMigrationOnlyByConfiguration() throws VfioException {
        mediator.add(PfBinding.bind(ScriptedFunction.physical("3b:00.0", 4, 16, 1)));
        ScriptedFunction virtual = new ScriptedFunction("3b:02.0", 0x154C);
        assertThat(mediator.open(virtual, new RecordingContext()).orElseThrow().capabilities())
            .containsExactly(Capability.DYNAMIC_TRAP_BAR);
        mediator.offerMigration(I40eConfig.strategy(java.util.Map.of("migration", "true")));
        assertThat(mediator.open(virtual, new RecordingContext()).orElseThrow().capabilities())
            .containsExactlyInAnyOrder(Capability.DYNAMIC_TRAP_BAR, Capability.MIGRATION);
    }

    private boolean open(String address) throws VfioException {
        return mediator.open(new ScriptedFunction(address, 0x154C), new RecordingContext()).isPresent();
    }
}
