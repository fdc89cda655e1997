// SPDX-License-Identifier: Apache-2.0
package vfio.user.wire.client;

import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import linux.sys.Fd;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.device.RegionCapability;
import vfio.pci.api.device.RegionInfo;
import vfio.user.wire.Command;
import vfio.user.wire.RegionCapabilities;
import vfio.user.wire.RegionInfoLayout;

/// What a server says of a region.
///
/// @param info the region, which areas can be mapped, and what it is
/// @param file behind the areas that can be mapped, if it was sent; the holder's to close
/// @param offset of the region's byte 0 in that file
public record RegionAnswer(RegionInfo info, Optional<Fd> file, long offset) implements AutoCloseable {
    private static final int ASKED_AGAIN = 2;

    static RegionAnswer ask(Channel channel, int index) throws VfioException {
        long argsz = RegionInfoLayout.BYTES;
        for (int i = 0; i < ASKED_AGAIN; i++) {
            RegionInfoLayout.encode(new RegionInfoLayout.RegionInfo(argsz, 0, index, 0, 0, 0), channel.request(), Channel.PAYLOAD);
            int size = channel.call(Command.DEVICE_GET_REGION_INFO, RegionInfoLayout.BYTES, RegionInfoLayout.BYTES);
            RegionInfoLayout.RegionInfo info = RegionInfoLayout.decode(channel.answer(), Channel.PAYLOAD);
            List<Fd> files = channel.takeFds();
            if (info.argsz() <= argsz) {
                return decode(channel, index, info, size, files);
            }
            files.forEach(Fd::close);
            argsz = info.argsz();
        }
        throw new VfioException(Errno.EPROTO, "region=%d argsz=0x%x still grows".formatted(index, argsz));
    }

    private static RegionAnswer decode(Channel channel, int index, RegionInfoLayout.RegionInfo info, int size, List<Fd> files)
            throws VfioException {
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

    /// Closes the file.
    @Override
    public void close() {
        file.ifPresent(Fd::close);
    }
}
