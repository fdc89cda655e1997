// SPDX-License-Identifier: Apache-2.0
package itest.iavf;

/** The device did what it must not, or did not in time what it must. */
public final class IavfException extends RuntimeException {
    private static final long serialVersionUID = 1;

    /** @param format as {@link String#format}: {@code key=value}, numbers in hex */
    public IavfException(String format, Object... arguments) {
        super(format.formatted(arguments));
    }
}
