// SPDX-License-Identifier: Apache-2.0
package mediator.guard;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.logging.SimpleFormatter;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import vfio.pci.api.PciAddress;
import vfio.pci.api.mediation.DmaWindow;

/// What somebody else provokes is told so often and no more, and what was not told is counted.
@Timeout(60)
class GuardLogTest {
    private static final int MANY = 20_000;
    private final RuleUse use = new RuleUse("guard", PciAddress.parse("00:02.0"), RuleSyntax.parse("1", "log access bar0"), () -> 0);
    private final List<String> told = new CopyOnWriteArrayList<>();
    private final Logger logger = Logger.getLogger(GuardLog.class.getName());
    private final Handler handler = new Handler() {
        @Override
        public void publish(LogRecord line) {
            told.add(new SimpleFormatter().formatMessage(line));
        }

        @Override
        public void flush() {
        }

        @Override
        public void close() {
        }
    };

    @BeforeEach
    void listen() {
        logger.addHandler(handler);
        logger.setUseParentHandlers(false);
    }

    @AfterEach
    void endListening() {
        logger.removeHandler(handler);
        logger.setUseParentHandlers(true);
    }

    @Test
    void isNotFloodedByAccesses() {
        GuardLog log = new GuardLog("test", () -> 0);
        for (int i = 0; i < MANY; i++) {
            log.access(use, Direction.WRITE, 0x10, 4, i);
        }
        log.close();
        assertThat(told).as("the clock stands").hasSize((int) GuardLog.LINES_A_SECOND);
        assertThat(told.getFirst()).isEqualTo("0000:00:02.0: guard rule=1 write offset=0x10 count=4 value=0x0");
    }

    @Test
    void isNotFloodedByWindows() {
        GuardLog log = new GuardLog("test", () -> 0);
        for (int i = 0; i < MANY; i++) {
            log.window(use, new DmaWindow(0x1000, 0x2000, true, false), "");
        }
        log.close();
        assertThat(told).hasSize((int) GuardLog.LINES_A_SECOND);
        assertThat(told.getFirst()).isEqualTo("0000:00:02.0: guard rule=1 window iova=0x1000 size=0x2000 access=r");
    }

    @Test
    void tellsHowMuchItDidNotTell() {
        long[] clock = {0};
        GuardLog log = new GuardLog("test", () -> clock[0]);
        for (int i = 0; i < GuardLog.LINES_A_SECOND + 5; i++) {
            log.window(use, new DmaWindow(0x1000, 0x2000, true, false), "");
        }
        clock[0] = 1_000_000_000L;
        log.close();
        assertThat(told).hasSize((int) GuardLog.LINES_A_SECOND + 1);
        assertThat(told.getLast()).isEqualTo("mediator.guard log of test: 5 more that rules are to log");
    }
}
