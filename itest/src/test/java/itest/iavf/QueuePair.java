// SPDX-License-Identifier: Apache-2.0
package itest.iavf;

/**
 * The rings with one number.
 *
 * @param index the number
 * @param tx to send
 * @param rx to receive
 */
public record QueuePair(int index, TxRing tx, RxRing rx) {
}
