// SPDX-License-Identifier: Apache-2.0
/**
 * Vendor knowledge of the XL710 network controller: drives the physical function and mediates its virtual functions.
 */
package mediator.i40e;
