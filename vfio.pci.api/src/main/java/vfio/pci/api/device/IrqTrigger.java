// SPDX-License-Identifier: Apache-2.0
package vfio.pci.api.device;

import org.osgi.annotation.versioning.ConsumerType;

/// Who takes an interrupt: an eventfd, or code in this process.
@ConsumerType
public interface IrqTrigger extends AutoCloseable {
    /// Nobody: de-assigns a vector.
    IrqTrigger NONE = () -> { };

    /// The vector fired. Called by any thread, also within register accesses; must not block, throw or call the device.
    void signal();

    /// The device gave the trigger up; no [#signal()] comes after the return. Called once.
    @Override
    default void close() {
    }
}
