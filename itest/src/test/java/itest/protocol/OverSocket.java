// SPDX-License-Identifier: Apache-2.0
package itest.protocol;

import static itest.options.RuntimeOptions.core;
import static itest.options.RuntimeOptions.felix;
import static itest.options.RuntimeOptions.simulatedNic;
import static itest.options.RuntimeOptions.vfioUser;
import static org.assertj.core.api.Assertions.assertThat;

import itest.SimulatedNic;
import itest.wire.Bytes;
import itest.wire.Command;
import itest.wire.Message;
import itest.wire.Payload;
import itest.wire.RawClient;
import itest.wire.ServedDevice;
import javax.inject.Inject;
import org.junit.Rule;
import org.junit.rules.RuleChain;
import org.junit.rules.TemporaryFolder;
import org.junit.runner.RunWith;
import org.ops4j.pax.exam.Configuration;
import org.ops4j.pax.exam.Option;
import org.ops4j.pax.exam.junit.PaxExam;
import org.ops4j.pax.exam.spi.reactors.ExamReactorStrategy;
import org.ops4j.pax.exam.spi.reactors.PerClass;
import org.osgi.framework.BundleContext;
import vfio.pci.api.OwnedFd;
import vfio.pci.api.admin.ServeAdmin;

/** What the tests have in common: a virtual function that is served, and what to require of an answer. */
@RunWith(PaxExam.class)
@ExamReactorStrategy(PerClass.class)
public abstract class OverSocket {
    static final int ENOMEM = 12;
    static final int EEXIST = 17;
    static final int EINVAL = 22;
    static final int ENOTTY = 25;
    static final int EMSGSIZE = 90;
    static final int EOPNOTSUPP = 95;

    /** The function's regions and interrupts, as VFIO numbers them. */
    static final int BAR0 = 0;
    static final int BAR3 = 3;
    static final int CONFIG = 7;
    static final int REGIONS = 9;
    static final int MSIX = 2;
    static final int IRQS = 5;
    static final int VECTORS = 5;
    /** Keeps what is written: VFQF_HKEY(0). */
    static final long KEEPS = 0xCC00;
    /** VFGEN_RSTAT, and what it reads. */
    static final long RSTAT = 0x8800;
    static final long VFACTIVE = 2;

    @Inject
    BundleContext context;
    @Inject
    ServeAdmin transport;

    final TemporaryFolder folder = new TemporaryFolder();
    final ServedDevice served = new ServedDevice(() -> transport, folder, SimulatedNic.VF0);
    @Rule
    public final RuleChain rules = RuleChain.outerRule(folder).around(served);

    @Configuration
    public Option[] runtime() {
        return new Option[] {felix(), core(), simulatedNic(), vfioUser()};
    }

    /** Requires that the command is answered with that errno, and that the connection serves on. */
    static void refuses(int errno, RawClient client, int command, Bytes payload, OwnedFd... fds) {
        Message reply = client.call(command, payload, fds);
        assertThat(reply.errno()).as("errno of %s", reply).isEqualTo(errno);
        serves(client);
    }

    /** Requires that the connection is in step, by a register whose content is known. */
    static void serves(RawClient client) {
        Message reply = client.call(Command.REGION_READ, Payload.access(RSTAT, BAR0, 4));
        assertThat(reply.errno()).as("errno of %s", reply).isZero();
        assertThat(reply.u32(Payload.REGION_ACCESS)).isEqualTo(VFACTIVE);
    }

    /** Requires success. */
    static Message succeeds(RawClient client, int command, Bytes payload, OwnedFd... fds) {
        Message reply = client.call(command, payload, fds);
        assertThat(reply.errno()).as("errno of %s", reply).isZero();
        return reply;
    }
}
