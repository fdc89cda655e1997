// SPDX-License-Identifier: Apache-2.0
package vfio.user.session;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.regex.Pattern;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.function.Bar;
import vfio.user.command.ClientLimits;
import vfio.user.command.Exchange;
import vfio.user.wire.VersionCapabilities;
import vfio.user.wire.VersionJson;
import vfio.user.wire.VersionLayout;

/// What a client proposed in VERSION, and the answer: only what it proposed, and only where that is not the default, for QEMU takes no
/// more than 214 bytes.
///
/// @param proposed by the client
/// @param ignoresErrors whether the client is known not to look at the error flag of an answer
record Negotiation(VersionCapabilities proposed, boolean ignoresErrors) {
    /// The VERSION of the crate `vfio-user` of rust-vmm, which cloud-hypervisor uses: minor version 1, and these capabilities, written by
    /// serde_json (`vfio-user/src/lib.rs`, `Client::negotiate_version` and `Capabilities`). Nobody else is known to send it.
    private static final Pattern RUST_VMM = Pattern.compile(
        "\\{\"capabilities\":\\{\"max_msg_fds\":1,\"max_data_xfer_size\":1048576,\"migration\":\\{\"pgsize\":[0-9]+}}}");
    private static final int RUST_VMM_MINOR = 1;
    private static final int MAJOR = 0;
    private static final int MINOR = 0;
    /// Longest text looked at.
    private static final int LONGEST_TEXT = 4096;

    /// Reads the request.
    ///
    /// @throws VfioException EINVAL for another major version, or text that is not what the protocol says; EMSGSIZE for too much of it
    static Negotiation read(MemorySegment request, long payload, int size) throws VfioException {
        if (size < VersionLayout.BYTES) {
            throw new VfioException(Errno.EINVAL, "payload=0x%x expected=at least 0x4".formatted(size));
        }
        VersionLayout.Version version = VersionLayout.decode(request, payload);
        if (version.major() != MAJOR) {
            throw new VfioException(Errno.EINVAL, "major=0x%x expected=0".formatted(version.major()));
        }
        if (size == VersionLayout.BYTES) {
            return new Negotiation(VersionCapabilities.NONE, false);
        }
        String text = text(request, payload + VersionLayout.BYTES, size - VersionLayout.BYTES);
        boolean rustVmm = version.minor() == RUST_VMM_MINOR && RUST_VMM.matcher(text).matches();
        return new Negotiation(VersionJson.parse(text), rustVmm).checked();
    }

    private static String text(MemorySegment request, long at, int size) throws VfioException {
        if (size > LONGEST_TEXT) {
            throw new VfioException(Errno.EMSGSIZE, "version data: size=0x%x expected=at most 0x%x".formatted(size, LONGEST_TEXT));
        }
        int length = 0;
        while (length < size && request.get(ValueLayout.JAVA_BYTE, at + length) != 0) {
            length++;
        }
        if (length == size) {
            throw new VfioException(Errno.EINVAL, "version data: expected=a terminating NUL");
        }
        try {
            return StandardCharsets.UTF_8.newDecoder().decode(request.asSlice(at, length).asByteBuffer()).toString();
        } catch (CharacterCodingException e) {
            throw new VfioException(Errno.EINVAL, "version data: expected=UTF-8");
        }
    }

    /// Writes the answer.
    ///
    /// @param limits of this client
    /// @param deviceMaps most mappings the device has
    /// @param twin whether a second socket goes along
    /// @return its bytes
    int write(MemorySegment reply, long payload, ClientLimits limits, int deviceMaps, boolean twin) {
        VersionLayout.encode(new VersionLayout.Version(MAJOR, MINOR), reply, payload);
        byte[] text = VersionJson.format(answer(limits, Math.min(limits.dmaMaps(), deviceMaps), twin)).getBytes(StandardCharsets.UTF_8);
        MemorySegment.copy(text, 0, reply, ValueLayout.JAVA_BYTE, payload + VersionLayout.BYTES, text.length);
        reply.set(ValueLayout.JAVA_BYTE, payload + VersionLayout.BYTES + text.length, (byte) 0);
        return VersionLayout.BYTES + text.length + 1;
    }

    /// Less than the default has to be said to whoever did not ask, for it counts on the default.
    private VersionCapabilities answer(ClientLimits limits, int dmaMaps, boolean twin) {
        VersionCapabilities answer = VersionCapabilities.NONE.withWriteMultiple(proposed.writeMultiple())
            .withDisablableAreas(proposed.disablableAreas());
        if (proposed.maxMsgFds().isPresent() && limits.msgFds() != VersionCapabilities.DEFAULT_MAX_MSG_FDS) {
            answer = answer.withMaxMsgFds(limits.msgFds());
        }
        if (limits.dataBytes() != VersionCapabilities.DEFAULT_MAX_DATA_XFER_SIZE) {
            answer = answer.withMaxDataXferSize(limits.dataBytes());
        }
        if (dmaMaps < VersionCapabilities.DEFAULT_MAX_DMA_MAPS
            || proposed.maxDmaMaps().isPresent() && dmaMaps > VersionCapabilities.DEFAULT_MAX_DMA_MAPS) {
            answer = answer.withMaxDmaMaps(dmaMaps);
        }
        if (pageSizes() != VersionCapabilities.DEFAULT_PGSIZES) {
            answer = answer.withPgsizes(pageSizes());
        }
        return twin ? answer.withTwinSocket(0) : answer;
    }

    /// The page sizes both sides can map: all that are multiples of a page here.
    private long pageSizes() {
        return proposed.pgsizes().orElse(VersionCapabilities.DEFAULT_PGSIZES) & -Bar.PAGE_SIZE;
    }

    /// Bytes of data the client takes in one message, and this server as well.
    int transferBytes() {
        return (int) Math.min(Exchange.MAX_DATA, proposed.maxDataXferSize().orElse(VersionCapabilities.DEFAULT_MAX_DATA_XFER_SIZE));
    }

    /// Descriptors the client takes in one message.
    long messageFds() {
        return proposed.maxMsgFds().orElse(VersionCapabilities.DEFAULT_MAX_MSG_FDS);
    }

    private Negotiation checked() throws VfioException {
        if (transferBytes() == 0) {
            throw new VfioException(Errno.EINVAL, "max_data_xfer_size=0 expected=some");
        }
        if (pageSizes() == 0) {
            throw new VfioException(Errno.EINVAL, "pgsizes=0x%x expected=0x%x or multiples of it".formatted(proposed.pgsizes().orElse(0),
                Bar.PAGE_SIZE));
        }
        return this;
    }
}
