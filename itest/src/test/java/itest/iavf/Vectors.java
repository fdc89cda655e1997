// SPDX-License-Identifier: Apache-2.0
package itest.iavf;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import linux.sys.EventFd;
import vfio.pci.api.VfioException;
import vfio.pci.api.device.IrqIndex;
import vfio.user.wire.client.VfioUserClient;

/** MSI-X: an eventfd for each vector. Vector 0 is the mailbox's, the others are the queues'. For one thread. */
public final class Vectors implements AutoCloseable {
    private static final int ENABLE = IavfRegister.DYN_INTENA | IavfRegister.DYN_ITR_NONE;

    private final Bar0 bar;
    private final List<EventFd> events = new ArrayList<>();

    private Vectors(Bar0 bar) {
        this.bar = bar;
    }

    static Vectors enable(VfioUserClient client, Bar0 bar, int count) throws VfioException {
        var vectors = new Vectors(bar);
        boolean enabled = false;
        try {
            for (int i = 0; i < count; i++) {
                vectors.events.add(EventFd.create());
            }
            client.setIrqEvents(IrqIndex.MSIX, 0, count, vectors.events.stream().map(EventFd::fd).toList());
            enabled = true;
            return vectors;
        } finally {
            if (!enabled) {
                vectors.close();
            }
        }
    }

    /** Has another device fire the same events. */
    void attach(VfioUserClient there) throws VfioException {
        synchronized (there) {
            there.setIrqEvents(IrqIndex.MSIX, 0, events.size(), events.stream().map(EventFd::fd).toList());
        }
    }

    /** Lets the mailbox interrupt. */
    void enableMailbox() throws VfioException {
        bar.write(IavfRegister.VFINT_DYN_CTL01, ENABLE);
        bar.write(IavfRegister.VFINT_ICR0_ENA1, IavfRegister.ICR_ADMINQ);
        bar.read(IavfRegister.VFGEN_RSTAT);
    }

    /** Keeps the mailbox from interrupting. */
    void disableMailbox() throws VfioException {
        bar.write(IavfRegister.VFINT_DYN_CTL01, 0);
        bar.write(IavfRegister.VFINT_ICR0_ENA1, 0);
        bar.read(IavfRegister.VFGEN_RSTAT);
    }

    /** Waits for the mailbox's interrupt and takes it; who has looked for messages then enables it again. */
    void awaitMailbox(Duration longest) throws VfioException {
        awaitFired(0, longest);
        int control = bar.read(IavfRegister.VFINT_DYN_CTL01);
        if ((control & IavfRegister.DYN_INTENA) != 0) {
            throw new IavfException("dyn_ctl01=0x%x expected=INTENA cleared by the interrupt", control);
        }
        int cause = bar.read(IavfRegister.VFINT_ICR01);
        if ((cause & IavfRegister.ICR_ADMINQ) == 0) {
            throw new IavfException("icr01=0x%x expected=ADMINQ 0x%x", cause, IavfRegister.ICR_ADMINQ);
        }
    }

    /** Lets a queue's vector interrupt once; at once, if something has happened since the last time. */
    public void enable(int vector) throws VfioException {
        bar.write(IavfRegister.VFINT_DYN_CTLN1, vector - 1, ENABLE);
    }

    /** Fires a queue's vector by itself, as Linux does when a ring looks stuck. */
    public void fire(int vector) throws VfioException {
        bar.write(IavfRegister.VFINT_DYN_CTLN1, vector - 1,
            ENABLE | IavfRegister.DYN_SWINT_TRIG | IavfRegister.DYN_SW_ITR_INDX_ENA);
    }

    /** Waits for an interrupt and takes it; fails when none comes. */
    public void awaitFired(int vector, Duration longest) throws VfioException {
        if (!events.get(vector).await(longest)) {
            throw new IavfException("vector=%d expected=an interrupt within %s", vector, longest);
        }
        take(vector);
    }

    /**
     * Takes the interrupts that have come.
     *
     * @return how many
     */
    public long take(int vector) {
        return events.get(vector).read();
    }

    /** How many there are. */
    public int count() {
        return events.size();
    }

    @Override
    public void close() {
        events.forEach(EventFd::close);
    }
}
