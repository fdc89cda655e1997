// SPDX-License-Identifier: Apache-2.0
package itest.protocol;

import itest.wire.Bytes;
import itest.wire.RawClient;
import java.util.Arrays;
import org.junit.Test;
import vfio.pci.api.VfioException;

/** The test that commands have in common whose payload begins with an argsz. */
public abstract class CommandWithArgsz extends CommandOverSocket {
    private final int command;

    CommandWithArgsz(int command) {
        super(command);
        this.command = command;
    }

    @Test
    public void rejectsAnArgszBelowTheStructure() throws VfioException {
        RawClient client = served.ready();
        byte[] bytes = valid().array();
        byte[] rest = Arrays.copyOfRange(bytes, Integer.BYTES, bytes.length);
        for (int argsz : new int[] {0, 1, bytes.length - 1}) {
            refuses(EINVAL, client, command, Bytes.none().u32(argsz).raw(rest));
        }
    }
}
