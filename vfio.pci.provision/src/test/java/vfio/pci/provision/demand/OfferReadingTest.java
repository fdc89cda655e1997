// SPDX-License-Identifier: Apache-2.0
package vfio.pci.provision.demand;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import vfio.pci.provision.repository.Repository;

class OfferReadingTest {
    private static final Duration SHORT = Duration.ofSeconds(1);
    private static final Duration LONG = Duration.ofSeconds(30);

    @TempDir
    private Path folder;
    private final OfferReading reading = new OfferReading();

    @Test
    void readsNothingOfNoRepository() throws Exception {
        assertThat(reading.of(Repository.NONE, Duration.ZERO)).isEmpty();
    }

    @Test
    void saysWhyItCannotBeRead() {
        Repository missing = Repository.at(folder.resolve("missing.xml").toString());
        assertThatThrownBy(() -> reading.of(missing, LONG)).isInstanceOf(IOException.class).hasMessageContaining("missing.xml");
        assertThatThrownBy(() -> reading.of(() -> {
            throw new IllegalStateException("a bug");
        }, LONG)).isInstanceOf(IOException.class).hasMessageContaining("a bug");
    }

    /// A pipe that nobody writes to is as a disk that hangs.
    @Test
    @Timeout(60)
    void waitsOnceForARepositoryThatHangs() throws Exception {
        List<Thread> before = readers();
        Path index = pipe();
        Repository hanging = Repository.at(index.toString());
        assertThatThrownBy(() -> reading.of(hanging, SHORT)).isInstanceOf(IOException.class).hasMessageContaining("expected=to be read");
        Thread reader = readers().stream().filter(thread -> !before.contains(thread)).findFirst().orElseThrow();
        long begin = System.nanoTime();
        for (int i = 0; i < 20; i++) {
            assertThatThrownBy(() -> reading.of(hanging, SHORT)).isInstanceOf(IOException.class);
        }
        assertThat(Duration.ofNanos(System.nanoTime() - begin)).as("it has been at it for too long already")
            .isLessThan(SHORT.multipliedBy(10));
        assertThat(readers()).filteredOn(thread -> !before.contains(thread)).containsExactly(reader);
        try (OutputStream out = Files.newOutputStream(index)) {
            out.write("<repository/>".getBytes(StandardCharsets.UTF_8));
        }
        assertThat(reader.join(LONG)).isTrue();
        Files.delete(index);
        Files.writeString(index, "<repository/>");
        assertThat(reading.of(hanging, LONG)).as("it can be read again").isEmpty();
    }

    private Path pipe() throws Exception {
        Path pipe = folder.resolve("index.xml");
        Process made = new ProcessBuilder("mkfifo", pipe.toString()).inheritIO().start();
        assertThat(made.waitFor(30, TimeUnit.SECONDS)).isTrue();
        assertThat(made.exitValue()).isZero();
        return pipe;
    }

    private static List<Thread> readers() {
        return Thread.getAllStackTraces().keySet().stream().filter(thread -> thread.getName().equals("vfio-provision-repository")).toList();
    }
}
