// SPDX-License-Identifier: Apache-2.0
/// One thread for all descriptors: a poll set whose sources take turns, and a watchdog that keeps one slow source from hurting the others.
///
/// A *turn* is what a source does when its descriptor is ready. It may enter a device, hence a mediation, hence take any time. After a
/// few milliseconds the watchdog lets a fresh thread carry on with the poll set, without that source; the thread that was overtaken
/// finishes its turn, hands the source back and ends. A source is thus never in two turns at once, and there is at most one such thread
/// per source.
///
/// `PollLoop` runs the turns, out of `PollSet` (what is waited for) and `SourceTable`; `Tasks` and `Timers` are what else
/// its thread does; `Threads` are those that run it and those that did, `Runner` each of them; `LoneSource` is one that alone is busy.
///
/// In the data path this stands below `vfio.user.session`: it knows descriptors, not messages.
package vfio.user.loop;
