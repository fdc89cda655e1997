// SPDX-License-Identifier: Apache-2.0
package vfio.pci.shell;

import java.io.PrintStream;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;

/// The commands, as their help tells them.
enum Command {
    DEVICES("", "lists all functions, and who mediates, uses and serves them"),
    DEVICE("ADDRESS", "shows one function, with the regions and interrupts it has while it is open"),
    MEDIATORS("", "lists the mediators in the order they are asked, and which were loaded on demand, for what and why"),
    POLICY("ADDRESS [POLICY]", "shows what becomes of a device when its mediator goes, or changes it"),
    STACK("ADDRESS [MEDIATOR]...", "shows who mediates a device in layers, top first, or declares it"),
    REBIND("ADDRESS [MEDIATOR]", "binds an open device to the first mediator that accepts it, or to this one"),
    SWAP("ADDRESS|--all FROM TO", "has a mediator take over open devices from another, with their states"),
    RENEW("ADDRESS", "binds the function behind an open device afresh, with the state it had"),
    UNLOAD("MEDIATOR", "stops a mediator's bundle, unless a device whose policy is refuse is open by it"),
    SERVE("ADDRESS SOCKET", "serves a device on a UNIX socket, an absolute path"),
    UNSERVE("ADDRESS", "ends serving a device: its client is disconnected, the socket removed"),
    READ("ADDRESS REGION OFFSET WIDTH", "reads a register through the mediator, as a client would"),
    WRITE("ADDRESS REGION OFFSET WIDTH VALUE", "writes a register through the mediator, as a client would"),
    MIGRATE("ADDRESS", "has the client of a device move its machine to another VMM", List.of("--to TO", "--dry-run", "--max-downtime MS",
        "--cancel")),
    STATS("ADDRESS", "shows the counters of a device; while it is served also those of its socket, by command with latencies"),
    PLAN("ACTION BUNDLE [FROM]", "says what install, update, uninstall or refresh of a bundle would do to bundles and devices"),
    APPLY("", "carries out the last plan, if nothing has changed since"),
    PREFER("[VENDOR:DEVICE] [BUNDLE]", "lists which bundle is preferred for a device, sets that, or ends it (BUNDLE is none)"),
    HELP("[COMMAND]", "lists the commands, or tells more of one");

    private static final String ACCESS = """
        REGION is a number, or one of bar0 to bar5, rom, config, vga; WIDTH is 1, 2, 4 or 8 bytes, little-endian.
        Numbers are decimal, or hexadecimal after 0x. A device that nobody has open is opened for this one access, as its last
        reset left it, and closed again.""";

    private static final String LAYERS = """
        MEDIATOR is the name of a mediator or of its bundle, or '*', in quotes, for whoever else accepts the device. That is the lowest
        unless it is named; a list that ends with - ends there. It holds from the next open on, and for an open device from
        vfio:rebind on. '*' alone is what there is without a word.""";

    private static final String BUNDLES = """
        ACTION is install, update, uninstall or refresh. BUNDLE is the id or symbolic name of a bundle; for install the path or file: URL
        of a jar, or a name in the repository, alone or as NAME:VERSION. FROM is the new jar of an update; without it, it comes from
        where the bundle came from.""";
    private static final String MOVING = """
        TO is the absolute path of a UNIX socket, or tcp://HOST:PORT, where the other VMM listens. The machine goes with all its
        devices; only a client that takes part can do that, any other is left alone. --dry-run asks whether the other side would
        take it, and says what downtime to expect. --max-downtime: how long the machine may stand, 300 ms unless said otherwise;
        copying goes on until that can be kept. --cancel, from another session, ends a move: the machine runs on where it was.""";

    private final List<String> parameters;
    private final String summary;
    private final List<String> options;

    Command(String parameters, String summary) {
        this(parameters, summary, List.of());
    }

    Command(String parameters, String summary, List<String> options) {
        this.parameters = parameters.isEmpty() ? List.of() : List.of(parameters.split(" "));
        this.summary = summary;
        this.options = options;
    }

    /// The command of that name, with or without its scope.
    static Optional<Command> named(String name) {
        String plain = name.startsWith("vfio:") ? name.substring("vfio:".length()) : name;
        return Arrays.stream(values()).filter(command -> command.function().equals(plain)).findFirst();
    }

    /// What is typed, without the scope.
    String function() {
        return name().toLowerCase(Locale.ROOT);
    }

    /// Names of the arguments, in order.
    List<String> parameters() {
        return parameters;
    }

    /// Whether it has that option besides those of all commands.
    boolean hasFlag(String option) {
        return options.contains(option);
    }

    /// Whether it has that option, with a value after it.
    boolean hasOption(String option) {
        return options.stream().anyMatch(each -> each.startsWith(option + " "));
    }

    /// Whether there may be more of the last argument.
    boolean repeats() {
        return !parameters.isEmpty() && parameters.getLast().endsWith("...");
    }

    /// Its options, for a message.
    private String optionNames() {
        return options.stream().map(each -> each.split(" ")[0] + ", ").collect(Collectors.joining());
    }

    /// All that may be typed with a dash, for a message.
    String allOptions() {
        return optionNames() + "-j or -h";
    }

    /// How many of the arguments must be given.
    int required() {
        return (int) parameters.stream().filter(parameter -> !parameter.startsWith("[")).count();
    }

    /// What is typed, with its arguments.
    String usage() {
        String shown = this == HELP ? "" : " [-j]";
        return ("vfio:" + function() + shown + " " + String.join(" ", parameters)
            + options.stream().map(each -> " [" + each + "]").collect(Collectors.joining())).stripTrailing();
    }

    /// One line of what it does.
    String summary() {
        return summary;
    }

    void printHelp(PrintStream out) {
        out.println(usage());
        out.println("    " + summary);
        if (!parameters.isEmpty() && parameters.getFirst().startsWith("ADDRESS")) {
            out.println("    ADDRESS is DDDD:BB:DD.F, or BB:DD.F in domain 0.");
        }
        if (this == SERVE) {
            out.println("    When the command returns, a client may connect; one at a time. The socket has mode 0600, and one that nobody");
            out.println("    listens on any more is taken over.");
        }
        if (this == POLICY) {
            out.println("    POLICY is pass-through, freeze (accesses wait for another mediator, for a time), detach (clients lose the");
            out.println("    device) or refuse (vfio:unload refuses).");
        }
        if (this == STACK) {
            out.println(LAYERS.indent(4).stripTrailing());
        }
        if (this == REBIND || this == SWAP || this == UNLOAD) {
            out.println("    A mediator is meant by its name, name:version, or the id of its bundle.");
        }
        if (this == SWAP || this == RENEW) {
            out.println("    Accesses wait meanwhile. Where it fails, all goes on as before, and the command says why.");
        }
        if (this == MIGRATE) {
            out.println(MOVING.indent(4).stripTrailing());
        }
        if (this == MEDIATORS) {
            out.println("    One that has gone is listed as long as a thread is stuck in it, with that thread's stack.");
        }
        if (this == PLAN) {
            out.println(BUNDLES.indent(4).stripTrailing());
        }
        if (this == READ || this == WRITE) {
            out.println(ACCESS.indent(4).stripTrailing());
        }
        if (this != HELP) {
            out.println("    -j, --json   answers as one line of JSON, with addresses, offsets and values as strings");
        }
        out.println("    -h, --help   prints this");
    }
}
