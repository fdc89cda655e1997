// SPDX-License-Identifier: Apache-2.0
/**
 * Benchmarks of the access path, in process and over sockets. Each class measures one question and names it in its Javadoc.
 */
package bench;
