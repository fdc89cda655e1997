// SPDX-License-Identifier: Apache-2.0
package vfio.user.trace;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Optional;
import linux.sys.EventFd;
import linux.sys.Fd;
import linux.sys.Memfd;
import org.junit.jupiter.api.Test;
import vfio.pci.api.VfioException;
import vfio.user.wire.trace.TraceRecord;
import vfio.user.wire.trace.TraceRecord.Descriptor;

class WatchTest {
    private static final int SIZE = 1 << 20;

    private final Tap tap = new Tap();
    private final MemorySegment buffer = Arena.ofAuto().allocate(SIZE);

    private void show(int size) {
        tap.show(TraceRecord.Kind.RECEIVED, buffer, 0, size, List.of());
    }

    @Test
    void dropsWhatFindsNoRoomAndTellsHowMuch() {
        try (Watch watch = tap.begin()) {
            int fitting = (int) (Watch.CAPACITY / (SIZE + 1));
            for (int i = 0; i < fitting + 5; i++) {
                show(SIZE);
            }
            assertThat(watch.next(0)).get().extracting(TraceRecord::kind).isEqualTo(TraceRecord.Kind.RECEIVED);
            show(16);
            for (int i = 1; i < fitting; i++) {
                assertThat(watch.next(0)).get().extracting(record -> record.bytes().length).isEqualTo(SIZE);
            }
            TraceRecord dropped = watch.next(0).orElseThrow();
            assertThat(dropped.kind()).isEqualTo(TraceRecord.Kind.DROPPED);
            assertThat(ByteBuffer.wrap(dropped.bytes()).order(ByteOrder.LITTLE_ENDIAN).getLong()).isEqualTo(5);
            assertThat(watch.next(0)).get().extracting(record -> record.bytes().length).isEqualTo(16);
            assertThat(watch.next(0)).isEmpty();
        }
    }

    @Test
    void tellsWhatDescriptorsAreOf() throws VfioException {
        try (Watch watch = tap.begin(); EventFd event = EventFd.create(); Fd file = Memfd.create("watched", 0x3000, true)) {
            tap.show(TraceRecord.Kind.SENT, buffer, 0, 16, List.of(event.fd(), file));
            assertThat(watch.next(0).orElseThrow().fds()).containsExactly(new Descriptor(Descriptor.Type.EVENTFD, 0),
                new Descriptor(Descriptor.Type.FILE, 0x3000));
        }
    }

    @Test
    void copiesTheMessage() {
        try (Watch watch = tap.begin()) {
            buffer.set(ValueLayout.JAVA_BYTE, 3, (byte) 7);
            tap.show(TraceRecord.Kind.SENT, buffer, 3, 1, List.of());
            buffer.set(ValueLayout.JAVA_BYTE, 3, (byte) 8);
            assertThat(watch.next(0).orElseThrow().bytes()).containsExactly(7);
        }
    }

    @Test
    void endsWhoWatchedBefore() {
        try (Watch first = tap.begin(); Watch second = tap.begin()) {
            assertThat(first.isOver()).isTrue();
            show(16);
            assertThat(first.next(0)).isEmpty();
            assertThat(second.next(0)).isPresent();
            first.close();
            assertThat(tap.isWatched()).isTrue();
        }
        assertThat(tap.isWatched()).isFalse();
    }

    @Test
    void endsAWaitWhenNoMessageWillComeAnyMore() throws InterruptedException {
        Watch watch = tap.begin();
        Thread reader = Thread.ofPlatform().start(() -> {
            Optional<TraceRecord> record = Optional.empty();
            while (record.isEmpty() && !watch.isOver()) {
                record = watch.next(60_000_000_000L);
            }
        });
        tap.close();
        reader.join(20_000);
        assertThat(reader.isAlive()).isFalse();
    }
}
