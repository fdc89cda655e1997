// SPDX-License-Identifier: Apache-2.0
package vmm;

/// The steps of a move, in order on each side. A test may stop before any of them.
public enum Step {
    /// Source: connects.
    CONNECT,
    /// Source: has the devices begin to be copied while they run, and says what is to be moved.
    HELLO,
    /// Source: has what is written logged from here on.
    LOG,
    /// Source: copies memory, once or once more.
    COPY,
    /// Source: stops the processors.
    PAUSE,
    /// Source: stops the devices.
    STOP,
    /// Source: takes the last report and copies what it says.
    LAST_PAGES,
    /// Source: copies the states of devices and processors.
    STATES,
    /// Source: says that this was all, and waits until the destination could run.
    SEAL,
    /// Source: gives the machine away. From here on it is not taken back unless the destination says that it does not have it.
    COMMIT,
    /// Source: waits until the destination says that it runs.
    AWAIT_DONE,

    /// Destination: looks at what is to be moved; its devices are made ready to take a state.
    ACCEPT,
    /// Destination: takes pages and states as they come.
    FILL,
    /// Destination: has its devices take their states over.
    LOAD,
    /// Destination: says that it could run.
    READY,
    /// Destination: was told to run, and has its devices run, then the processors.
    RUN,
    /// Destination: says that it runs.
    DONE;

    /// Whether it is one of the side that gives.
    public boolean source() {
        return compareTo(ACCEPT) < 0;
    }
}
