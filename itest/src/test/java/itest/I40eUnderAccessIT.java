// SPDX-License-Identifier: Apache-2.0
package itest;

import static itest.options.RuntimeOptions.core;
import static itest.options.RuntimeOptions.felix;
import static itest.options.RuntimeOptions.mediatorI40e;
import static itest.options.RuntimeOptions.simulatedNic;
import static org.assertj.core.api.Assertions.assertThat;

import java.net.URI;
import java.util.Arrays;
import java.util.List;
import org.junit.Before;
import org.junit.Test;
import org.ops4j.pax.exam.Configuration;
import org.ops4j.pax.exam.Option;
import org.osgi.framework.Bundle;
import vfio.pci.api.VfioException;
import vfio.pci.api.admin.AccessStats;
import vfio.pci.api.admin.MediatorStatus;
import vfio.pci.api.device.VfioDevice;

/** The bundle mediator.i40e, as it is shipped, is updated, uninstalled and installed while four threads access a VF. */
public class I40eUnderAccessIT extends AtTheConsole {
    private static final int THREADS = 4;
    private static final long SOME_ROUNDS = 300;
    private static final List<Long> OWN = List.of(
        Registers.VF_ARQBAH1, Registers.VF_ARQBAL1, Registers.VF_ATQBAH1, Registers.VF_ATQBAL1);

    @Override
    @Configuration
    public Option[] runtime() {
        return new Option[] {felix(), core(), simulatedNic(), mediatorI40e()};
    }

    @Test
    public void uninstallLeavesPassThroughAndInstallBindsAtTheNextOpen() throws Exception {
        Bundle bundle = mediator();
        String location = bundle.getLocation();
        var classes = new BundleClasses(bundle);
        try (VfioDevice device = open()) {
            try (var threads = checkedAccess(device)) {
                threads.awaitRounds(SOME_ROUNDS);
                assertThat(admin.stats(SimulatedNic.VF0).mediated()).isGreaterThanOrEqualTo(THREADS * SOME_ROUNDS);
                bundle.uninstall();
                bundle = null;
                AccessStats gone = admin.stats(SimulatedNic.VF0);
                threads.awaitRounds(SOME_ROUNDS);
                assertThat(admin.stats(SimulatedNic.VF0).mediated()).isEqualTo(gone.mediated());
                assertThat(admin.stats(SimulatedNic.VF0).errors()).isZero();
                assertThat(admin.device(SimulatedNic.PF).driver()).as("the PF is let go").isEmpty();
            }
            // Not while threads are in compiled code of the access path: what that was compiled with is not collected meanwhile.
            classes.awaitCollected();
            try (var threads = checkedAccess(device)) {
                AccessStats before = admin.stats(SimulatedNic.VF0);
                context.installBundle(location).start();
                awaitMediator();
                threads.awaitRounds(SOME_ROUNDS);
                assertThat(admin.stats(SimulatedNic.VF0).mediated()).isEqualTo(before.mediated());
            }
        }
        isMediatedOnOpen();
    }

    @Test
    public void updateLeavesPassThroughAndBindsAtTheNextOpen() throws Exception {
        Bundle bundle = mediator();
        try (VfioDevice device = open(); var threads = checkedAccess(device)) {
            threads.awaitRounds(SOME_ROUNDS);
            bundle.update(URI.create(bundle.getLocation().substring("reference:".length())).toURL().openStream());
            AccessStats updated = admin.stats(SimulatedNic.VF0);
            awaitMediator();
            threads.awaitRounds(SOME_ROUNDS);
            assertThat(admin.stats(SimulatedNic.VF0).mediated()).isEqualTo(updated.mediated());
            assertThat(admin.stats(SimulatedNic.VF0).errors()).isZero();
        }
        isMediatedOnOpen();
    }

    @Test
    public void goesWithItsPhysicalFunctionAndComesBackWithIt() throws Exception {
        type("sim:unplug " + SimulatedNic.PF);
        assertThat(admin.mediators()).isEmpty();
        type("sim:plug " + SimulatedNic.PF);
        awaitMediator();
        isMediatedOnOpen();
    }

    private void isMediatedOnOpen() throws Exception {
        try (VfioDevice device = open(); var threads = checkedAccess(device)) {
            threads.awaitRounds(SOME_ROUNDS);
            assertThat(admin.device(SimulatedNic.VF0).mediator()).contains("i40e");
            assertThat(admin.stats(SimulatedNic.VF0).mediated()).isGreaterThanOrEqualTo(THREADS * SOME_ROUNDS);
        }
    }

    /** Each thread has a register of its own, which keeps what it wrote last; the status is always the device's. */
    private static AccessingThreads checkedAccess(VfioDevice device) throws VfioException {
        return new AccessingThreads(device, THREADS, thread -> {
            long register = OWN.get(thread);
            int[] written = {0};
            return registers -> {
                registers.write(register, ++written[0]);
                expect(registers, register, written[0]);
                expect(registers, Registers.VFGEN_RSTAT, Registers.VFACTIVE);
            };
        });
    }

    private static void expect(Registers registers, long register, int expected) throws VfioException {
        int value = registers.read(register);
        if (value != expected) {
            throw new AssertionError("register=0x%x value=0x%x expected=0x%x".formatted(register, value, expected));
        }
    }

    @Before
    public void awaitMediator() throws Exception {
        Await.until("mediator.i40e drives the PF",
            () -> admin.mediators().stream().map(MediatorStatus::name).toList().equals(List.of("i40e")));
    }

    private Bundle mediator() {
        return Arrays.stream(context.getBundles()).filter(one -> "mediator.i40e".equals(one.getSymbolicName())).findFirst().orElseThrow();
    }
}
