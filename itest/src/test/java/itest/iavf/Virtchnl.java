// SPDX-License-Identifier: Apache-2.0
package itest.iavf;

import java.time.Duration;
import java.util.Optional;
import java.util.function.Consumer;
import vfio.pci.api.VfioException;

/** Requests to the PF, one at a time, and what it says unasked meanwhile. For one thread. */
public final class Virtchnl {
    /** Status of what the PF does not have. */
    public static final int ERR_NOT_SUPPORTED = -64;
    /** Status of a request that is wrong. */
    public static final int ERR_PARAM = -5;

    /** What DPDK waits, and more: this machine may be busy. */
    private static final Duration LONGEST = Duration.ofSeconds(30);

    private final AdminQueue queue;
    private final Consumer<PfEvent> events;
    private Optional<Vectors> vectors = Optional.empty();

    Virtchnl(AdminQueue queue, Consumer<PfEvent> events) {
        this.queue = queue;
        this.events = events;
    }

    /** Has it wait for interrupts instead of looking all the time. */
    void use(Vectors interrupts) {
        vectors = Optional.of(interrupts);
    }

    /** Sends a request and returns what it is answered, be it a refusal. */
    public AqMessage exchange(int op, Payload payload) throws VfioException {
        queue.send(op, payload.toBytes());
        var wait = new Wait(LONGEST);
        while (true) {
            Optional<AqMessage> message = queue.receive();
            if (message.isEmpty()) {
                idle(wait, op);
            } else if (message.get().op() == Op.EVENT.code()) {
                events.accept(PfEvent.decode(message.get()));
            } else if (message.get().op() == op) {
                return message.get();
            } else {
                throw new IavfException("answer %s expected=op=%d", message.get(), op);
            }
        }
    }

    private void idle(Wait wait, int op) throws VfioException {
        if (vectors.isPresent()) {
            vectors.get().enableMailbox();
            vectors.get().awaitMailbox(LONGEST);
        }
        wait.nap("op=%d is answered".formatted(op));
    }

    /** Sends a request that has to succeed. */
    public AqMessage request(Op op, Payload payload) throws VfioException {
        AqMessage answer = exchange(op.code(), payload);
        if (answer.status() != 0) {
            throw new IavfException("request=%s answer %s expected=status 0", op, answer);
        }
        return answer;
    }

    /** Sends what is not answered. */
    void post(Op op, Payload payload) throws VfioException {
        queue.send(op.code(), payload.toBytes());
    }

    /** Takes what the PF has said unasked. */
    void poll() throws VfioException {
        for (Optional<AqMessage> message = queue.receive(); message.isPresent(); message = queue.receive()) {
            if (message.get().op() != Op.EVENT.code()) {
                throw new IavfException("answer %s expected=nothing was asked", message.get());
            }
            events.accept(PfEvent.decode(message.get()));
        }
    }
}
