// SPDX-License-Identifier: Apache-2.0
package vfio.user.command;

import linux.sys.Fd;
import linux.sys.Memfd;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.dma.DmaBacking;
import vfio.pci.api.dma.DmaMapping;
import vfio.pci.api.function.Bar;
import vfio.user.wire.DmaMapLayout;

/// DMA_MAP: with a descriptor the device reaches the memory itself, mapped or as a file; without one by messages to the client.
final class DmaMap implements Handler {
    private static final long READ_WRITE = DmaMapLayout.REGION_READ | DmaMapLayout.REGION_WRITE;
    private static final long KNOWN = READ_WRITE | DmaMapLayout.REGION_MMAP | DmaMapLayout.REGION_FILE_IO;

    @Override
    public void handle(Exchange exchange) throws VfioException {
        exchange.requireSize(DmaMapLayout.BYTES);
        DmaMapLayout.DmaMap map = DmaMapLayout.decode(exchange.request(), exchange.payload());
        Exchange.requireArgsz(map.argsz(), DmaMapLayout.BYTES);
        checkFlags(map.flags(), exchange.fds());
        if (map.size() <= 0 || Long.compareUnsigned(map.addr(), -map.size()) > 0) {
            throw Exchange.invalid("size", map.size(), "1 to 2^63 - 1, not past the end of the address space");
        }
        exchange.ledger().require(map.size());
        exchange.device().dmaMap(new DmaMapping(map.addr(), map.size(), (map.flags() & DmaMapLayout.REGION_READ) != 0,
            (map.flags() & DmaMapLayout.REGION_WRITE) != 0, backing(exchange, map)));
        exchange.ledger().add(map.addr(), map.size());
    }

    private static void checkFlags(long flags, int fds) throws VfioException {
        if ((flags & ~KNOWN) != 0 || (flags & READ_WRITE) == 0) {
            throw Exchange.invalid("flags", flags, "1, 2 or 3");
        }
        if (fds > 1 || fds == 0 && (flags & ~READ_WRITE) != 0) {
            throw Exchange.invalid("fds", fds, "at most one, and one for a mapping by file");
        }
    }

    private static DmaBacking backing(Exchange exchange, DmaMapLayout.DmaMap map) throws VfioException {
        if (exchange.fds() == 0) {
            return new DmaBacking.Remote(exchange.remoteMemory());
        }
        if (map.offset() < 0 || map.offset() % Bar.PAGE_SIZE != 0 || map.offset() > Long.MAX_VALUE - map.size()) {
            throw Exchange.invalid("offset", map.offset(), "a page boundary within a file");
        }
        Fd file = exchange.takeFd();
        boolean taken = false;
        try {
            if ((map.flags() & DmaMapLayout.REGION_WRITE) != 0) {
                exchange.memoryFile(file);
            }
            boolean mapped = (map.flags() & DmaMapLayout.REGION_FILE_IO) == 0 && mayBeMapped(exchange.limits().unsealed(), file);
            taken = true;
            return mapped ? new DmaBacking.File(file, map.offset()) : new DmaBacking.FileIo(file, map.offset());
        } finally {
            if (!taken) {
                file.close();
            }
        }
    }

    /// Whether the file is mapped, rather than read and written.
    private static boolean mayBeMapped(ClientLimits.UnsealedFiles unsealed, Fd file) throws VfioException {
        if (unsealed == ClientLimits.UnsealedFiles.ACCEPT) {
            return true;
        }
        int seals = Memfd.seals(file);
        boolean sealed = seals >= 0 && (seals & Memfd.SEAL_SHRINK) != 0;
        if (!sealed && unsealed == ClientLimits.UnsealedFiles.REFUSE) {
            throw new VfioException(Errno.EPERM, "seals=0x%x expected=a file that is sealed against shrinking".formatted(seals));
        }
        return sealed;
    }
}
