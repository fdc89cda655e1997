// SPDX-License-Identifier: Apache-2.0
package itest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import itest.bundles.MediatorBundle;
import itest.mediators.Answering;
import itest.mediators.Declining;
import itest.mediators.Failing;
import itest.mediators.FailingToBind;
import itest.mediators.Refusing;
import itest.mediators.Setting;
import java.util.List;
import org.junit.Test;
import org.osgi.framework.Bundle;
import vfio.pci.api.VfioException;
import vfio.pci.api.admin.MediatorStatus;
import vfio.pci.api.device.RegionIndex;
import vfio.pci.api.device.RegionInfo;
import vfio.pci.api.device.VfioDevice;

/** Who is asked, in which order, and who gets the device. */
public class MediatorOrderIT extends OnTheNic {
    // ---- failures

    @Test
    public void skipsOneThatFailsInOpenAndLogsItOnce() throws Exception {
        try (var log = new LoggedLines()) {
            mediators.start(MediatorBundle.of(Failing.class).named("broken"));
            mediators.start(MediatorBundle.of(Answering.class).named("next").answering(0xA1));
            assertThat(statusOnOpen()).isEqualTo(0xA1);
            assertThat(statusOnOpen()).isEqualTo(0xA1);
            assertThat(log.with("broken")).singleElement().asString().contains(SimulatedNic.VF0.toString()).contains("bug in open");
        }
        assertThat(mediator("broken").failed()).isEqualTo(2);
        assertThat(mediator("broken").accepted()).isZero();
    }

    @Test
    public void skipsOneThatFailsWhileItIsBoundAndLeavesNothingOfIt() throws Exception {
        mediators.start(MediatorBundle.of(FailingToBind.class).named("broken"));
        mediators.start(MediatorBundle.of(Answering.class).named("next").answering(0xA1));
        try (VfioDevice device = open(); var registers = new Registers(device)) {
            assertThat(registers.read(Registers.VFGEN_RSTAT)).isEqualTo(0xA1);
            assertThat(admin.device(SimulatedNic.VF0).regions()).extracting(RegionInfo::index)
                .as("the region it had added is empty").allMatch(index -> index < RegionIndex.FIRST_SPECIFIC);
        }
        assertThat(mediator("broken").failed()).isEqualTo(1);
        assertThat(mediators.number(Setting.CLOSED, "broken")).as("its mediation is closed").hasValue(1);
    }

    @Test
    public void goesOnAfterARefusal() throws Exception {
        mediators.start(MediatorBundle.of(Refusing.class).named("other"));
        mediators.start(MediatorBundle.of(Declining.class).named("full"));
        mediators.start(MediatorBundle.of(Answering.class).named("next").answering(0xA1));
        assertThat(statusOnOpen()).isEqualTo(0xA1);
        assertThat(mediators.board().journal()).containsExactly("other", "full", "next");
        assertThat(mediator("other").refused()).isEqualTo(1);
        assertThat(mediator("full").refused()).isEqualTo(1);
        assertThat(mediator("next").accepted()).isEqualTo(1);
    }

    @Test
    public void passesEverythingThroughWhenAllRefuse() throws Exception {
        mediators.start(MediatorBundle.of(Refusing.class));
        mediators.start(MediatorBundle.of(Failing.class));
        assertThat(statusOnOpen()).isEqualTo(Registers.VFACTIVE);
        assertThat(admin.stats(SimulatedNic.VF0).mediated()).isZero();
    }

    // ---- order

    @Test
    public void passesEverythingThroughWithoutAny() throws Exception {
        assertThat(admin.mediators()).isEmpty();
        try (VfioDevice device = open(); var registers = new Registers(device)) {
            assertThat(registers.read(Registers.VFGEN_RSTAT)).isEqualTo(Registers.VFACTIVE);
            registers.write(Registers.VF_ATQBAH1, 0x1234_5678);
            assertThat(registers.read(Registers.VF_ATQBAH1)).isEqualTo(0x1234_5678);
            assertThat(admin.device(SimulatedNic.VF0).mediator()).isEmpty();
            assertThat(admin.stats(SimulatedNic.VF0).mediated()).isZero();
            assertThat(admin.stats(SimulatedNic.VF0).passedThrough()).isEqualTo(3);
        }
    }

    @Test
    public void asksInTheOrderOfStartNotOfInstallation() throws Exception {
        Bundle a = mediators.install(MediatorBundle.of(Refusing.class).named("a"));
        Bundle b = mediators.install(MediatorBundle.of(Refusing.class).named("b"));
        Bundle c = mediators.install(MediatorBundle.of(Refusing.class).named("c"));
        c.start();
        a.start();
        b.start();
        open().close();
        assertThat(mediators.board().takeJournal()).containsExactly("c", "a", "b");
        assertThat(namesListed()).containsExactly("c", "a", "b");
    }

    @Test
    public void asksARestartedOneLast() throws Exception {
        Bundle a = mediators.start(MediatorBundle.of(Refusing.class).named("a"));
        mediators.start(MediatorBundle.of(Refusing.class).named("b"));
        mediators.start(MediatorBundle.of(Refusing.class).named("c"));
        open().close();
        assertThat(mediators.board().takeJournal()).containsExactly("a", "b", "c");
        a.stop();
        a.start();
        open().close();
        assertThat(mediators.board().takeJournal()).containsExactly("b", "c", "a");
        assertThat(namesListed()).containsExactly("b", "c", "a");
    }

    @Test
    public void firstToAcceptWinsAndTheRestAreNotAsked() throws Exception {
        mediators.start(MediatorBundle.of(Refusing.class).named("a"));
        mediators.start(MediatorBundle.of(Answering.class).named("b").answering(0xB));
        mediators.start(MediatorBundle.of(Answering.class).named("c").answering(0xC));
        try (VfioDevice device = open(); var registers = new Registers(device)) {
            assertThat(registers.read(Registers.VFGEN_RSTAT)).isEqualTo(0xB);
            assertThat(mediators.board().journal()).containsExactly("a", "b");
            assertThat(mediator("b").devices()).containsExactly(SimulatedNic.VF0);
            assertThat(admin.device(SimulatedNic.VF0).mediator()).contains("b");
            open().close();
            assertThat(mediators.board().journal()).as("a second open shares the mediation").containsExactly("a", "b");
        }
        assertThat(mediator("b").devices()).isEmpty();
        assertThat(mediators.number(Setting.CLOSED, "b")).hasValue(1);
    }

    @Test
    public void asksAHigherRankingFirst() throws Exception {
        mediators.start(MediatorBundle.of(Refusing.class).named("plain"));
        mediators.start(MediatorBundle.of(Refusing.class).named("low").ranked(-1));
        mediators.start(MediatorBundle.of(Refusing.class).named("high").ranked(5));
        open().close();
        assertThat(mediators.board().journal()).containsExactly("high", "plain", "low");
        assertThat(namesListed()).containsExactly("high", "plain", "low");
    }

    @Test
    public void logsASecondOneOfTheSameNameAndListsBoth() throws Exception {
        try (var log = new LoggedLines()) {
            Bundle first = mediators.start(MediatorBundle.of(Refusing.class).named("twin").bundled("itest.first"));
            assertThat(log.with("twin")).isEmpty();
            Bundle second = mediators.start(MediatorBundle.of(Refusing.class).named("twin").bundled("itest.second").version("2.0.0"));
            assertThat(log.with("twin")).singleElement().asString().contains("twice");
            assertThat(admin.mediators()).extracting(MediatorStatus::name, MediatorStatus::bundle, MediatorStatus::bundleId)
                .containsExactly(
                    tuple("twin", "itest.first 1.0.0", first.getBundleId()),
                    tuple("twin", "itest.second 2.0.0", second.getBundleId()));
        }
        open().close();
        assertThat(mediators.board().journal()).containsExactly("twin", "twin");
    }

    private int statusOnOpen() throws VfioException {
        try (VfioDevice device = open(); var registers = new Registers(device)) {
            return registers.read(Registers.VFGEN_RSTAT);
        }
    }

    private MediatorStatus mediator(String name) {
        return admin.mediators().stream().filter(status -> status.name().equals(name)).findFirst().orElseThrow();
    }

    private List<String> namesListed() {
        return admin.mediators().stream().map(MediatorStatus::name).toList();
    }
}
