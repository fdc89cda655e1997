// SPDX-License-Identifier: Apache-2.0
package cnf.guest;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Two guests on one network: the first with two interfaces, one of which has a namespace of its own, the second with one. It has one
 * processor, the first has two. Both take commands when this has begun, and have loaded no driver.
 */
final class NetworkPair implements AutoCloseable {
    /** Where the interfaces are, in either guest. */
    private static final String FUNCTION = "0000:00:04.0";
    private static final String SECOND_FUNCTION = "0000:00:06.0";

    private static final Path NET = Path.of(System.getProperty("guest.scripts"), "net");

    private final Path folder;
    private final List<String> kernel;
    private final String driver;
    private final List<Guest> guests = new ArrayList<>();
    private Optional<Host> host = Optional.empty();

    private NetworkPair(Path folder, String release, String driver) {
        this.folder = folder;
        this.kernel = release.isEmpty() ? List.of() : List.of(release);
        this.driver = driver;
    }

    /**
     * With virtual functions of one card. The first guest's are mediated and the second's is not, so that whatever is done is done with
     * both.
     *
     * @param folder an empty one of its own
     * @param release the Debian release whose kernel they boot, empty for the usual one
     * @param doorbells whether their tails may be mapped: mapped or trapped
     */
    static NetworkPair ofVirtualFunctions(Path folder, String release, String doorbells) throws Exception {
        return ofVirtualFunctions(folder, release, doorbells, Map.of());
    }

    /**
     * As the other one.
     *
     * @param more configurations of the runtime, by the name of their file
     */
    static NetworkPair ofVirtualFunctions(Path folder, String release, String doorbells, Map<String, String> more) throws Exception {
        return new NetworkPair(folder, release, "iavf").begun(pair -> pair.bootOnVirtualFunctions(doorbells, more));
    }

    /**
     * With interfaces of QEMU's own, to tell faults of the scenarios from those of the device.
     *
     * @param model also the name of the driver
     */
    static NetworkPair ofEmulated(Path folder, String release, String model) throws Exception {
        return new NetworkPair(folder, release, model).begun(NetworkPair::bootOnEmulated);
    }

    private NetworkPair begun(Beginning beginning) throws Exception {
        boolean begun = false;
        try {
            beginning.of(this);
            for (Guest guest : guests) {
                guest.awaitReady();
                guest.run("net log >/dev/null");
                guest.run("net serve");
            }
            begun = true;
            return this;
        } finally {
            if (!begun) {
                printLogs();
                close();
            }
        }
    }

    private void bootOnVirtualFunctions(String doorbells, Map<String, String> more) throws Exception {
        Path initrd = initrd();
        String card = "address = 0000:3b:00.0%nvfs = 3%nmac = %s%ndoorbells = %s%n".formatted(hardwareAddress(1), doorbells);
        var configurations = new HashMap<>(more);
        configurations.put("device.sim.xl710-default.cfg", card);
        Host served = Host.start(Files.createDirectory(folder.resolve("host")), configurations,
            Host.VF, Host.SECOND_VF, Host.THIRD_VF);
        host = Optional.of(served);
        served.withoutMediator("i40e", () -> {
            Guest second = begin(initrd, "second", List.of(served.at(Host.THIRD_VF, "4")), List.of());
            second.awaitReady();
            guests.add(second);
        });
        guests.addFirst(begin(initrd, "first", List.of(served.at(Host.VF, "4"), served.at(Host.SECOND_VF, "6")), List.of("-smp", "2")));
    }

    private void bootOnEmulated() throws Exception {
        Path initrd = initrd();
        guests.add(begin(initrd, "first", List.of(), List.of("-smp", "2", "-netdev", wire("first", "second"),
            "-netdev", "hubport,id=port,hubid=0,netdev=wire",
            "-netdev", "hubport,id=one,hubid=0", "-device", driver + ",netdev=one,addr=4,mac=" + hardwareAddress(1),
            "-netdev", "hubport,id=two,hubid=0", "-device", driver + ",netdev=two,addr=6,mac=" + hardwareAddress(2))));
        guests.add(begin(initrd, "second", List.of(), List.of("-netdev", wire("second", "first"),
            "-device", driver + ",netdev=wire,addr=4,mac=" + hardwareAddress(3))));
    }

    private String wire(String from, String to) {
        return "dgram,id=wire,local.type=unix,local.path=%s.wire,remote.type=unix,remote.path=%s.wire"
            .formatted(folder.resolve(from), folder.resolve(to));
    }

    private Path initrd() throws IOException, InterruptedException {
        var options = new ArrayList<String>();
        kernel.forEach(release -> options.addAll(List.of("-k", release)));
        options.addAll(List.of("-n", "-M", driver, "-M", "8021q", "-f", NET + ":/bin/net"));
        return Guest.initrd(folder, options.toArray(String[]::new));
    }

    private Guest begin(Path initrd, String name, List<String> devices, List<String> more) throws IOException, InterruptedException {
        var options = new ArrayList<>(List.of("--append", "limit=3600"));
        kernel.forEach(release -> options.addAll(List.of("--kernel", release)));
        return Guest.begin(Files.createDirectory(folder.resolve(name)), initrd, options, devices, more);
    }

    /** The hardware address that a station was given by its host. */
    static String hardwareAddress(int number) {
        return "52:54:00:00:00:%02x".formatted(number);
    }

    /** The driver the interfaces are for. */
    String driver() {
        return driver;
    }

    /** The runtime, unless the interfaces are QEMU's own. */
    Optional<Host> host() {
        return host;
    }

    /** The first guest's first interface; its function is {@link Host#VF}. */
    Station near() {
        return new Station(guests.getFirst(), FUNCTION, 1, false);
    }

    /** The first guest's second interface; its function is {@link Host#SECOND_VF}. */
    Station beside() {
        return new Station(guests.getFirst(), SECOND_FUNCTION, 2, true);
    }

    /** The second guest's interface; its function is {@link Host#THIRD_VF}. */
    Station far() {
        return new Station(guests.getLast(), FUNCTION, 3, false);
    }

    List<Guest> guests() {
        return List.copyOf(guests);
    }

    void printLogs() throws IOException {
        for (Guest guest : guests) {
            System.out.println(guest.transcript());
        }
        host.ifPresent(each -> System.out.println(each.transcript()));
    }

    @Override
    public void close() throws InterruptedException {
        guests.forEach(Guest::close);
        if (host.isPresent()) {
            host.get().close();
        }
    }

    /** How the guests come to run. */
    @FunctionalInterface
    private interface Beginning {
        void of(NetworkPair pair) throws Exception;
    }
}
