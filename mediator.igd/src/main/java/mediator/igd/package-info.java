// SPDX-License-Identifier: Apache-2.0
/**
 * Vendor knowledge of Intel integrated graphics, published as a mediator.
 */
package mediator.igd;
