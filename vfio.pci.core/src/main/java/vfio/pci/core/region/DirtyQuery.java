// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.region;

import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;

/// A dirty query as far as a client has written it, and its answer. The first page is written first, then the page size, then how many
/// pages, which asks; another query begins with its first page again.
///
/// @param caller who asks; null when nobody does
/// @param step how far it is
/// @param pageSize once it was written
/// @param copied once it was answered
record DirtyQuery(Caller caller, Step step, long startPfn, long pageSize, long copied) {
    /// No query.
    static final DirtyQuery NONE = new DirtyQuery(null, Step.NONE, 0, 0, 0);
    private static final long SMALLEST_PAGE = 0x1000;

    private enum Step {
        NONE, STARTED, SIZED, ANSWERED
    }

    /// The begin of a query.
    static DirtyQuery from(Caller caller, long startPfn) {
        return new DirtyQuery(caller, Step.STARTED, startPfn, 0, 0);
    }

    /// Whether this client asks it.
    boolean isOf(Caller other) {
        return caller == other;
    }

    boolean isAnswered() {
        return step == Step.ANSWERED;
    }

    /// The query, for the client whose it is.
    ///
    /// @throws VfioException EBUSY for another one; EINVAL when there is none
    DirtyQuery of(Caller other) throws VfioException {
        if (step == Step.NONE) {
            throw new VfioException(Errno.EINVAL, "query=none expected=start_pfn written before");
        }
        if (caller != other) {
            throw new VfioException(Errno.EBUSY, "query=of another client expected=start_pfn written before");
        }
        return this;
    }

    /// With its page size.
    ///
    /// @throws VfioException EINVAL for a size that is none, and out of order
    DirtyQuery pageSize(long size) throws VfioException {
        requireStep(Step.STARTED, "start_pfn written before page_size");
        if (Long.bitCount(size) != 1 || Long.compareUnsigned(size, SMALLEST_PAGE) < 0) {
            throw new VfioException(Errno.EINVAL, "page_size=0x%x expected=a power of two, 0x%x or more".formatted(size, SMALLEST_PAGE));
        }
        return new DirtyQuery(caller, Step.SIZED, startPfn, size, 0);
    }

    /// Checks how many pages it asks for.
    ///
    /// @throws VfioException EINVAL for pages that wrap or are none, and out of order
    DirtyQuery pages(long pages) throws VfioException {
        requireStep(Step.SIZED, "page_size written before total_pfns");
        long most = Long.divideUnsigned(-1L, pageSize) + 1;
        if (pages == 0 || Long.compareUnsigned(startPfn, most) >= 0 || Long.compareUnsigned(pages, most - startPfn) > 0) {
            throw new VfioException(Errno.EINVAL, "start_pfn=0x%x page_size=0x%x total_pfns=0x%x expected=pages below 2^64".formatted(
                startPfn, pageSize, pages));
        }
        return this;
    }

    /// The address of its first page.
    long iova() {
        return startPfn * pageSize;
    }

    /// Pages answered.
    ///
    /// @throws VfioException EINVAL before it was
    long answer() throws VfioException {
        requireStep(Step.ANSWERED, "total_pfns written before copied_pfns");
        return copied;
    }

    /// With its answer.
    DirtyQuery answered(long pages) {
        return new DirtyQuery(caller, Step.ANSWERED, startPfn, pageSize, pages);
    }

    private void requireStep(Step wanted, String order) throws VfioException {
        if (step != wanted) {
            throw new VfioException(Errno.EINVAL, "query expected=%s".formatted(order));
        }
    }
}
