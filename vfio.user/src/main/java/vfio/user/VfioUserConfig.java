// SPDX-License-Identifier: Apache-2.0
package vfio.user;

import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;
import vfio.user.command.ClientLimits;

/// Configuration of the server, pid `vfio.user`. It holds for clients that connect, and sockets that are made, from then on.
@ObjectClassDefinition(name = "vfio-user server")
@interface VfioUserConfig {
    /// See the description.
    @AttributeDefinition(description = "files in one message, max_msg_fds", min = "1", max = "16")
    int maxMsgFds() default 16;

    /// See the description.
    @AttributeDefinition(description = "bytes of data in one message, max_data_xfer_size", min = "4096", max = "1048576")
    int maxDataXferSize() default 1048576;

    /// See the description.
    @AttributeDefinition(description = "DMA mappings of a client at a time, max_dma_maps", min = "1")
    int maxDmaMaps() default 65535;

    /// See the description.
    @AttributeDefinition(description = "bytes of all DMA mappings of a client", min = "1")
    long maxDmaBytes() default 1L << 46;

    /// See the description.
    @AttributeDefinition(description = "lines of log a second about the faults of a client", min = "1")
    int faultLinesPerSecond() default 10;

    /// See the description.
    @AttributeDefinition(description = "milliseconds until a request is answered, by ETIMEDOUT if the device does not", min = "1")
    long requestTimeoutMillis() default 2000;

    /// See the description.
    @AttributeDefinition(description = "milliseconds a device waits for memory that is reached by messages; less than requestTimeoutMillis",
        min = "1")
    long dmaTimeoutMillis() default 1000;

    /// See the description.
    @AttributeDefinition(description = "memory files that the client could cut short: ACCEPT, REFUSE, or read and write them by FILE_IO")
    ClientLimits.UnsealedFiles unsealedMemory() default ClientLimits.UnsealedFiles.ACCEPT;

    /// See the description.
    @AttributeDefinition(description = "answer to a region access that failed: ERRNO, ALL_ONES for clients that ignore errors, or AUTO,"
        + " which recognises those of rust-vmm")
    ClientLimits.ErrorAnswers regionErrors() default ClientLimits.ErrorAnswers.AUTO;

    /// See the description.
    @AttributeDefinition(description = "microseconds a busy client's next request is looked for before the thread sleeps, "
        + "where there is more than one processor; 0: never", min = "0", max = "1000")
    int spinMicros() default 50;

    /// See the description.
    @AttributeDefinition(description = "permission bits of the socket, octal")
    String socketMode() default "0600";

    /// See the description.
    @AttributeDefinition(description = "owner of the socket, as user or user:group; empty: whoever runs the server")
    String socketOwner() default "";

    /// See the description.
    @AttributeDefinition(description = "user ids whose processes may connect; empty: root and whoever runs the server")
    long[] allowedUids() default {};
}
