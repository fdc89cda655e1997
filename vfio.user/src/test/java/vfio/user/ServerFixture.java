// SPDX-License-Identifier: Apache-2.0
package vfio.user;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.nio.channels.SocketChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.assertj.core.api.Assertions;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.user.command.ClientLimits;

/// A server with the first device served, for one test. Afterwards nothing of it may be left: sockets, eventfds and memory files, threads,
/// the socket's file.
final class ServerFixture implements BeforeEachCallback, AfterEachCallback {
    private static final long PATIENCE = TimeUnit.SECONDS.toNanos(20);

    static {
        // NIO keeps a socket from its first use on.
        try {
            SocketChannel.open(StandardProtocolFamily.UNIX).close();
        } catch (IOException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    /// No request is given up, whatever else the machine does.
    static final ClientLimits PATIENT = Limits.with(limits -> limits.request = Duration.ofMinutes(5));

    final TestPci pci = new TestPci();
    private final ClientLimits limits;
    VfioUserServer server;
    Path folder;
    Path socket;
    private List<String> descriptorsBefore;

    ServerFixture() {
        this(PATIENT);
    }

    /// A server with these limits.
    ServerFixture(ClientLimits limits) {
        this.limits = limits;
    }

    @Override
    public void beforeEach(ExtensionContext context) throws IOException, VfioException {
        descriptorsBefore = descriptors();
        folder = Files.createTempDirectory("vfio-user");
        socket = folder.resolve("first.sock");
        server = new VfioUserServer(pci, pci);
        server.setRules(limits, SocketRules.standard());
        server.serve(TestPci.FIRST, socket);
    }

    @Override
    public void afterEach(ExtensionContext context) throws IOException {
        pci.releaseAll();
        server.deactivate();
        await("no thread of the server is left", () -> threads().isEmpty());
        await("no descriptor is left", () -> descriptors().size() <= descriptorsBefore.size());
        Assertions.assertThat(socket).doesNotExist();
        try (DirectoryStream<Path> left = Files.newDirectoryStream(folder)) {
            for (Path file : left) {
                Files.delete(file);
            }
        }
        Files.delete(folder);
    }

    RawClient ready() throws VfioException {
        return RawClient.ready(socket);
    }

    /// Threads of the server.
    static List<String> threads() {
        return Thread.getAllStackTraces().keySet().stream().map(Thread::getName).filter(name -> name.startsWith("vfio-user")).toList();
    }

    /// Open sockets, event descriptors and memory files of this process; the JVM opens and closes others when it likes.
    static List<String> descriptors() {
        List<String> found = new ArrayList<>();
        try (DirectoryStream<Path> all = Files.newDirectoryStream(Path.of("/proc/self/fd"))) {
            for (Path fd : all) {
                String target = targetOf(fd);
                if (target.startsWith("socket:") || target.startsWith("anon_inode:") || target.contains("memfd:")) {
                    found.add(target);
                }
            }
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
        return found;
    }

    private static String targetOf(Path fd) throws IOException {
        try {
            return Files.readSymbolicLink(fd).toString();
        } catch (NoSuchFileException e) {
            return "";
        }
    }

    /// Requires that error of a call.
    static void fails(ThrowingCallable call, Errno errno) {
        Assertions.assertThatThrownBy(call).isInstanceOfSatisfying(VfioException.class,
            e -> Assertions.assertThat(e.errno()).isEqualTo(errno));
    }

    static void await(String what, BooleanSupplier condition) {
        long deadline = System.nanoTime() + PATIENCE;
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() - deadline >= 0) {
                throw new AssertionError("never: " + what + "; threads=" + threads() + " descriptors=" + descriptors());
            }
            LockSupport.parkNanos(200_000);
        }
    }
}
