// SPDX-License-Identifier: Apache-2.0
/**
 * A guest without a virtual machine: a poll-mode driver of an XL710's virtual function, as a client of the vfio-user server.
 *
 * <p>It knows the device by what the Linux driver and DPDK's do to it, and shares nothing with the simulator, so that one typo cannot
 * pass on both sides. {@link itest.iavf.IavfDriver} is where to begin: it brings the function up over a {@link itest.iavf.Bar0 BAR}, an
 * {@link itest.iavf.AdminQueue admin queue} and its {@link itest.iavf.Virtchnl messages}, and hands out
 * {@link itest.iavf.TxRing} and {@link itest.iavf.RxRing} in {@link itest.iavf.GuestMemory memory} that the server maps.
 *
 * <p>It believes nothing: what the device writes into rings and messages is checked, and what is not as it has to be is an
 * {@link itest.iavf.IavfException}.
 */
package itest.iavf;
