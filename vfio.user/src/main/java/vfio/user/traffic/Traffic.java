// SPDX-License-Identifier: Apache-2.0
package vfio.user.traffic;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import vfio.pci.api.admin.CommandTraffic;
import vfio.pci.api.admin.ServedTraffic;
import vfio.user.wire.Command;

/// What passed over the socket of one served device, of one client after the other. What happens for each message is written by whoever has
/// the connection's turn, and reads the clock once a message and once more for each receive; what is rare may be counted by any thread.
public final class Traffic {
    private final Map<String, CommandCounts> counts = new LinkedHashMap<>();
    /// By number; where there is no command of that number it is what all the others have.
    private final CommandCounts[] byCode = new CommandCounts[Command.MAX];
    private final CommandCounts other = new CommandCounts();
    private final AtomicLong timedOut = new AtomicLong();
    private final AtomicLong lateResults = new AtomicLong();
    private final AtomicLong lost = new AtomicLong();
    private final AtomicLong doorbells = new AtomicLong();
    private final AtomicLong doorbellErrors = new AtomicLong();
    /// Of the turn.
    private long since;

    /// Nothing has passed.
    public Traffic() {
        Arrays.fill(byCode, other);
        for (Command command : Command.values()) {
            byCode[command.code()] = new CommandCounts();
            counts.put(command.name(), byCode[command.code()]);
        }
        counts.put("OTHER", other);
    }

    private CommandCounts of(int command) {
        return command < byCode.length ? byCode[command] : other;
    }

    /// Messages are there: the first of them is taken up now, each of the others when the one before is answered. In a turn. Hot.
    public void begin() {
        since = System.nanoTime();
    }

    /// A message is taken up. In a turn. Hot.
    public void request(int command) {
        of(command).request();
    }

    /// It is answered, or carried out if it wants no answer. In a turn. Hot.
    public void answered(int command) {
        long now = System.nanoTime();
        of(command).took(now - since);
        since = now;
    }

    /// It failed. In a turn.
    public void error(int command) {
        of(command).error();
    }

    /// A request was answered ETIMEDOUT. Any thread.
    public void timedOut() {
        timedOut.incrementAndGet();
    }

    /// The device's result came after that. Any thread.
    public void lateResult() {
        lateResults.incrementAndGet();
    }

    /// So many messages were neither carried out nor answered. Any thread.
    public void lost(long messages) {
        lost.addAndGet(messages);
    }

    /// A doorbell was carried out. Any thread.
    public void doorbell(boolean failed) {
        doorbells.incrementAndGet();
        if (failed) {
            doorbellErrors.incrementAndGet();
        }
    }

    /// Messages so far. Any thread.
    public long requests() {
        long sum = 0;
        for (CommandCounts each : counts.values()) {
            sum += each.requests();
        }
        return sum;
    }

    /// Those of them that failed, and rings of a doorbell that did. Any thread.
    public long errors() {
        long sum = doorbellErrors.get();
        for (CommandCounts each : counts.values()) {
            sum += each.errors();
        }
        return sum;
    }

    /// All of it. Any thread.
    public ServedTraffic snapshot() {
        List<CommandTraffic> commands = new ArrayList<>();
        counts.forEach((name, each) -> {
            if (each.requests() > 0 || each.errors() > 0) {
                commands.add(each.snapshot(name));
            }
        });
        return new ServedTraffic(requests(), errors(), timedOut.get(), lateResults.get(), lost.get(), doorbells.get(), commands);
    }
}
