// SPDX-License-Identifier: Apache-2.0
package vfio.user.wire.client;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import linux.sys.Fd;
import linux.sys.Mapping;
import linux.sys.UnixSocket;
import vfio.pci.api.Errno;
import vfio.pci.api.OwnedFd;
import vfio.pci.api.VfioException;
import vfio.pci.api.device.DeviceInfo;
import vfio.pci.api.device.IrqInfo;
import vfio.pci.api.device.RegionCapability;
import vfio.pci.api.device.RegionInfo;
import vfio.user.wire.Command;
import vfio.user.wire.DeviceInfoLayout;
import vfio.user.wire.DmaMapLayout;
import vfio.user.wire.DmaUnmapLayout;
import vfio.user.wire.HostOrder;
import vfio.user.wire.IrqInfoLayout;
import vfio.user.wire.IrqSetLayout;
import vfio.user.wire.RegionAccessLayout;
import vfio.user.wire.RegionCapabilities;
import vfio.user.wire.RegionInfoLayout;
import vfio.user.wire.VersionCapabilities;
import vfio.user.wire.VersionJson;
import vfio.user.wire.VersionLayout;

/// A connection to a vfio-user server. Each method sends one request and waits for its answer; one thread at a time. Unless said otherwise
/// they throw the errno the server answered, ECONNRESET when it has gone, EPROTO when it does not keep to the protocol, ETIMEDOUT when it
/// takes longer than this client waits; after the last three the connection is of no more use.
///
/// What the server asks for, DMA_READ and DMA_WRITE, is answered out of the memory that was mapped: while a method waits, in
/// [#serveDma], and, if the server gave a second socket, at any time by a thread of this client.
public final class VfioUserClient implements AutoCloseable {
    private static final int ASKED_AGAIN = 2;
    private static final int LONGEST_DATA = VersionCapabilities.DEFAULT_MAX_DATA_XFER_SIZE;

    private static final int MOST_FDS = 16;

    private final Channel channel;
    private final DmaMemory memory;
    private final DeviceFeatures features;
    private final ClientMigration migration;
    private final ClientDmaLogging dmaLogging;
    private VersionCapabilities server = VersionCapabilities.NONE;
    private String serverText = "";
    private Optional<TwinSocket> twin = Optional.empty();
    private boolean closed;

    private VfioUserClient(UnixSocket socket, Duration timeout) throws VfioException {
        memory = new DmaMemory();
        channel = new Channel(socket, memory, timeout);
        features = new DeviceFeatures(channel);
        migration = new ClientMigration(channel, features);
        dmaLogging = new ClientDmaLogging(channel, features, memory);
    }

    /// Connects and agrees on a version.
    ///
    /// @param proposed what this client says of itself
    /// @throws VfioException ENOENT or ECONNREFUSED when nobody listens there; else as all methods
    public static VfioUserClient connect(Path socket, VersionCapabilities proposed) throws VfioException {
        return negotiated(new VfioUserClient(UnixSocket.connect(socket), Duration.ZERO), proposed);
    }

    /// As [#connect(Path, VersionCapabilities)], and waits no longer than that for anything.
    ///
    /// @param timeout of connecting, and of each request
    public static VfioUserClient connect(Path socket, VersionCapabilities proposed, Duration timeout) throws VfioException {
        return negotiated(new VfioUserClient(UnixSocket.connect(socket, timeout), timeout), proposed);
    }

    private static VfioUserClient negotiated(VfioUserClient client, VersionCapabilities proposed) throws VfioException {
        boolean agreed = false;
        try {
            client.negotiate(proposed);
            agreed = true;
            return client;
        } finally {
            if (!agreed) {
                client.close();
            }
        }
    }

    /// Connects as a client of this project: 16 descriptors a message.
    ///
    /// @throws VfioException as [#connect(Path, VersionCapabilities)]
    public static VfioUserClient connect(Path socket) throws VfioException {
        return connect(socket, VersionCapabilities.NONE.withMaxMsgFds(MOST_FDS));
    }

    private void negotiate(VersionCapabilities proposed) throws VfioException {
        MemorySegment request = channel.request();
        VersionLayout.encode(new VersionLayout.Version(0, 0), request, Channel.PAYLOAD);
        byte[] text = VersionJson.format(proposed).getBytes(StandardCharsets.UTF_8);
        int at = Channel.PAYLOAD + VersionLayout.BYTES;
        MemorySegment.copy(text, 0, request, ValueLayout.JAVA_BYTE, at, text.length);
        request.set(ValueLayout.JAVA_BYTE, at + text.length, (byte) 0);
        int size = channel.call(Command.VERSION, VersionLayout.BYTES + text.length + 1, VersionLayout.BYTES) - VersionLayout.BYTES;
        if (size > 0) {
            byte[] said = channel.answer().asSlice(at, size).toArray(ValueLayout.JAVA_BYTE);
            serverText = new String(said, 0, said[size - 1] == 0 ? size - 1 : size, StandardCharsets.UTF_8);
            server = VersionJson.parse(serverText);
        }
        if (proposed.twinSocket() && server.twinSocket()) {
            Fd second = channel.takeFd(server.twinSocketFdIndex().orElse(0));
            twin = Optional.of(new TwinSocket(UnixSocket.over(second), memory));
        }
    }

    /// The text of the server's VERSION, with what this client knows nothing of; empty when it sent none.
    public String serverText() {
        return serverText;
    }

    /// Whether the server's commands come on a second socket.
    public boolean hasTwinSocket() {
        return twin.isPresent();
    }

    /// Features of the device, by their numbers.
    public DeviceFeatures features() {
        return features;
    }

    /// The device's states and data when it is moved.
    public ClientMigration migration() {
        return migration;
    }

    /// Which memory the device writes.
    public ClientDmaLogging dmaLogging() {
        return dmaLogging;
    }

    /// What the server said of itself.
    public VersionCapabilities server() {
        return server;
    }

    /// DEVICE_GET_INFO.
    public DeviceInfo deviceInfo() throws VfioException {
        DeviceInfoLayout.encode(new DeviceInfoLayout.DeviceInfo(DeviceInfoLayout.BYTES, 0, 0, 0), channel.request(), Channel.PAYLOAD);
        channel.call(Command.DEVICE_GET_INFO, DeviceInfoLayout.BYTES, DeviceInfoLayout.BYTES);
        DeviceInfoLayout.DeviceInfo info = DeviceInfoLayout.decode(channel.answer(), Channel.PAYLOAD);
        return new DeviceInfo((info.flags() & DeviceInfoLayout.FLAGS_RESET) != 0, small(info.numRegions()), small(info.numIrqs()));
    }

    /// DEVICE_GET_REGION_INFO, asked again with the room it takes.
    ///
    /// @return the answer, whose file the caller closes
    public RegionAnswer regionInfo(int index) throws VfioException {
        long argsz = RegionInfoLayout.BYTES;
        for (int i = 0; i < ASKED_AGAIN; i++) {
            RegionInfoLayout.encode(new RegionInfoLayout.RegionInfo(argsz, 0, index, 0, 0, 0), channel.request(), Channel.PAYLOAD);
            int size = channel.call(Command.DEVICE_GET_REGION_INFO, RegionInfoLayout.BYTES, RegionInfoLayout.BYTES);
            RegionInfoLayout.RegionInfo info = RegionInfoLayout.decode(channel.answer(), Channel.PAYLOAD);
            List<Fd> files = channel.takeFds();
            if (info.argsz() <= argsz) {
                return answer(index, info, size, files);
            }
            files.forEach(Fd::close);
            argsz = info.argsz();
        }
        throw new VfioException(Errno.EPROTO, "region=%d argsz=0x%x still grows".formatted(index, argsz));
    }

    private RegionAnswer answer(int index, RegionInfoLayout.RegionInfo info, int size, List<Fd> files) throws VfioException {
        boolean whole = false;
        try {
            boolean listed = (info.flags() & RegionInfoLayout.FLAG_CAPS) != 0;
            List<RegionCapability> capabilities = listed
                ? RegionCapabilities.decode(channel.answer(), Channel.PAYLOAD, size, info.capOffset()) : List.of();
            if (info.size() < 0 || info.offset() < 0 || files.size() > 1 || info.index() != index) {
                throw new VfioException(Errno.EPROTO, "region=%s files=%d expected=region %d, sizes below 2^63, one file".formatted(
                    info, files.size(), index));
            }
            whole = true;
            return new RegionAnswer(new RegionInfo((int) info.index(), info.size(), flags(info.flags()), capabilities),
                files.stream().findFirst(), info.offset());
        } finally {
            if (!whole) {
                files.forEach(Fd::close);
            }
        }
    }

    private static Set<RegionInfo.Flag> flags(long bits) {
        Set<RegionInfo.Flag> flags = EnumSet.noneOf(RegionInfo.Flag.class);
        for (RegionInfo.Flag flag : RegionInfo.Flag.values()) {
            long bit = switch (flag) {
                case READ -> RegionInfoLayout.FLAG_READ;
                case WRITE -> RegionInfoLayout.FLAG_WRITE;
                case MMAP -> RegionInfoLayout.FLAG_MMAP;
            };
            if ((bits & bit) != 0) {
                flags.add(flag);
            }
        }
        return flags;
    }

    /// DEVICE_GET_REGION_IO_FDS, asked again with the room it takes.
    ///
    /// @return the answer, whose files the caller closes
    public RegionIoFds regionIoFds(int index) throws VfioException {
        return RegionIoFds.ask(channel, index);
    }

    /// Maps a part of a region into this process, by the file the server sends.
    ///
    /// @param offset and size whole pages, in one of the areas of its sparse-mmap capability if it has one
    /// @throws VfioException EINVAL when the server sends no file
    public Mapping map(int region, long offset, long size) throws VfioException {
        try (RegionAnswer answer = regionInfo(region)) {
            Fd file = answer.file().orElseThrow(() -> new VfioException(Errno.EINVAL, "region=%d cannot be mapped".formatted(region)));
            boolean write = answer.info().flags().contains(RegionInfo.Flag.WRITE);
            return Mapping.of(file, answer.offset() + offset, size, true, write);
        }
    }

    /// REGION_READ. Allocates nothing.
    ///
    /// @param count at most 1 MiB
    public void read(int region, long offset, MemorySegment buffer, long bufferOffset, int count) throws VfioException {
        putAccess(region, offset, count);
        int size = channel.call(Command.REGION_READ, RegionAccessLayout.BYTES, RegionAccessLayout.BYTES);
        if (size != RegionAccessLayout.BYTES + count) {
            throw new VfioException(Errno.EPROTO, "REGION_READ answer=0x%x expected=0x%x of data".formatted(size, count));
        }
        MemorySegment.copy(channel.answer(), Channel.PAYLOAD + RegionAccessLayout.BYTES, buffer, bufferOffset, count);
    }

    /// REGION_WRITE. Allocates nothing.
    ///
    /// @param count at most 1 MiB
    public void write(int region, long offset, MemorySegment buffer, long bufferOffset, int count) throws VfioException {
        putAccess(region, offset, count);
        MemorySegment.copy(buffer, bufferOffset, channel.request(), Channel.PAYLOAD + RegionAccessLayout.BYTES, count);
        channel.call(Command.REGION_WRITE, RegionAccessLayout.BYTES + count, RegionAccessLayout.BYTES);
    }

    /// REGION_WRITE that nobody answers: whether it worked is not told. Done before any later request.
    public void post(int region, long offset, MemorySegment buffer, long bufferOffset, int count) throws VfioException {
        putAccess(region, offset, count);
        MemorySegment.copy(buffer, bufferOffset, channel.request(), Channel.PAYLOAD + RegionAccessLayout.BYTES, count);
        channel.post(Command.REGION_WRITE, RegionAccessLayout.BYTES + count);
    }

    private void putAccess(int region, long offset, int count) throws VfioException {
        if (count < 0 || count > LONGEST_DATA) {
            throw new VfioException(Errno.EINVAL, "count=0x%x expected=at most 0x%x".formatted(count, LONGEST_DATA));
        }
        MemorySegment request = channel.request();
        HostOrder.putU64(request, Channel.PAYLOAD + RegionAccessLayout.OFFSET, offset);
        HostOrder.putU32(request, Channel.PAYLOAD + RegionAccessLayout.REGION, region);
        HostOrder.putU32(request, Channel.PAYLOAD + RegionAccessLayout.COUNT, count);
    }

    /// DEVICE_GET_IRQ_INFO.
    public IrqInfo irqInfo(int index) throws VfioException {
        IrqInfoLayout.encode(new IrqInfoLayout.IrqInfo(IrqInfoLayout.BYTES, 0, index, 0), channel.request(), Channel.PAYLOAD);
        channel.call(Command.DEVICE_GET_IRQ_INFO, IrqInfoLayout.BYTES, IrqInfoLayout.BYTES);
        IrqInfoLayout.IrqInfo info = IrqInfoLayout.decode(channel.answer(), Channel.PAYLOAD);
        Set<IrqInfo.Flag> flags = EnumSet.noneOf(IrqInfo.Flag.class);
        for (IrqInfo.Flag flag : IrqInfo.Flag.values()) {
            long bit = switch (flag) {
                case EVENTFD -> IrqInfoLayout.EVENTFD;
                case MASKABLE -> IrqInfoLayout.MASKABLE;
                case AUTOMASKED -> IrqInfoLayout.AUTOMASKED;
                case NORESIZE -> IrqInfoLayout.NORESIZE;
            };
            if ((info.flags() & bit) != 0) {
                flags.add(flag);
            }
        }
        return new IrqInfo(index, small(info.count()), flags, Optional.empty());
    }

    /// Says which eventfds take vectors `start` and following; none and a `count`: nobody takes them, and the index is enabled. More than
    /// the server takes in one message go in several.
    ///
    /// @param events lent; as many as `count`, or none
    public void setIrqEvents(int index, int start, int count, List<? extends OwnedFd> events) throws VfioException {
        int[] numbers = events.stream().mapToInt(OwnedFd::number).toArray();
        int most = Math.clamp(server.maxMsgFds().orElse(VersionCapabilities.DEFAULT_MAX_MSG_FDS), 1, MOST_FDS);
        int done = 0;
        do {
            int part = Math.min(most, numbers.length - done);
            putIrqs(IrqSetLayout.DATA_EVENTFD | IrqSetLayout.ACTION_TRIGGER, index, start + done, numbers.length == 0 ? count : part);
            channel.callWithFds(Command.DEVICE_SET_IRQS, IrqSetLayout.BYTES, Arrays.copyOfRange(numbers, done, done + part));
            done += part;
        } while (done < numbers.length);
    }

    /// Fires those of the vectors from `start` on that are set, as if the device had.
    public void fireIrq(int index, int start, boolean... vectors) throws VfioException {
        putIrqs(IrqSetLayout.DATA_BOOL | IrqSetLayout.ACTION_TRIGGER, index, start, vectors.length);
        long at = Channel.PAYLOAD + IrqSetLayout.BYTES;
        HostOrder.putU32(channel.request(), Channel.PAYLOAD + IrqSetLayout.ARGSZ, IrqSetLayout.BYTES + (long) vectors.length);
        for (int i = 0; i < vectors.length; i++) {
            channel.request().set(ValueLayout.JAVA_BYTE, at + i, (byte) (vectors[i] ? 1 : 0));
        }
        channel.call(Command.DEVICE_SET_IRQS, IrqSetLayout.BYTES + vectors.length, 0);
    }

    /// Disables an interrupt wholly.
    public void disableIrq(int index) throws VfioException {
        setIrqs(IrqSetLayout.ACTION_TRIGGER, index, 0, 0);
    }

    /// Fires vectors as if the device had.
    public void fireIrq(int index, int start, int count) throws VfioException {
        setIrqs(IrqSetLayout.ACTION_TRIGGER, index, start, count);
    }

    /// Masks vectors.
    public void maskIrq(int index, int start, int count) throws VfioException {
        setIrqs(IrqSetLayout.ACTION_MASK, index, start, count);
    }

    /// Unmasks vectors.
    public void unmaskIrq(int index, int start, int count) throws VfioException {
        setIrqs(IrqSetLayout.ACTION_UNMASK, index, start, count);
    }

    private void setIrqs(int action, int index, int start, int count) throws VfioException {
        putIrqs(IrqSetLayout.DATA_NONE | action, index, start, count);
        channel.call(Command.DEVICE_SET_IRQS, IrqSetLayout.BYTES, 0);
    }

    private void putIrqs(int flags, int index, int start, int count) {
        IrqSetLayout.encode(new IrqSetLayout.IrqSet(IrqSetLayout.BYTES, flags, index, start, count), channel.request(), Channel.PAYLOAD);
    }

    /// DMA_MAP of memory the device can reach by itself.
    ///
    /// @param file lent; a memfd for instance
    /// @param offset of the first byte in it
    public void mapDma(long iova, long size, boolean readable, boolean writable, OwnedFd file, long offset) throws VfioException {
        putMap(iova, size, readable, writable, offset);
        channel.callWithFds(Command.DMA_MAP, DmaMapLayout.BYTES, file.number());
    }

    /// DMA_MAP of all of that memory, which the server can map too.
    ///
    /// @param lent until it is unmapped, or the client closed
    public void mapDma(long iova, ClientMemory lent, boolean readable, boolean writable) throws VfioException {
        putMap(iova, lent.memory().byteSize(), readable, writable, 0);
        mapServed(iova, lent.memory(), readable, writable, lent.file().number());
    }

    /// DMA_MAP of memory that the server reaches by messages only.
    ///
    /// @param lent until it is unmapped, or the client closed
    public void mapDma(long iova, MemorySegment lent, boolean readable, boolean writable) throws VfioException {
        putMap(iova, lent.byteSize(), readable, writable, 0);
        mapServed(iova, lent, readable, writable);
    }

    /// The server may ask for the memory before it answers.
    private void mapServed(long iova, MemorySegment lent, boolean readable, boolean writable, int... numbers) throws VfioException {
        boolean added = memory.add(iova, lent, readable, writable);
        boolean mapped = false;
        try {
            channel.callWithFds(Command.DMA_MAP, DmaMapLayout.BYTES, numbers);
            mapped = true;
        } finally {
            if (added && !mapped) {
                memory.remove(iova);
            }
        }
    }

    /// Waits for the server to ask for memory, and answers it; for a client that has nothing to ask itself. With a second socket there is
    /// nothing to wait for here.
    ///
    /// @return false when it asked for nothing in that time
    public boolean serveDma(Duration timeout) throws VfioException {
        return channel.serve(timeout);
    }

    /// DMA_MAP of memory the device cannot reach: what it asks for is answered with EFAULT.
    public void mapDma(long iova, long size, boolean readable, boolean writable) throws VfioException {
        putMap(iova, size, readable, writable, 0);
        channel.call(Command.DMA_MAP, DmaMapLayout.BYTES, 0);
    }

    private void putMap(long iova, long size, boolean readable, boolean writable, long offset) {
        long flags = (readable ? DmaMapLayout.REGION_READ : 0) | (writable ? DmaMapLayout.REGION_WRITE : 0);
        DmaMapLayout.encode(new DmaMapLayout.DmaMap(DmaMapLayout.BYTES, flags, offset, iova, size), channel.request(), Channel.PAYLOAD);
    }

    /// DMA_UNMAP of one earlier mapping, or of several that lie in the range; the device does not use them any more when this returns.
    public void unmapDma(long iova, long size) throws VfioException {
        unmap(0, iova, size);
        memory.remove(iova);
    }

    /// DMA_UNMAP of all mappings, which libvfio-user added to the protocol.
    public void unmapAllDma() throws VfioException {
        unmap(DmaUnmapLayout.FLAG_ALL, 0, 0);
        memory.clear();
    }

    private void unmap(long flags, long iova, long size) throws VfioException {
        DmaUnmapLayout.encode(new DmaUnmapLayout.DmaUnmap(DmaUnmapLayout.BYTES, flags, iova, size), channel.request(), Channel.PAYLOAD);
        channel.call(Command.DMA_UNMAP, DmaUnmapLayout.BYTES, 0);
    }

    /// DEVICE_RESET.
    public void reset() throws VfioException {
        channel.call(Command.DEVICE_RESET, 0, 0);
    }

    private static int small(long value) throws VfioException {
        if (value > Integer.MAX_VALUE) {
            throw new VfioException(Errno.EPROTO, "number=0x%x expected=below 0x80000000".formatted(value));
        }
        return (int) value;
    }

    /// Disconnects; the memory that was mapped is not used any more when this returns. A second call has no effect.
    @Override
    public void close() {
        if (!closed) {
            closed = true;
            channel.close();
            twin.ifPresent(TwinSocket::close);
            channel.free();
        }
    }
}
