// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.migration;

import java.lang.foreign.MemorySegment;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import vfio.pci.api.Errno;
import vfio.pci.api.PciId;
import vfio.pci.api.VfioException;
import vfio.pci.api.migration.IovaRange;
import vfio.pci.api.migration.Migration;
import vfio.pci.api.migration.MigrationDriver;
import vfio.pci.api.migration.MigrationFlag;
import vfio.pci.api.migration.MigrationState;
import vfio.pci.api.migration.StateSection;

/// The migration of one mediated device. Everything but [#state()] happens in the device's turn.
public final class MigrationEngine implements Migration {
    private static final System.Logger LOG = System.getLogger(MigrationEngine.class.getName());

    private static final Driver GONE = new Driver() {
        @Override
        public <T> T ask(Request<T> request) throws VfioException {
            throw new VfioException(Errno.ENODEV, "mediation=gone expected=a mediator that is still there");
        }
    };

    private final Device device;
    private final StreamHeader header;
    private final Set<MigrationFlag> flags;
    private final StateGraph graph;
    /// The way to the vendor, which is not kept beyond the mediation: a client may keep this.
    private volatile Driver driver;
    private volatile MigrationState state = MigrationState.RUNNING;
    private Optional<StreamWriter> saving = Optional.empty();
    private Optional<StreamReader> resuming = Optional.empty();
    /// Who reads the stream that is being saved, once somebody does; guarded by the turn, as are the streams and the log.
    private Staging staging;
    /// Who writes the one that is being resumed, once somebody does.
    private Object writer;
    private final Logging logging;

    /// Something asked of the vendor.
    ///
    /// @param <T> the answer
    @FunctionalInterface
    public interface Request<T> {
        /// Asks it.
        T ask(MigrationDriver driver) throws VfioException;
    }

    /// The way to the vendor: guarded, so that nobody is let in when it goes, and its bugs are answered EIO.
    @FunctionalInterface
    public interface Driver {
        /// Asks the vendor.
        ///
        /// @throws VfioException ENODEV when it has gone, EIO when it fails, else what it answers
        <T> T ask(Request<T> request) throws VfioException;
    }

    /// What the engine needs of its device.
    public interface Device {
        /// Whose state it is.
        PciId id();

        /// The device's turn.
        ReentrantLock turn();

        /// Calls its argument with each range that the device may write now.
        void writableMappings(Consumer<IovaRange> each);

        /// Has transfers tell this log from now on, or none; on return every transfer that told the one before has ended or tells it no
        /// more.
        void logTransfers(Optional<DirtyPages> log);

        /// Refuses to have the device moved while what moves it would leave something of its state behind. The device is stopped.
        ///
        /// @throws VfioException naming what
        void checkWhole() throws VfioException;

        /// Most bytes of a state that is taken in.
        long mostStateBytes();
    }

    /// The migration of a device in state RUNNING.
    ///
    /// @param mediator its name
    /// @throws VfioException when the vendor does not say what it can do
    public MigrationEngine(Device device, String mediator, Driver driver) throws VfioException {
        this.device = device;
        this.driver = driver;
        this.logging = new Logging(device, this::ask);
        this.header = driver.ask(vendor -> StreamHeader.of(device.id(), mediator, vendor.version(), vendor.configuration()));
        this.flags = EnumSet.of(MigrationFlag.STOP_COPY, MigrationFlag.PRE_COPY);
        if (driver.ask(MigrationDriver::peerToPeer)) {
            flags.add(MigrationFlag.P2P);
        }
        this.graph = StateGraph.of(flags);
    }

    /// The device's turn.
    ReentrantLock turn() {
        return device.turn();
    }

    StateGraph graph() {
        return graph;
    }

    Logging logging() {
        return logging;
    }

    @Override
    public Set<MigrationFlag> flags() {
        return Set.copyOf(flags);
    }

    @Override
    public MigrationState state() {
        return state;
    }

    @Override
    public void state(MigrationState to) throws VfioException {
        device.turn().lock();
        try {
            go(to);
        } finally {
            if (!state.saving()) {
                logging.endForRegion();
            }
            device.turn().unlock();
        }
    }

    private void step(MigrationState to) throws VfioException {
        switch (to) {
            case RUNNING -> run();
            case RUNNING_P2P -> runPeerToPeer();
            case PRE_COPY -> preCopy();
            case PRE_COPY_P2P -> preCopyPeerToPeer();
            case STOP -> stop();
            case STOP_COPY -> stopAndCopy();
            case RESUMING -> resuming = Optional.of(new StreamReader(header, device.mostStateBytes()));
            case ERROR -> throw new IllegalStateException("no way leads to state=%s".formatted(to));
        }
    }

    private void run() throws VfioException {
        switch (state) {
            case STOP -> ask(MigrationDriver::start);
            case RUNNING_P2P -> ask(MigrationDriver::resume);
            case PRE_COPY -> endPreCopy();
            default -> throw noArc(MigrationState.RUNNING);
        }
    }

    private void runPeerToPeer() throws VfioException {
        switch (state) {
            case RUNNING -> ask(MigrationDriver::quiesce);
            case STOP -> ask(MigrationDriver::start);
            case PRE_COPY_P2P -> endPreCopy();
            default -> throw noArc(MigrationState.RUNNING_P2P);
        }
    }

    private void preCopy() throws VfioException {
        if (state == MigrationState.PRE_COPY_P2P) {
            ask(MigrationDriver::resume);
        } else {
            beginPreCopy();
        }
    }

    private void preCopyPeerToPeer() throws VfioException {
        if (state == MigrationState.PRE_COPY) {
            ask(MigrationDriver::quiesce);
        } else {
            beginPreCopy();
        }
    }

    private void beginPreCopy() throws VfioException {
        boolean begun = false;
        try {
            ask(MigrationDriver::beginPreCopy);
            begun = true;
        } finally {
            if (!begun) {
                endQuietly(MigrationDriver::endPreCopy);
            }
        }
        saving = Optional.of(new StreamWriter(header));
    }

    private void endPreCopy() throws VfioException {
        ask(MigrationDriver::endPreCopy);
        endSaving();
    }

    private void endSaving() {
        saving = Optional.empty();
        staging = null;
    }

    private void stop() throws VfioException {
        switch (state) {
            case RUNNING, RUNNING_P2P -> ask(MigrationDriver::stop);
            case STOP_COPY -> endSaving();
            case RESUMING -> load();
            default -> throw noArc(MigrationState.STOP);
        }
    }

    private void load() throws VfioException {
        StreamReader stream = resuming.orElseThrow();
        if (!stream.empty()) {
            List<StateSection> sections = stream.sections();
            ask(vendor -> vendor.load(stream.version(), sections));
        }
        resuming = Optional.empty();
        writer = null;
    }

    private void stopAndCopy() throws VfioException {
        boolean copying = saving.isPresent();
        if (copying) {
            ask(MigrationDriver::stop);
        }
        List<StateSection> sections;
        try {
            device.checkWhole();
            sections = driver.ask(MigrationDriver::save);
        } catch (VfioException e) {
            if (copying) {
                // The state this comes from is one in which the device runs.
                ask(MigrationDriver::start);
            }
            throw e;
        }
        if (copying) {
            ask(MigrationDriver::endPreCopy);
        }
        StreamWriter stream = saving.orElseGet(() -> new StreamWriter(header));
        sections.forEach(stream::section);
        stream.end();
        saving = Optional.of(stream);
    }

    private IllegalStateException noArc(MigrationState to) {
        return new IllegalStateException("state=%s from=%s expected=an arc of the graph".formatted(to, state));
    }

    private void ask(Logging.Command command) throws VfioException {
        driver.ask(vendor -> {
            command.of(vendor);
            return vendor;
        });
    }

    /// Has the vendor end something, where there is something else to be told already, or nobody to tell it to.
    private void endQuietly(Logging.Command command) {
        try {
            ask(command);
        } catch (VfioException e) {
            LOG.log(System.Logger.Level.DEBUG, "{0}: {1}", device.id(), e.getMessage());
        }
    }

    @Override
    public int read(MemorySegment buffer, long offset, int count) throws VfioException {
        device.turn().lock();
        try {
            StreamWriter stream = saved();
            staging(stream).claim(this);
            if (!refill(stream)) {
                throw new VfioException(Errno.ENOMSG, "device_state=%s nothing new".formatted(state));
            }
            return stream.take(buffer, offset, count);
        } finally {
            device.turn().unlock();
        }
    }

    /// The stream that can be read now.
    ///
    /// @throws VfioException EINVAL when there is none
    StreamWriter saved() throws VfioException {
        return saving.orElseThrow(() -> new VfioException(Errno.EINVAL,
            "device_state=%s expected=one in which the state can be read".formatted(state)));
    }

    /// How that stream is read.
    Staging staging(StreamWriter stream) {
        if (staging == null || !staging.of(stream)) {
            staging = new Staging(stream);
        }
        return staging;
    }

    /// Has something wait to be read, unless there is nothing new.
    ///
    /// @return false when there is nothing new, and more may come
    boolean refill(StreamWriter stream) throws VfioException {
        if (stream.waiting() == 0 && !stream.ended()) {
            driver.ask(MigrationDriver::preCopy).forEach(stream::section);
            return stream.waiting() > 0;
        }
        return true;
    }

    @Override
    public void write(MemorySegment buffer, long offset, int count) throws VfioException {
        write(this, buffer, offset, count);
    }

    // ---- for the faces

    StreamHeader header() {
        return header;
    }

    /// Asks the vendor, in the turn.
    <T> T answer(Request<T> request) throws VfioException {
        return driver.ask(request);
    }

    /// Somebody else has brought the device into this state.
    void assume(MigrationState known) {
        state = known;
    }

    /// Goes the shortest legal way, in the turn.
    void go(MigrationState to) throws VfioException {
        for (MigrationState next : graph.way(state, to)) {
            step(next);
            state = next;
        }
    }

    void write(Object client, MemorySegment buffer, long offset, int count) throws VfioException {
        device.turn().lock();
        try {
            StreamReader stream = resuming.orElseThrow(() -> new VfioException(Errno.EINVAL,
                "device_state=%s expected=RESUMING".formatted(state)));
            if (writer != null && writer != client) {
                throw new VfioException(Errno.EBUSY, "state is written by another client or face expected=a state of one's own");
            }
            writer = client;
            stream.put(buffer, offset, count);
        } finally {
            device.turn().unlock();
        }
    }

    @Override
    public long stopCopyLength() throws VfioException {
        device.turn().lock();
        try {
            long waiting = saving.map(StreamWriter::waiting).orElse(0L);
            return state == MigrationState.STOP_COPY ? waiting : waiting + driver.ask(MigrationDriver::stateSize);
        } finally {
            device.turn().unlock();
        }
    }

    /// Bytes that would be read after those that wait.
    long notYetWaiting(StreamWriter stream) throws VfioException {
        return stream.ended() ? 0 : driver.ask(MigrationDriver::preCopySize);
    }

    @Override
    public PreCopy preCopyInfo() throws VfioException {
        device.turn().lock();
        try {
            if (state != MigrationState.PRE_COPY && state != MigrationState.PRE_COPY_P2P) {
                throw new VfioException(Errno.EINVAL, "device_state=%s expected=PRE_COPY or PRE_COPY_P2P".formatted(state));
            }
            return new PreCopy(saving.orElseThrow().waiting(), driver.ask(MigrationDriver::preCopySize));
        } finally {
            device.turn().unlock();
        }
    }

    @Override
    public void startLogging(long pageSize, List<IovaRange> ranges) throws VfioException {
        device.turn().lock();
        try {
            checkNotEnded();
            logging.begin(pageSize, ranges);
        } finally {
            device.turn().unlock();
        }
    }

    @Override
    public void stopLogging() throws VfioException {
        device.turn().lock();
        try {
            logging.end();
        } finally {
            device.turn().unlock();
        }
    }

    @Override
    public void reportDirty(long iova, long length, long pageSize, MemorySegment bitmap, long offset) throws VfioException {
        device.turn().lock();
        try {
            logging.report(iova, length, pageSize, bitmap, offset);
        } finally {
            device.turn().unlock();
        }
    }

    private void checkNotEnded() throws VfioException {
        if (driver == GONE) {
            GONE.ask(vendor -> vendor);
        }
    }

    /// The mediation has ended. Nothing here leads to the vendor any more.
    public void end() {
        driver = GONE;
        if (logging.isOn()) {
            device.logTransfers(Optional.empty());
        }
    }

    /// The device was reset: it runs, and nothing is logged, saved or resumed. What the vendor had begun it is asked to end; of the reset
    /// it learns otherwise, after that. In the device's turn.
    public void reset() {
        if (logging.isOn()) {
            endQuietly(MigrationDriver::endTracking);
        }
        if (state == MigrationState.PRE_COPY || state == MigrationState.PRE_COPY_P2P) {
            endQuietly(MigrationDriver::endPreCopy);
        }
        state = MigrationState.RUNNING;
        endSaving();
        resuming = Optional.empty();
        writer = null;
        logging.forget();
    }
}
