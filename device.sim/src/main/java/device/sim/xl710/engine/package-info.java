// SPDX-License-Identifier: Apache-2.0
/// The threads of a simulated XL710: a worker for each virtual function in use, which fetches and writes back, and one thread a card that
/// looks at the doorbells of those that sleep. A register access only notes what was written and wakes the worker; everything that touches
/// guest memory happens here.
package device.sim.xl710.engine;
