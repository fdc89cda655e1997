// SPDX-License-Identifier: Apache-2.0
package vfio.user.wire.trace;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;
import vfio.pci.api.Errno;
import vfio.user.wire.Command;
import vfio.user.wire.DeviceFeatureLayout;
import vfio.user.wire.DeviceInfoLayout;
import vfio.user.wire.DmaMapLayout;
import vfio.user.wire.DmaRegionAccessLayout;
import vfio.user.wire.DmaUnmapLayout;
import vfio.user.wire.HeaderLayout;
import vfio.user.wire.HostOrder;
import vfio.user.wire.IrqInfoLayout;
import vfio.user.wire.IrqSetLayout;
import vfio.user.wire.MigDataLayout;
import vfio.user.wire.RegionAccessLayout;
import vfio.user.wire.RegionInfoLayout;
import vfio.user.wire.RegionIoFdsLayout;
import vfio.user.wire.RegionWriteMultiLayout;
import vfio.user.wire.VersionLayout;

/// A record as one line: time, direction (`>` from the client, `<` from the server), message id, command, its fields in hex, the first
/// bytes of its data, descriptors. Whatever was sent, the line has only printable characters.
public final class MessageText {
    private static final int DATA_SHOWN = 16;
    private static final int TEXT_SHOWN = 400;
    private static final double NANOS = 1e9;

    private MessageText() {
    }

    /// The line, without its end.
    public static String of(TraceRecord record) {
        String time = String.format(Locale.ROOT, "%11.6f", record.nanos() / NANOS);
        if (record.kind() == TraceRecord.Kind.DROPPED) {
            long count = ByteBuffer.wrap(record.bytes()).order(ByteOrder.LITTLE_ENDIAN).getLong();
            return time + " - dropped=" + Long.toUnsignedString(count);
        }
        MemorySegment message = MemorySegment.ofArray(record.bytes());
        HeaderLayout.Header header = HeaderLayout.decode(message, 0);
        Optional<Command> command = Command.of(header.cmd());
        StringBuilder line = new StringBuilder(time).append(record.kind() == TraceRecord.Kind.RECEIVED ? " > " : " < ")
            .append("id=0x").append(Integer.toHexString(header.msgId())).append(' ')
            .append(command.map(Command::name).orElse("command=0x" + Integer.toHexString(header.cmd())));
        line.append(header.reply() ? " reply" : "");
        if ((header.flags() & HeaderLayout.F_NO_REPLY) != 0) {
            line.append(" no-reply");
        }
        int known = HeaderLayout.F_TYPE_REPLY | HeaderLayout.F_NO_REPLY | HeaderLayout.F_ERROR;
        if ((header.flags() & ~known) != 0) {
            line.append(" flags=0x").append(Integer.toHexString(header.flags()));
        }
        if (header.error()) {
            Errno errno = Errno.of((int) header.errorNo());
            line.append(" error=").append(errno == Errno.EUNKNOWN ? "0x" + Long.toHexString(header.errorNo()) : errno.name());
        }
        if (header.msgSize() != record.bytes().length) {
            line.append(" msg_size=0x").append(Long.toHexString(header.msgSize()));
        }
        if (record.bytes().length > HeaderLayout.BYTES) {
            line.append(' ').append(command.map(each -> payload(each, message)).orElseGet(() -> data(message, HeaderLayout.BYTES)));
        }
        if (!record.fds().isEmpty()) {
            line.append(" fds=").append(record.fds().stream().map(MessageText::text).collect(Collectors.joining(",")));
        }
        return line.toString();
    }

    private static String text(TraceRecord.Descriptor fd) {
        String name = fd.type().name().toLowerCase(Locale.ROOT);
        return fd.type() == TraceRecord.Descriptor.Type.FILE ? name + ":0x" + Long.toHexString(fd.size()) : name;
    }

    private static String payload(Command command, MemorySegment message) {
        long at = HeaderLayout.BYTES;
        int head = headOf(command);
        if (message.byteSize() < at + head) {
            return data(message, at);
        }
        String fields = switch (command) {
            case VERSION -> fields("major", HostOrder.u16(message, at), "minor", HostOrder.u16(message, at + VersionLayout.MINOR))
                + json(message, at + head);
            case DMA_MAP -> {
                DmaMapLayout.DmaMap map = DmaMapLayout.decode(message, at);
                yield fields("flags", map.flags(), "iova", map.addr(), "size", map.size(), "offset", map.offset());
            }
            case DMA_UNMAP -> {
                DmaUnmapLayout.DmaUnmap unmap = DmaUnmapLayout.decode(message, at);
                yield fields("flags", unmap.flags(), "iova", unmap.addr(), "size", unmap.size());
            }
            case DEVICE_GET_INFO -> words(message, at, "argsz", "flags", "regions", "irqs");
            case DEVICE_GET_REGION_INFO -> {
                RegionInfoLayout.RegionInfo info = RegionInfoLayout.decode(message, at);
                yield fields("argsz", info.argsz(), "flags", info.flags(), "region", info.index(), "cap_offset", info.capOffset(), "size",
                    info.size(), "offset", info.offset());
            }
            case DEVICE_GET_REGION_IO_FDS -> words(message, at, "argsz", "flags", "region", "count");
            case DEVICE_GET_IRQ_INFO -> words(message, at, "argsz", "flags", "irq", "count");
            case DEVICE_SET_IRQS -> words(message, at, "argsz", "flags", "irq", "start", "count");
            case REGION_READ, REGION_WRITE -> {
                RegionAccessLayout.RegionAccess access = RegionAccessLayout.decode(message, at);
                yield fields("region", access.region(), "offset", access.offset(), "count", access.count());
            }
            case DMA_READ, DMA_WRITE -> {
                DmaRegionAccessLayout.DmaRegionAccess access = DmaRegionAccessLayout.decode(message, at);
                yield fields("iova", access.addr(), "count", access.count());
            }
            case REGION_WRITE_MULTI -> fields("writes", HostOrder.u64(message, at));
            case DEVICE_FEATURE -> words(message, at, "argsz", "flags");
            case MIG_DATA_READ, MIG_DATA_WRITE -> words(message, at, "argsz", "size");
            case DEVICE_RESET -> "";
        };
        boolean more = command != Command.VERSION && message.byteSize() > at + head;
        return more ? (fields + " " + data(message, at + head)).strip() : fields;
    }

    /// Bytes of the structure that begins a payload.
    private static int headOf(Command command) {
        return switch (command) {
            case VERSION -> VersionLayout.BYTES;
            case DMA_MAP -> DmaMapLayout.BYTES;
            case DMA_UNMAP -> DmaUnmapLayout.BYTES;
            case DEVICE_GET_INFO -> DeviceInfoLayout.BYTES;
            case DEVICE_GET_REGION_INFO -> RegionInfoLayout.BYTES;
            case DEVICE_GET_REGION_IO_FDS -> RegionIoFdsLayout.BYTES;
            case DEVICE_GET_IRQ_INFO -> IrqInfoLayout.BYTES;
            case DEVICE_SET_IRQS -> IrqSetLayout.BYTES;
            case REGION_READ, REGION_WRITE -> RegionAccessLayout.BYTES;
            case DMA_READ, DMA_WRITE -> DmaRegionAccessLayout.BYTES;
            case REGION_WRITE_MULTI -> RegionWriteMultiLayout.BYTES;
            case DEVICE_FEATURE -> DeviceFeatureLayout.BYTES;
            case MIG_DATA_READ, MIG_DATA_WRITE -> MigDataLayout.BYTES;
            case DEVICE_RESET -> 0;
        };
    }

    private static String fields(Object... namesAndValues) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < namesAndValues.length; i += 2) {
            text.append(i == 0 ? "" : " ").append(namesAndValues[i]).append("=0x")
                .append(Long.toHexString(((Number) namesAndValues[i + 1]).longValue()));
        }
        return text.toString();
    }

    /// Fields of 32 bits each, one behind the other.
    private static String words(MemorySegment message, long at, String... names) {
        Object[] fields = new Object[2 * names.length];
        for (int i = 0; i < names.length; i++) {
            fields[2 * i] = names[i];
            fields[2 * i + 1] = HostOrder.u32(message, at + (long) i * Integer.BYTES);
        }
        return fields(fields);
    }

    private static String json(MemorySegment message, long at) {
        int size = (int) Math.min(TEXT_SHOWN, message.byteSize() - at);
        String text = new String(message.asSlice(at, size).toArray(ValueLayout.JAVA_BYTE), StandardCharsets.UTF_8);
        String shown = text.chars().filter(c -> c != 0).mapToObj(c -> c < ' ' || c >= 0x7F ? "?" : Character.toString(c))
            .collect(Collectors.joining());
        return shown.isEmpty() ? "" : " " + shown;
    }

    private static String data(MemorySegment message, long at) {
        long size = message.byteSize() - at;
        byte[] shown = message.asSlice(at, Math.min(DATA_SHOWN, size)).toArray(ValueLayout.JAVA_BYTE);
        return "data=" + HexFormat.of().formatHex(shown) + (size > DATA_SHOWN ? "...0x" + Long.toHexString(size) : "");
    }
}
