// SPDX-License-Identifier: Apache-2.0
package itest.iavf;

/** How a driver writes tails. */
public enum Doorbells {
    /** In mapped pages, where the server offers them. */
    MAPPED,
    /** By messages, whatever the server offers. */
    POSTED
}
