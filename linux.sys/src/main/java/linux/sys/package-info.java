// SPDX-License-Identifier: Apache-2.0
/// Linux system calls as owned Java objects: descriptors, memory files and their mappings, eventfds, epoll, TAP devices, and stream
/// sockets which pass descriptors. It is the one place with restricted native access and stands below everything that
/// talks to a client or backs a device's memory.
///
/// **Errors.** A call that is marked *hot* in its documentation allocates nothing and answers a negative errno. Every other
/// call throws [vfio.pci.api.VfioException], whose message names the call, the number and the arguments, and
/// [IllegalStateException] when its object was closed before: that is a bug of the caller.
///
/// **Threads.** A close by one thread is safe against calls by others: the descriptor's number is given back to the kernel
/// by the last call that uses it, never below it, so that no call ever meets a number that means something else by now.
///
/// **Memory.** Hot calls hand plain addresses to the kernel. A caller keeps the memory it passes alive for the length of
/// the call; what the kernel finds unmapped is answered with `-EFAULT`.
@Export
@Version("1.0.0")
package linux.sys;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
