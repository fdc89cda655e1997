// SPDX-License-Identifier: Apache-2.0
package vfio.user.command;

import java.time.Duration;

/// What one client may have of the server, and how it is treated.
///
/// @param msgFds `max_msg_fds`: files the server says it takes in one message; it takes [Exchange#MAX_MSG_FDS] whatever was said
/// @param dataBytes `max_data_xfer_size`: bytes of data in one message; at most [Exchange#MAX_DATA]
/// @param dmaMaps `max_dma_maps`: mappings at a time
/// @param dmaBytes bytes of all mappings together
/// @param faultLines lines of log a second about its faults
/// @param request longest time until a request is answered
/// @param transfer longest time a device waits for a DMA_READ or DMA_WRITE
/// @param unsealed what becomes of memory that the client could cut short
/// @param errors how a failed region access is answered
public record ClientLimits(int msgFds, int dataBytes, int dmaMaps, long dmaBytes, int faultLines, Duration request, Duration transfer,
        UnsealedFiles unsealed, ErrorAnswers errors) {
    /// As without any configuration.
    public static final ClientLimits DEFAULT = new ClientLimits(Exchange.MAX_MSG_FDS, Exchange.MAX_DATA, 0xFFFF, 1L << 46, 10,
        Duration.ofSeconds(2), Duration.ofSeconds(1), UnsealedFiles.ACCEPT, ErrorAnswers.AUTO);

    private static final int LEAST_DATA = 4096;

    /// Memory whose file has no seal against shrinking.
    public enum UnsealedFiles {
        /// Mapped; a transfer that finds it cut short fails.
        ACCEPT,
        /// DMA_MAP is answered EPERM.
        REFUSE,
        /// Not mapped, but read and written as a file.
        FILE_IO
    }

    /// How a REGION_READ or REGION_WRITE that failed is answered.
    public enum ErrorAnswers {
        /// All ones to a client that is recognised as one that does not look at the error flag, the errno to all others.
        AUTO,
        /// The header with the errno, as the protocol says.
        ERRNO,
        /// Success, with all bits of the data set, for clients that do not look at the error flag.
        ALL_ONES
    }

    /// Cuts what is out of range.
    public ClientLimits {
        msgFds = Math.clamp(msgFds, 1, Exchange.MAX_MSG_FDS);
        dataBytes = Math.clamp(dataBytes, LEAST_DATA, Exchange.MAX_DATA);
        dmaMaps = Math.max(1, dmaMaps);
        dmaBytes = Math.max(1, dmaBytes);
        faultLines = Math.max(1, faultLines);
        request = atLeastOneMillisecond(request);
        transfer = atLeastOneMillisecond(transfer);
    }

    /// Whether failed region accesses are answered with success and all ones.
    ///
    /// @param ignoresErrors whether the client is recognised as one that does not look at the error flag
    public boolean answersAllOnes(boolean ignoresErrors) {
        return errors == ErrorAnswers.ALL_ONES || errors == ErrorAnswers.AUTO && ignoresErrors;
    }

    private static Duration atLeastOneMillisecond(Duration time) {
        return time.compareTo(Duration.ofMillis(1)) < 0 ? Duration.ofMillis(1) : time;
    }
}
