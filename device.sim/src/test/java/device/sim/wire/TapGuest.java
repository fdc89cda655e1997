// SPDX-License-Identifier: Apache-2.0
package device.sim.wire;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import vfio.pci.api.VfioException;

/// A program of [TapUplinkTest], run in a network namespace of its own: a port of a switch answers the kernel's ARP at the other end of a
/// TAP device, and returns its datagram.
final class TapGuest {
    private static final long OWN = 0x5254_0000_0001L;
    private static final long DEADLINE_NANOS = 20_000_000_000L;
    private static final byte[] TEXT = "a datagram through the switch".getBytes(StandardCharsets.US_ASCII);

    private final Switch wire = new Switch(1);
    private final FrameRing ring = wire.port(0).open(() -> { });
    private final MemorySegment memory = Arena.ofAuto().allocate(16384, 8);

    public static void main(String[] args) throws VfioException, IOException, InterruptedException {
        new TapGuest().run();
        System.out.println("PASSED");
    }

    private void run() throws VfioException, IOException, InterruptedException {
        wire.port(0).defaultAddress(OWN);
        wire.uplink(TapUplink.open(wire, "tap7"));
        ip("addr", "add", "10.99.0.1/24", "dev", "tap7");
        ip("link", "set", "tap7", "up");
        try (DatagramSocket socket = new DatagramSocket(new InetSocketAddress(InetAddress.getByName("10.99.0.1"), 0))) {
            socket.setSoTimeout(20_000);
            socket.send(new DatagramPacket(TEXT, TEXT.length, InetAddress.getByName("10.99.0.2"), 4000));
            byte[] request = next(0x0806);
            send(answer(request));
            byte[] datagram = next(0x0800);
            send(returned(datagram));
            DatagramPacket packet = new DatagramPacket(new byte[100], 100);
            socket.receive(packet);
            check(Arrays.equals(TEXT, Arrays.copyOf(packet.getData(), packet.getLength())), "the text came back");
            check(packet.getPort() == 4000, "from the port");
        }
        wire.close();
    }

    private static void ip(String... arguments) throws IOException, InterruptedException {
        String[] command = new String[arguments.length + 1];
        command[0] = "ip";
        System.arraycopy(arguments, 0, command, 1, arguments.length);
        check(new ProcessBuilder(command).inheritIO().start().waitFor() == 0, String.join(" ", command));
    }

    /// The next frame of this type; others, as the kernel sends for IPv6, are left out.
    private byte[] next(int type) {
        long deadline = System.nanoTime() + DEADLINE_NANOS;
        while (true) {
            while (ring.isEmpty()) {
                check(System.nanoTime() < deadline, "a frame in time");
                Thread.onSpinWait();
            }
            long record = ring.first();
            byte[] frame = ring.memory().asSlice(ring.frame(record), ring.length(record)).toArray(ValueLayout.JAVA_BYTE);
            ring.release(record);
            if ((frame[12] << 8 | frame[13] & 0xFF) == type) {
                return frame;
            }
        }
    }

    private void send(byte[] frame) {
        MemorySegment.copy(MemorySegment.ofArray(frame), 0, memory, 8, frame.length);
        check(wire.port(0).transmit(memory, 8, frame.length, Ethernet.UNTAGGED), "sent");
        check(wire.toUplink() > 0 && wire.uplinkDrops() == 0, "the kernel took it");
    }

    private static byte[] addressed(byte[] frame) {
        byte[] back = frame.clone();
        System.arraycopy(frame, 6, back, 0, 6);
        ByteBuffer.wrap(back).putShort(6, (short) (OWN >>> 32)).putInt(8, (int) OWN);
        return back;
    }

    private static byte[] answer(byte[] request) {
        byte[] back = addressed(request);
        ByteBuffer.wrap(back).putShort(20, (short) 2).putShort(22, (short) (OWN >>> 32)).putInt(24, (int) OWN);
        System.arraycopy(request, 38, back, 28, 4);
        System.arraycopy(request, 22, back, 32, 10);
        return back;
    }

    /// Addresses and ports exchanged, which keeps all sums as they are.
    private static byte[] returned(byte[] datagram) {
        byte[] back = addressed(datagram);
        System.arraycopy(datagram, 26, back, 30, 4);
        System.arraycopy(datagram, 30, back, 26, 4);
        System.arraycopy(datagram, 34, back, 36, 2);
        System.arraycopy(datagram, 36, back, 34, 2);
        return back;
    }

    private static void check(boolean holds, String what) {
        if (!holds) {
            throw new AssertionError("expected: " + what);
        }
    }

    private TapGuest() {
    }
}
