// SPDX-License-Identifier: Apache-2.0
package vfio.pci.api.migration;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.osgi.annotation.versioning.ConsumerType;
import vfio.pci.api.VfioException;

/// What a vendor implements once so that its device can be moved; the core calls it along the arcs of the state machine and shows the
/// result to clients in both forms.
///
/// Calls are serialised with each other, with reset and with close of the same device; an access may come in at the same time. A call that
/// throws leaves the device in the state it was in. What was begun is ended, whichever way it goes: [#endTracking()] and [#endPreCopy()]
/// follow the stop of the logging and the end or the cancelling of the copy, a beginning that threw, and a reset, which
/// [vfio.pci.api.mediation.Mediation#reset()] then tells of: from then on the device runs, and nothing is saved or loaded any more. The end
/// of the mediation is [vfio.pci.api.mediation.Mediation#close()] alone.
///
/// A mediator that needs doorbells to trap for this switches that on where tracking or the copy begins: as
/// [vfio.pci.api.mediation.MediationContext#trap] returns when accesses really trap, so does the client's request.
@ConsumerType
public abstract class MigrationDriver {
    /// For vendors.
    protected MigrationDriver() {
    }

    /// The version of the state it writes.
    public abstract StateVersion version();

    /// What else must be the same on the other side, such as the number of queues. Keys and values of printable ASCII.
    public Map<String, String> configuration() {
        return Map.of();
    }

    /// Whether it knows the states in which it begins nothing with other devices and still answers. If so, [#stop()] comes from such a
    /// state and [#start()] leads to it.
    public boolean peerToPeer() {
        return false;
    }

    /// Bytes that [#save()] would give now, as well as that is known.
    ///
    /// @throws VfioException to fail the client's question
    public abstract long stateSize() throws VfioException;

    /// RUNNING to RUNNING_P2P: on return the device begins nothing by itself with other devices, and still answers. Only if
    /// [#peerToPeer()].
    ///
    /// @throws VfioException to refuse
    public void quiesce() throws VfioException {
    }

    /// RUNNING_P2P to RUNNING.
    ///
    /// @throws VfioException to refuse
    public void resume() throws VfioException {
    }

    /// To STOP: on return the device does nothing by itself.
    ///
    /// @throws VfioException to refuse
    public abstract void stop() throws VfioException;

    /// From STOP: it goes on where it was stopped, or where the state that was loaded left off.
    ///
    /// @throws VfioException to refuse
    public abstract void start() throws VfioException;

    /// A client begins to copy while the device runs.
    ///
    /// @throws VfioException to refuse
    public void beginPreCopy() throws VfioException {
    }

    /// What changed since the last call, or everything at first, while the device runs. Nothing for a device whose
    /// state is small.
    ///
    /// @return in the order in which they are to be loaded; empty when nothing changed
    /// @throws VfioException to fail the client's read
    public List<StateSection> preCopy() throws VfioException {
        return List.of();
    }

    /// Bytes that [#preCopy()] would give now, as well as that is known.
    ///
    /// @throws VfioException to fail the client's question
    public long preCopySize() throws VfioException {
        return 0;
    }

    /// The client has ended or given up to copy, or the beginning failed.
    public void endPreCopy() {
    }

    /// The state of the stopped device, or after a pre-copy what changed since. Does not change the device.
    ///
    /// @return in the order in which they are to be loaded
    /// @throws VfioException to refuse
    public abstract List<StateSection> save() throws VfioException;

    /// Takes over a state into the stopped device. The stream was complete, its checksums and configuration right.
    ///
    /// @param version of the mediator that saved it, whose major is not newer than that of [#version()]
    /// @param sections those of the pre-copy first, in order
    /// @throws VfioException EINVAL for a state it cannot read, with the device as it was
    public abstract void load(StateVersion version, List<StateSection> sections) throws VfioException;

    /// Brings a state into the layout of [#version()] that [#load] is not given as it is: that of another mediator, with other settings, or
    /// of a version whose major is newer. Asked where a mediator is exchanged for another under a running client.
    ///
    /// @param mediator name of who saved it
    /// @param version of what it saved
    /// @return what to load, or empty for a state that it does not know
    /// @throws VfioException EINVAL for one that it knows and cannot read
    public Optional<List<StateSection>> convert(String mediator, StateVersion version, List<StateSection> sections) throws VfioException {
        return Optional.empty();
    }

    /// From now on the device's writes are to be known; on return none is missed.
    ///
    /// @param log good until [#endTracking()]
    /// @throws VfioException to refuse, with nothing tracked
    public void beginTracking(DirtyLog log) throws VfioException {
        log.markTransfers(true);
    }

    /// A client asks which pages are dirty: marks what is known now, and again what the device may still write.
    ///
    /// @throws VfioException to fail the client's question; nothing is lost, it may ask again
    public void collect(DirtyLog log) throws VfioException {
    }

    /// Nobody wants to know any more, or the beginning failed.
    public void endTracking() {
    }
}
