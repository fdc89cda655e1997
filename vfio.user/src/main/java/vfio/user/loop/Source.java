// SPDX-License-Identifier: Apache-2.0
package vfio.user.loop;

import vfio.pci.api.OwnedFd;

/// A descriptor in the poll set and what is done when it is ready.
public abstract class Source {
    /// Returned by a turn: nothing is to be waited for until [PollLoop#resume].
    public static final int PARKED = 0;
    /// Returned by a turn: the source is to be taken out for good.
    public static final int CLOSED = -1;
    /// The events of a turn that was asked for by [PollLoop#resume].
    public static final int RESUMED = 0;

    // All below belong to the loop.
    /// Its place in the table; [SourceTable#NO_KEY] while it has none.
    long key = SourceTable.NO_KEY;
    /// What the poll set waits for; [#PARKED] while it is not in there.
    int interest;
    /// Whether a thread that does not run the loop is in its turn, or has it to itself.
    boolean away;
    /// Whether it is to have another turn, or to be taken out, when it is back.
    boolean resumeWhenBack;
    boolean closeWhenBack;

    /// What is waited for; the same until [#closed()].
    protected abstract OwnedFd fd();

    /// One turn. Never in two at once; another thread each time is possible. It may take long, but others then pay for a new thread. It
    /// touches only what is this source's own; everything shared is done by a task of the loop.
    ///
    /// @param events bits of [linux.sys.Epoll], or [#RESUMED]
    /// @return what to wait for, bits of [linux.sys.Epoll]; [#PARKED] or [#CLOSED]
    protected abstract int turn(int events);

    /// Waits for what the poll set would be asked about, for a few milliseconds at most, and takes it in. Asked of a source that has a
    /// thread to itself, outside its turns but never during one.
    ///
    /// @param interest bits of [linux.sys.Epoll], as its last turn returned them
    /// @return true when a turn with [#RESUMED] is to follow, and another wait perhaps; false when the poll set is to wait: the loop takes
    ///     the source back
    protected boolean await(int interest) {
        return false;
    }

    /// Whether [#await] is of use now. Asked within no turn.
    protected boolean canAwait() {
        return false;
    }

    /// A thread has been in a turn of this source for long, and the loop goes on without it: until [#returned()] the turn is not over.
    /// Called on the loop's thread, once for such a turn.
    protected void overtaken() {
    }

    /// The thread of [#overtaken()] has ended its turn; the next turn, or the end, follows. Called on the loop's thread, not when the loop
    /// has ended.
    protected void returned() {
    }

    /// The source was taken out: no turn comes any more. Called once, on the loop's thread, or on its last one's when the loop has ended.
    protected abstract void closed();
}
