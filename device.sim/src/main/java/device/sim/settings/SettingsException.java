// SPDX-License-Identifier: Apache-2.0
package device.sim.settings;

/// A configuration that cannot be used. It carries no stack trace, because the message names key, value and what was expected.
public final class SettingsException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /// With this explanation.
    public SettingsException(String message) {
        super(message, null, false, false);
    }
}
