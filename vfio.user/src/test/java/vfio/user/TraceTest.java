// SPDX-License-Identifier: Apache-2.0
package vfio.user;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static vfio.user.ServerFixture.fails;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import vfio.pci.api.Errno;
import vfio.pci.api.PciAddress;
import vfio.pci.api.VfioException;
import vfio.pci.api.dma.DmaBacking;
import vfio.user.trace.TraceCommand;
import vfio.user.wire.VersionCapabilities;
import vfio.user.wire.client.VfioUserClient;
import vfio.user.wire.trace.TraceReader;
import vfio.user.wire.trace.TraceRecord;

/// `vfio:trace` of a served device.
class TraceTest {
    @RegisterExtension
    final ServerFixture fixture = new ServerFixture();

    @TempDir
    Path folder;

    @Test
    void rejectsADeviceThatIsNotServed() {
        fails(() -> new TraceCommand(fixture.server).trace(new String[] {"ffff:1f:00.0"}), Errno.ENOENT);
    }

    @Test
    void rejectsWrongArguments() {
        String address = TestPci.FIRST.toString();
        for (List<String> typed : List.of(List.<String>of(), List.of(address, address), List.of(address, "--count", "0"),
                List.of(address, "--count", "x"), List.of(address, "--write"), List.of(address, "--write", "relative"),
                List.of(address, "--other"))) {
            assertThatThrownBy(() -> new TraceCommand(fixture.server).trace(typed.toArray(String[]::new)))
                .isInstanceOf(IllegalArgumentException.class);
        }
    }

    @Test
    void keepsMessagesBothWays() throws Exception {
        Path file = folder.resolve("trace");
        CompletableFuture<Void> tracing = trace(TestPci.FIRST, "--write", file.toString(), "--count", "4");
        try (RawClient client = fixture.ready()) {
            assertThat(client.call(RawClient.DEVICE_RESET, Bytes.of()).errno()).isZero();
        }
        tracing.get(20, TimeUnit.SECONDS);
        try (TraceReader reader = new TraceReader(Files.newInputStream(file))) {
            for (int command : new int[] {RawClient.VERSION, RawClient.VERSION, RawClient.DEVICE_RESET, RawClient.DEVICE_RESET}) {
                assertThat((int) reader.next().orElseThrow().bytes()[2]).isEqualTo(command);
            }
            assertThat(reader.next()).isEmpty();
        }
    }

    @Test
    void keepsMessagesOfTheSecondSocketToo() throws Exception {
        Path file = folder.resolve("trace");
        CompletableFuture<Void> tracing = trace(TestPci.FIRST, "--write", file.toString(), "--count", "6");
        try (VfioUserClient client = VfioUserClient.connect(fixture.socket, VersionCapabilities.NONE.withTwinSocket(true));
                Arena arena = Arena.ofShared()) {
            assertThat(client.hasTwinSocket()).isTrue();
            client.mapDma(0, arena.allocate(0x1000), true, true);
            MemorySegment buffer = arena.allocate(8);
            ((DmaBacking.Remote) fixture.pci.next().mappings.get(0L).backing()).memory().read(0x10, buffer, 0, 8);
        }
        tracing.get(20, TimeUnit.SECONDS);
        try (TraceReader reader = new TraceReader(Files.newInputStream(file))) {
            for (int i = 0; i < 4; i++) {
                assertThat(reader.next()).isPresent();
            }
            TraceRecord asked = reader.next().orElseThrow();
            TraceRecord answered = reader.next().orElseThrow();
            assertThat(asked.kind()).isEqualTo(TraceRecord.Kind.SENT);
            assertThat(answered.kind()).isEqualTo(TraceRecord.Kind.RECEIVED);
            assertThat(asked.bytes()).hasSize(32).startsWith(answered.bytes()[0], answered.bytes()[1], (byte) 11, (byte) 0);
            assertThat(answered.bytes()).hasSize(40);
            assertThat(reader.next()).isEmpty();
        }
    }

    @Test
    void endsWithServing() throws Exception {
        CompletableFuture<Void> tracing = trace(TestPci.FIRST);
        fixture.server.unserve(TestPci.FIRST);
        tracing.get(20, TimeUnit.SECONDS);
        fixture.server.serve(TestPci.FIRST, fixture.socket);
    }

    /// Begins a trace on a thread of its own; comes back when it watches.
    private CompletableFuture<Void> trace(PciAddress address, String... options) throws VfioException {
        String[] typed = new String[options.length + 1];
        System.arraycopy(options, 0, typed, 1, options.length);
        typed[0] = address.toString();
        CompletableFuture<Void> tracing = CompletableFuture.runAsync(() -> {
            try {
                new TraceCommand(fixture.server).trace(typed);
            } catch (VfioException | IOException e) {
                throw new IllegalStateException(e);
            }
        });
        ServerFixture.await("the trace begins", () -> {
            try {
                return fixture.server.tap(address).isWatched();
            } catch (VfioException e) {
                throw new IllegalStateException(e);
            }
        });
        return tracing;
    }
}
