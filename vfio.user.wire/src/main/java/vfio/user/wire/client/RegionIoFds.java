// SPDX-License-Identifier: Apache-2.0
package vfio.user.wire.client;

import java.util.ArrayList;
import java.util.List;
import linux.sys.EventFd;
import linux.sys.Fd;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.user.wire.Command;
import vfio.user.wire.IoEventFdLayout;
import vfio.user.wire.IoEventFdLayout.IoEventFd;
import vfio.user.wire.RegionIoFdsLayout;

/// Parts of a region that can be written by an event instead of a message.
///
/// @param subRegions as the server described them; of a type that is not ioeventfd the last field means something else
/// @param files that came along; `fdIndex` counts in here; the holder's to close
public record RegionIoFds(List<IoEventFd> subRegions, List<Fd> files) implements AutoCloseable {
    private static final int ASKED_AGAIN = 2;

    /// Copies the lists.
    public RegionIoFds {
        subRegions = List.copyOf(subRegions);
        files = List.copyOf(files);
    }

    static RegionIoFds ask(Channel channel, int index) throws VfioException {
        long argsz = RegionIoFdsLayout.BYTES;
        for (int i = 0; i < ASKED_AGAIN; i++) {
            RegionIoFdsLayout.encode(new RegionIoFdsLayout.RegionIoFds(argsz, 0, index, 0), channel.request(), Channel.PAYLOAD);
            int size = channel.call(Command.DEVICE_GET_REGION_IO_FDS, RegionIoFdsLayout.BYTES, RegionIoFdsLayout.BYTES);
            RegionIoFdsLayout.RegionIoFds head = RegionIoFdsLayout.decode(channel.answer(), Channel.PAYLOAD);
            List<Fd> files = channel.takeFds();
            if (head.argsz() <= argsz) {
                return decode(channel, head, size, files);
            }
            files.forEach(Fd::close);
            argsz = head.argsz();
        }
        throw new VfioException(Errno.EPROTO, "region=%d argsz=0x%x still grows".formatted(index, argsz));
    }

    /// How long a sub-region is follows from the size of the answer.
    private static RegionIoFds decode(Channel channel, RegionIoFdsLayout.RegionIoFds head, int size, List<Fd> files) throws VfioException {
        List<IoEventFd> found = new ArrayList<>();
        long count = head.count();
        long bytes = count == 0 ? IoEventFdLayout.BYTES : (size - RegionIoFdsLayout.BYTES) / count;
        boolean fits = bytes == IoEventFdLayout.BYTES || bytes == IoEventFdLayout.BYTES_WITH_SHADOW;
        for (int i = 0; fits && i < count; i++) {
            long at = Channel.PAYLOAD + RegionIoFdsLayout.BYTES + i * bytes;
            found.add(IoEventFdLayout.decode(channel.answer(), at, (int) bytes));
            fits = found.getLast().fdIndex() < files.size();
        }
        if (!fits) {
            files.forEach(Fd::close);
            throw new VfioException(Errno.EPROTO, "region=%d count=%d answer=0x%x files=%d expected=sub-regions with a file each".formatted(
                head.index(), count, size, files.size()));
        }
        return new RegionIoFds(found, files);
    }

    /// The event of a sub-region, over a descriptor of its own that the caller closes.
    ///
    /// @throws VfioException EINVAL when the server sent something else
    public EventFd event(int subRegion) throws VfioException {
        return EventFd.over(files.get((int) subRegions.get(subRegion).fdIndex()).duplicate());
    }

    @Override
    public void close() {
        files.forEach(Fd::close);
    }
}
