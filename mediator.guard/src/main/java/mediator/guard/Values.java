// SPDX-License-Identifier: Apache-2.0
package mediator.guard;

/// Which values written to a register a rule is about.
///
/// @param mask bits that are looked at
/// @param first least of them, unsigned
/// @param last greatest of them, unsigned
/// @param inside whether it is about those from first to last, or about all others
record Values(long mask, long first, long last, boolean inside) {
    /// Any value at all.
    static final Values ANY = new Values(0, 0, 0, true);

    boolean include(long value) {
        long looked = value & mask;
        return (Long.compareUnsigned(looked, first) >= 0 && Long.compareUnsigned(looked, last) <= 0) == inside;
    }
}
