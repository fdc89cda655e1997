// SPDX-License-Identifier: Apache-2.0
package itest.iavf;

import vfio.pci.api.VfioException;

/** What a thread that polls does again and again. */
public interface Step {
    /**
     * Does what can be done now.
     *
     * @return how much that was; 0 when there was nothing to do
     */
    int run() throws VfioException;
}
