// SPDX-License-Identifier: Apache-2.0
package device.sim.shell;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import device.sim.TestDriver;
import device.sim.bus.Framework;
import device.sim.bus.SimulatedBus;
import device.sim.xl710.CardFactory;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import vfio.pci.api.PciAddress;
import vfio.pci.api.VfioException;

class SimulatedDeviceCommandsTest {
    private static final String VF = "3b:02.0";

    @TempDir
    private Path storage;

    private Framework framework;
    private SimulatedBus bus;
    private SimulatedDeviceCommands commands;
    private TestDriver driver;

    @BeforeEach
    void start() throws Exception {
        framework = new Framework(storage);
        bus = new SimulatedBus(framework.context());
        bus.add(CardFactory.card("3b:00.0", 1));
        commands = new SimulatedDeviceCommands(bus);
        driver = TestDriver.bind(bus.function(PciAddress.parse(VF)));
    }

    @AfterEach
    void stop() throws Exception {
        driver.close();
        framework.close();
    }

    @ParameterizedTest
    @CsvSource({"3b:2.0,0,0,4", "3b:05.0,0,0,4", "3b:02.0,x,0,4", "3b:02.0,1,0,4", "3b:02.0,0,0x10000,4", "3b:02.0,0,-4,4",
        "3b:02.0,0,2,4", "3b:02.0,0,0,3", "3b:02.0,0,0,16", "3b:02.0,0,0xfffc,8"})
    void refusesAWrongArgumentAndSaysWhatItExpects(String address, String bar, String offset, String width) {
        assertThatThrownBy(() -> commands.peek(address, bar, offset, width)).isInstanceOf(VfioException.class)
            .hasMessageContaining("expected=");
    }

    @Test
    void setsLinkAddressAndVlanAndShowsThem() throws Exception {
        assertThat(output(() -> commands.stats(VF))).containsPattern("link +up\nmac +02:00:00:3b:00:00\nvlan +0")
            .containsPattern("rx_bytes +0").containsPattern("dma_faults +0");
        commands.link(VF, "down");
        commands.mac(VF, "52:54:00:12:34:56");
        commands.vlan(VF, "7");
        assertThat(output(() -> commands.stats(VF))).containsPattern("link +down\nmac +52:54:00:12:34:56\nvlan +7");
    }

    @Test
    void refusesWhatANetworkDeviceCanNotBe() {
        assertThatThrownBy(() -> commands.link(VF, "on")).hasMessageContaining("expected=up or down");
        assertThatThrownBy(() -> commands.mac(VF, "01:00:5e:00:00:01")).hasMessageContaining("expected=one of a station");
        assertThatThrownBy(() -> commands.vlan(VF, "4095")).hasMessageContaining("expected=0 to 0xffe");
        assertThatThrownBy(() -> commands.stats("3b:00.0")).hasMessageContaining("expected=a network device");
    }

    @Test
    void refusesAValueThatDoesNotFit() {
        assertThatThrownBy(() -> commands.poke(VF, "0", "0", "1", "256")).hasMessageContaining("VALUE=256 expected=0 to 0xff");
        assertThatThrownBy(() -> commands.interrupt(VF, "5")).hasMessageContaining("expected=0 to 4");
    }

    @Test
    void peeksAndPokesEveryWidth() throws Exception {
        commands.poke(VF, "0", "0x10", "8", "0xfedcba9876543210");
        commands.poke(VF, "0", "0x14", "4", "0x11223344");
        commands.poke(VF, "0", "0x12", "2", "0xabcd");
        commands.poke(VF, "0", "0x11", "1", "7");
        assertThat(driver.mapped(0).get(ValueLayout.JAVA_LONG, 0x10)).isEqualTo(0x11223344_ABCD0710L);
        assertThat(output(() -> commands.peek(VF, "0", "0x10", "8"))).isEqualTo("0x11223344abcd0710");
        assertThat(output(() -> commands.peek(VF, "0", "0x14", "4"))).isEqualTo("0x11223344");
        assertThat(output(() -> commands.peek(VF, "0", "0x12", "2"))).isEqualTo("0xabcd");
        assertThat(output(() -> commands.peek(VF, "0", "0x11", "1"))).isEqualTo("0x07");
    }

    @Test
    void raisesAnInterrupt() throws Exception {
        assertThat(output(() -> commands.interrupt(VF, "2"))).isEqualTo("interrupt address=3b:02.0 vector=2 taken");
        assertThat(driver.raised()).containsExactly(2);
        driver.take(false);
        assertThat(output(() -> commands.interrupt(VF, "2"))).contains("pending");
    }

    @Test
    void listsUnplugsAndPlugs() throws Exception {
        assertThat(output(commands::list).lines()).anySatisfy(line -> assertThat(line.split(" +")).containsExactly("0000:3b:02.0",
            "8086:154c", "plugged", "0000:3b:00.0", "vfio-pci"));
        commands.unplug(VF);
        assertThat(output(commands::list)).containsPattern("0000:3b:02.0 +8086:154c +out");
        commands.plug(VF);
        assertThat(output(commands::list)).containsPattern("0000:3b:02.0 +8086:154c +plugged +0000:3b:00.0 +-");
    }

    @Test
    void recordsTheFramesOfAFunctionAndOfACard() throws Exception {
        Path file = storage.resolve("card.pcapng");
        assertThat(output(() -> commands.record("3b:00.0", file.toString()))).isEqualTo(
            "recording address=3b:00.0 file=%s mib=64".formatted(file));
        assertThat(output(() -> commands.record(VF, "off"))).isEqualTo(
            "recorded address=3b:02.0 file=%s frames=0 dropped=0 bytes=%d".formatted(file, Files.size(file)));
        Path second = storage.resolve("vf.pcapng");
        commands.record(VF, second.toString(), "1");
        commands.record("3b:00.0", "off");
        assertThat(second).isNotEmptyFile();
    }

    @Test
    void refusesARecordingThatCanNotBe() throws Exception {
        Path there = Files.createFile(storage.resolve("there"));
        String file = storage.resolve("file").toString();
        assertThatThrownBy(() -> commands.record(VF, there.toString())).hasMessageContaining(
            "expected=a file that is not there");
        assertThatThrownBy(() -> commands.record(VF, there + "/inside")).hasMessageContaining("expected=a file that can be made");
        assertThatThrownBy(() -> commands.record(VF, storage + "/none/file")).hasMessageContaining("expected=a folder that is there");
        assertThatThrownBy(() -> commands.record(VF, "/sys/kernel/frames")).isInstanceOf(VfioException.class).hasMessageContaining(
            "file=/sys/kernel/frames expected=a ");
        assertThatThrownBy(() -> commands.record(VF, "a\0b")).hasMessageContaining("expected=a path");
        assertThatThrownBy(() -> commands.record(VF, file, "0")).hasMessageContaining("MIB=0 expected=1 to 0x10000");
        assertThatThrownBy(() -> commands.record(VF, "off")).hasMessageContaining("expected=a recording");
        assertThat(storage.resolve("file")).doesNotExist();
        commands.record(VF, file);
        assertThatThrownBy(() -> commands.record("3b:00.0", storage.resolve("other").toString()))
            .hasMessageContaining("expected=no recording yet");
        commands.record(VF, "off");
    }

    @Test
    void recordingEndsWhenItsFunctionIsPluggedOut() throws Exception {
        commands.record(VF, storage.resolve("vf").toString());
        commands.unplug(VF);
        assertThat(storage.resolve("vf")).isNotEmptyFile();
        assertThatThrownBy(() -> commands.record(VF, "off")).hasMessageContaining("expected=a recording");
        assertThatThrownBy(() -> commands.record(VF, storage.resolve("out").toString())).hasMessageContaining("state=unplugged");
        assertThat(storage.resolve("out")).doesNotExist();
        commands.record("3b:00.0", storage.resolve("card").toString());
        commands.plug(VF);
        commands.unplug(VF);
        assertThatThrownBy(() -> commands.record("3b:00.0", storage.resolve("x").toString())).as("a card's goes on").hasMessageContaining(
            "expected=no recording yet");
        commands.unplug("3b:00.0");
        assertThatThrownBy(() -> commands.record("3b:00.0", "off")).hasMessageContaining("expected=a recording");
        assertThat(Thread.getAllStackTraces().keySet()).noneMatch(thread -> thread.getName().equals("frame-recorder"));
    }

    private interface Command {
        void run() throws VfioException;
    }

    private static String output(Command command) throws VfioException {
        PrintStream before = System.out;
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        System.setOut(new PrintStream(bytes, true, StandardCharsets.UTF_8));
        try {
            command.run();
        } finally {
            System.setOut(before);
        }
        return bytes.toString(StandardCharsets.UTF_8).strip();
    }
}
