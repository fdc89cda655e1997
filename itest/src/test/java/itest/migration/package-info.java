// SPDX-License-Identifier: Apache-2.0
/** A virtual machine of Java that is moved between runtimes, each a process of its own. */
package itest.migration;
