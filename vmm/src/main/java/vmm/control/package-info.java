// SPDX-License-Identifier: Apache-2.0
/// How a VMM takes part: it says over a socket of the runtime which devices are its machine's, and moves that machine when it is told to.
///
/// Messages both ways: a length of 4 bytes, little-endian, and that much text: a verb, then lines `key=value`.
///
/// | verb | who | keys |
/// |---|---|---|
/// | REGISTER | VMM, once, first | version, name, devices (addresses with commas) |
/// | REGISTERED, REFUSED | runtime | reason |
/// | MIGRATE | runtime | order, to, dry-run, max-downtime (nanoseconds) |
/// | CANCEL | runtime | order |
/// | PROGRESS | VMM | order, step, round, pages, rate, downtime |
/// | RESULT | VMM, once an order | order, use, done, message, rounds, pages, bytes, downtime |
@Export
@Version("1.0.0")
package vmm.control;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
