// SPDX-License-Identifier: Apache-2.0
package vfio.pci.shell;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import vfio.pci.api.PciAddress;

class ArgumentsTest {
    private static final String ADDRESS = "0000:3b:02.0";

    private static Arguments access(String region, String offset, String width) {
        return Arguments.of(Command.READ, ADDRESS, region, offset, width);
    }

    private static Arguments write(String width, String value) {
        return Arguments.of(Command.WRITE, ADDRESS, "0", "0", width, value);
    }

    @Test
    void rejectsUnknownOption() {
        assertThatIllegalArgumentException().isThrownBy(() -> Arguments.of(Command.DEVICES, "-x"))
            .withMessage("option=-x expected=-j or -h; usage: vfio:devices [-j]");
    }

    @Test
    void rejectsOptionsOfAnotherCommandAndMissingValues() {
        assertThatIllegalArgumentException().isThrownBy(() -> Arguments.of(Command.STATS, ADDRESS, "--dry-run"))
            .withMessageStartingWith("option=--dry-run expected=-j or -h; ");
        assertThatIllegalArgumentException().isThrownBy(() -> Arguments.of(Command.MIGRATE, ADDRESS, "--too", "x"))
            .withMessage("option=--too expected=--to, --dry-run, --max-downtime, --cancel, -j or -h; "
                + "usage: vfio:migrate [-j] ADDRESS [--to TO] [--dry-run] [--max-downtime MS] [--cancel]");
        assertThatIllegalArgumentException().isThrownBy(() -> Arguments.of(Command.MIGRATE, ADDRESS, "--to"))
            .withMessageStartingWith("option=--to expected=a value; ");
    }

    @ParameterizedTest
    @ValueSource(strings = {"0", "-1", "soon", "0x80000000", ""})
    void rejectsTimes(String text) {
        Arguments arguments = Arguments.of(Command.MIGRATE, ADDRESS, "--max-downtime", text);
        assertThatIllegalArgumentException().isThrownBy(() -> arguments.positive("--max-downtime", 300))
            .withMessage("max-downtime=%s expected=1 to 0x7fffffff", text);
    }

    @Test
    void takesOptionsOfItsOwnAnywhere() {
        Arguments arguments = Arguments.of(Command.MIGRATE, "--to", "/run/a", ADDRESS, "--dry-run");
        assertThat(arguments.option("--to")).contains("/run/a");
        assertThat(arguments.given("--dry-run")).isTrue();
        assertThat(arguments.given("--cancel")).isFalse();
        assertThat(arguments.positive("--max-downtime", 300)).isEqualTo(300);
        assertThat(arguments.address(List.of())).isEqualTo(PciAddress.parse(ADDRESS));
    }

    @Test
    void rejectsTooFewAndTooMany() {
        assertThatIllegalArgumentException().isThrownBy(() -> Arguments.of(Command.DEVICE))
            .withMessage("arguments=0 expected=ADDRESS; usage: vfio:device [-j] ADDRESS");
        assertThatIllegalArgumentException().isThrownBy(() -> Arguments.of(Command.DEVICES, "a"))
            .withMessage("arguments=1 expected=none; usage: vfio:devices [-j]");
    }

    @Test
    void rejectsAddressAndListsKnownOnes() {
        Arguments arguments = Arguments.of(Command.DEVICE, "zz");
        assertThatIllegalArgumentException().isThrownBy(() -> arguments.address(List.of(PciAddress.parse(ADDRESS))))
            .withMessage("address=zz expected=DDDD:BB:DD.F, as in 0000:3b:02.0; known: " + ADDRESS);
        assertThatIllegalArgumentException().isThrownBy(() -> arguments.address(List.of())).withMessageEndingWith("; known: none");
    }

    @ParameterizedTest
    @ValueSource(strings = {"bar6", "", "-1", "99999999999", "0x", "1.0"})
    void rejectsRegion(String text) {
        assertThatIllegalArgumentException().isThrownBy(() -> access(text, "0", "4").region())
            .withMessage("region=%s expected=a number, or one of bar0, bar1, bar2, bar3, bar4, bar5, rom, config, vga", text);
    }

    @ParameterizedTest
    @ValueSource(strings = {"-1", "0x8000000000000000", "ten", "+1", "0x-1", ""})
    void rejectsOffset(String text) {
        assertThatIllegalArgumentException().isThrownBy(() -> access("0", text, "4").offset())
            .withMessage("offset=%s expected=0 to 0x7fffffffffffffff", text);
    }

    @ParameterizedTest
    @ValueSource(strings = {"0", "3", "16", "0x10", "four"})
    void rejectsWidth(String text) {
        assertThatIllegalArgumentException().isThrownBy(() -> access("0", "0", text).width())
            .withMessage("width=%s expected=1, 2, 4 or 8", text);
    }

    @ParameterizedTest
    @CsvSource({"1,256,0xff", "2,0x10000,0xffff", "4,4294967296,0xffffffff", "8,0x10000000000000000,0xffffffffffffffff",
        "1,-1,0xff"})
    void rejectsValueThatDoesNotFit(String width, String value, String max) {
        assertThatIllegalArgumentException().isThrownBy(() -> write(width, value).value())
            .withMessage("value=%s expected=0 to %s", value, max);
    }

    @ParameterizedTest
    @ValueSource(strings = {"relative/socket", ""})
    void rejectsRelativeSocket(String text) {
        assertThatIllegalArgumentException().isThrownBy(() -> Arguments.of(Command.SERVE, ADDRESS, text).socket())
            .withMessage("socket=%s expected=an absolute path", text);
    }

    @Test
    void rejectsSocketThatIsNoPath() {
        assertThatIllegalArgumentException().isThrownBy(() -> Arguments.of(Command.SERVE, ADDRESS, "/a\0b").socket())
            .withMessageContaining("expected=a path");
    }

    @Test
    void takesAllKindsOfNumber() {
        assertThat(access("bar3", "0x10", "4").region()).isEqualTo(3);
        assertThat(access("CONFIG", "16", "4").region()).isEqualTo(7);
        assertThat(access("9", "16", "4").region()).isEqualTo(9);
        assertThat(access("0", "0X1f", "8").offset()).isEqualTo(0x1F);
        assertThat(access("0", "16", "8").offset()).isEqualTo(16);
        assertThat(access("0", "0", "8").width()).isEqualTo(8);
        assertThat(write("8", "18446744073709551615").value()).isEqualTo(-1L);
        assertThat(write("8", "0xffffffffffffffff").value()).isEqualTo(-1L);
        assertThat(write("1", "0xff").value()).isEqualTo(0xFF);
    }

    @Test
    void takesOptionsAnywhere() {
        Arguments arguments = Arguments.of(Command.DEVICE, "-j", ADDRESS);
        assertThat(arguments.json()).isTrue();
        assertThat(arguments.address(List.of())).isEqualTo(PciAddress.parse(ADDRESS));
        assertThat(Arguments.of(Command.DEVICE, ADDRESS, "--json").json()).isTrue();
        assertThat(Arguments.of(Command.DEVICE, ADDRESS).json()).isFalse();
    }

    @Test
    void normalizesSocket() {
        assertThat(Arguments.of(Command.SERVE, ADDRESS, "/run/./vm/../vm1.sock").socket()).isEqualTo(Path.of("/run/vm1.sock"));
    }

    @ParameterizedTest
    @EnumSource
    void answersHelpWithoutArguments(Command command) {
        var bytes = new ByteArrayOutputStream();
        assertThat(Arguments.of(command, "--help").answeredHelp(new PrintStream(bytes, true, StandardCharsets.UTF_8))).isTrue();
        assertThat(bytes.toString(StandardCharsets.UTF_8)).startsWith("vfio:" + command.function()).contains(command.summary());
    }

    @Test
    void findsCommandsByName() {
        assertThat(Command.named("stats")).contains(Command.STATS);
        assertThat(Command.named("vfio:stats")).contains(Command.STATS);
        assertThat(Command.named("STATS")).isEmpty();
    }
}
