// SPDX-License-Identifier: Apache-2.0
/// The mediator that is measured. [bench.VendorLoader] defines it anew for each mediator wanted, as each bundle's loader would.
package bench.vendor;
