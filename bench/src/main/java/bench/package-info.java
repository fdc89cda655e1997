// SPDX-License-Identifier: Apache-2.0
/// Benchmarks of the access path, in process. Each class measures one question and names it in its Javadoc; [bench.Ratios] runs them
/// together, because on a shared machine only figures of one run can be compared.
package bench;
