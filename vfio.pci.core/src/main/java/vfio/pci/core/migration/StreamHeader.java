// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.migration;

import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import vfio.pci.api.Errno;
import vfio.pci.api.PciId;
import vfio.pci.api.VfioException;
import vfio.pci.api.migration.StateVersion;

/// Whose state a stream holds, and what must be the same where it is loaded.
///
/// @param vendor and device of the function
/// @param mediator its name
/// @param version of the state it writes
/// @param configuration what must match, by key
public record StreamHeader(int vendor, int device, String mediator, StateVersion version, SortedMap<String, String> configuration) {
    /// The header of a device.
    static StreamHeader of(PciId id, String mediator, StateVersion version, Map<String, String> configuration) {
        return new StreamHeader(id.vendor(), id.device(), mediator, version, new TreeMap<>(configuration));
    }

    /// The body as it travels.
    byte[] encode() {
        ByteBuffer body = ByteBuffer.allocate(StreamFormat.LONGEST_BODY).order(ByteOrder.LITTLE_ENDIAN);
        body.putShort((short) vendor).putShort((short) device).putShort((short) version.major()).putShort((short) version.minor());
        put(body, mediator);
        body.putShort((short) configuration.size());
        configuration.forEach((key, value) -> {
            put(body, key);
            put(body, value);
        });
        byte[] bytes = new byte[body.flip().remaining()];
        body.get(bytes);
        return bytes;
    }

    private static void put(ByteBuffer body, String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        body.putShort((short) bytes.length).put(bytes);
    }

    /// A body that came.
    ///
    /// @throws VfioException EINVAL when it is not one
    static StreamHeader decode(byte[] bytes) throws VfioException {
        ByteBuffer body = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        try {
            int vendor = Short.toUnsignedInt(body.getShort());
            int device = Short.toUnsignedInt(body.getShort());
            StateVersion version = new StateVersion(Short.toUnsignedInt(body.getShort()), Short.toUnsignedInt(body.getShort()));
            String mediator = text(body);
            SortedMap<String, String> configuration = new TreeMap<>();
            for (int left = Short.toUnsignedInt(body.getShort()); left > 0; left--) {
                configuration.put(text(body), text(body));
            }
            if (body.hasRemaining()) {
                throw wrong(bytes);
            }
            return new StreamHeader(vendor, device, mediator, version, configuration);
        } catch (BufferUnderflowException e) {
            throw wrong(bytes);
        }
    }

    private static String text(ByteBuffer body) {
        byte[] bytes = new byte[Math.min(Short.toUnsignedInt(body.getShort()), body.remaining() + 1)];
        body.get(bytes);
        return new String(bytes, StandardCharsets.UTF_8);
    }

    private static VfioException wrong(byte[] bytes) {
        return new VfioException(Errno.EINVAL, "header=0x%x bytes expected=device, version, mediator and settings".formatted(bytes.length));
    }

    /// Refuses the state of a source that does not fit this device.
    ///
    /// @throws VfioException EINVAL naming the first thing that differs
    void checkFits(StreamHeader source) throws VfioException {
        if (source.vendor != vendor || source.device != device) {
            throw new VfioException(Errno.EINVAL, "state of device=%04x:%04x expected=%04x:%04x".formatted(source.vendor, source.device,
                vendor, device));
        }
        if (!source.mediator.equals(mediator)) {
            throw new VfioException(Errno.EINVAL, "state of mediator=%s expected=%s".formatted(printable(source.mediator), mediator));
        }
        if (source.version.major() > version.major()) {
            throw new VfioException(Errno.EINVAL, "state version=%s expected=major at most %d".formatted(source.version, version.major()));
        }
        if (!source.configuration.equals(configuration)) {
            throw new VfioException(Errno.EINVAL, "state configuration=%s expected=%s".formatted(printable(source.configuration.toString()),
                configuration));
        }
    }

    /// What came from elsewhere is not let into a log as it is.
    private static String printable(String text) {
        String shown = text.length() > 200 ? text.substring(0, 200) + "..." : text;
        return shown.replaceAll("[^\\x20-\\x7E]", "?");
    }
}
