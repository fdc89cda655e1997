// SPDX-License-Identifier: Apache-2.0
package itest;

import static org.assertj.core.api.Assertions.assertThat;

import itest.iavf.AqMessage;
import itest.iavf.Capability;
import itest.iavf.DriverOptions;
import itest.iavf.IavfDriver;
import itest.iavf.IavfRegister;
import itest.iavf.Payload;
import itest.iavf.Sequence;
import itest.iavf.VfResources;
import itest.iavf.Virtchnl;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.Test;

/** A driver over a socket finds a virtual function, brings its link up, and lets it go again. */
public class IavfBringUpIT extends OnServedVfs {
    private static final Duration SOON = Duration.ofSeconds(30);
    private static final int UNKNOWN_OP = 250;

    @Test
    public void saysWhatItHas() throws Exception {
        try (GuestVf guest = GuestVf.connect(vfs.socket(SimulatedNic.VF0), DriverOptions.DEFAULT)) {
            VfResources resources = guest.driver().resources();
            assertThat(resources.queuePairs()).isEqualTo(4);
            assertThat(resources.maxVectors()).isEqualTo(5);
            assertThat(resources.maxMtu()).as("1500 would have newer drivers refuse full frames").isNotEqualTo(1500);
            assertThat(resources.rssKeySize()).isEqualTo(52);
            assertThat(resources.rssLutSize()).isEqualTo(64);
            for (Capability granted : List.of(Capability.L2, Capability.ADV_LINK_SPEED, Capability.RSS_PF, Capability.WB_ON_ITR,
                    Capability.VLAN, Capability.REQ_QUEUES)) {
                assertThat(resources.has(granted)).as("%s of 0x%x", granted, resources.capabilities()).isTrue();
            }
        }
    }

    @Test
    public void eachHasAnAddressOfItsOwn() throws Exception {
        Set<Long> seen = new HashSet<>();
        for (var address : List.of(SimulatedNic.VF0, SimulatedNic.VF1, SimulatedNic.VF3)) {
            try (GuestVf guest = GuestVf.connect(vfs.socket(address), DriverOptions.DEFAULT)) {
                assertThat(guest.driver().mac().isGroup()).as("%s", guest.driver().mac()).isFalse();
                assertThat(guest.driver().mac().bits()).isNotZero();
                assertThat(seen.add(guest.driver().mac().bits())).as("%s is another's too", guest.driver().mac()).isTrue();
            }
        }
    }

    @Test
    public void linkComesUpAsForLinux() throws Exception {
        bringUp(DriverOptions.DEFAULT.withQueuePairs(4));
    }

    @Test
    public void linkComesUpAsForDpdk() throws Exception {
        bringUp(DriverOptions.DEFAULT.withQueuePairs(4).with(Sequence.DPDK));
    }

    @Test
    public void linkComesUpByInterrupts() throws Exception {
        bringUp(DriverOptions.DEFAULT.withQueuePairs(4).withInterrupts());
    }

    private void bringUp(DriverOptions options) throws Exception {
        try (GuestVf guest = GuestVf.start(vfs.socket(SimulatedNic.VF0), options)) {
            IavfDriver driver = guest.driver();
            assertThat(driver.pairs()).hasSize(4);
            assertThat(driver.linkSpeed()).as("Mbit/s").isEqualTo(40000);
            assertThat(driver.stats().rxUnknownProtocol()).isZero();
            for (int round = 0; round < 3; round++) {
                driver.stop();
                driver.start();
                driver.awaitLink(SOON);
            }
        }
    }

    @Test
    public void refusesWhatItDoesNotKnow() throws Exception {
        try (GuestVf guest = GuestVf.connect(vfs.socket(SimulatedNic.VF0), DriverOptions.DEFAULT)) {
            AqMessage answer = guest.driver().virtchnl().exchange(UNKNOWN_OP, new Payload().u32(1));
            assertThat(answer.status()).isEqualTo(Virtchnl.ERR_NOT_SUPPORTED);
            assertThat(answer.bytes()).isEmpty();
            assertThat(guest.driver().stats().txErrors()).as("it goes on").isZero();
        }
    }

    @Test
    public void softwareInterruptFires() throws Exception {
        try (GuestVf guest = GuestVf.start(vfs.socket(SimulatedNic.VF0), DriverOptions.DEFAULT.withInterrupts())) {
            var vectors = guest.driver().vectors().orElseThrow();
            vectors.take(1);
            vectors.fire(1);
            vectors.awaitFired(1, SOON);
            assertThat(guest.driver().bar().read(IavfRegister.VFINT_DYN_CTLN1, 0) & IavfRegister.DYN_INTENA)
                .as("DYN_CTLN1.INTENA after it fired").isZero();
        }
    }
}
