// SPDX-License-Identifier: Apache-2.0
package cnf.guest;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;

/**
 * A network interface in a guest, which cnf/guest/net tries there.
 *
 * @param function the PCI address of its function in the guest
 * @param number distinguishes its addresses, 10.0.0.NUMBER and fd00::NUMBER
 * @param moved it has a namespace of its own
 */
record Station(Guest guest, String function, int number, boolean moved) {
    /** How many times and how much is tried: quickly with every build, at length by night. */
    static final boolean NIGHTLY = Boolean.getBoolean("vfio.nightly");

    private static final int VLAN = 5;

    String address() {
        return "10.0.0." + number;
    }

    String address6() {
        return "fd00::" + number;
    }

    String vlanAddress() {
        return "10.0." + VLAN + "." + number;
    }

    /** Runs a command where the interface is. */
    List<String> run(String command) throws InterruptedException {
        return guest.run(moved ? "net in " + function + " sh -c '" + command + "'" : command);
    }

    /** As {@link #run} for a command that prints one line. */
    String ask(String command) throws InterruptedException {
        List<String> answer = run(command);
        assertThat(answer).as(command).hasSize(1);
        return answer.getFirst();
    }

    /** Has cnf/guest/net do something with the interface. */
    void change(String verb, String... more) throws InterruptedException {
        guest.run(String.join(" ", "net", verb, function, String.join(" ", more)));
    }

    void up() throws InterruptedException {
        change("up", address() + "/24", address6() + "/64");
    }

    /** Adds an interface for a virtual LAN. */
    void joinVlan() throws InterruptedException {
        change("vlan", Integer.toString(VLAN), vlanAddress() + "/24");
    }

    String name() throws InterruptedException {
        return guest.ask("net name " + function);
    }

    String driver() throws InterruptedException {
        return guest.ask("basename \"$(readlink /sys/bus/pci/devices/" + function + "/driver)\"");
    }

    /** What its driver shows of a counter. */
    long counter(String name) throws InterruptedException {
        return Long.parseLong(ask("ethtool -S " + name() + " | sed -n \"s/^ *" + name + ": //p\""));
    }

    /** Sends echo requests, each when the one before was answered; none may be lost. */
    void pings(String address, int count, int size) throws InterruptedException {
        assertThat(ask("net ping %s %d %d".formatted(address, count, size))).isEqualTo(count + " of " + count);
    }

    /** Sends over TCP what the receiver must have unchanged. */
    void sends(String address, int kib) throws InterruptedException {
        assertThat(ask("net send " + address + " " + kib)).isEqualTo("same");
    }

    /** Sets offloads, all of them to be changeable. */
    void offload(String value, String... features) throws InterruptedException {
        for (String feature : features) {
            run("ethtool -K " + name() + " " + feature + " " + value);
        }
    }
}
