// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.device;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.admin.Exchange;
import vfio.pci.core.binding.Mediator;

/// One mediator takes over devices of another, with their states.
public final class MediatorSwap {
    private static final System.Logger LOG = System.getLogger(MediatorSwap.class.getName());

    private MediatorSwap() {
    }

    /// Who takes over: there from the start, or found when the old one has stood aside.
    @FunctionalInterface
    public interface Successor {
        /// Finds it.
        ///
        /// @throws VfioException when there is none
        Mediator find() throws VfioException;
    }

    /// Has a mediator take over devices one after the other: each waits only for itself.
    public static List<Exchange> eachAlone(List<KnownFunction> devices, Mediator from, Mediator to) {
        List<Exchange> results = new ArrayList<>();
        for (KnownFunction known : devices) {
            results.add(alone(known, from, to));
        }
        return results;
    }

    private static Exchange alone(KnownFunction known, Mediator from, Mediator to) {
        try (Pause pause = Pause.begin(known.opened(), "it is taken over by " + to)) {
            Paused paused = new Paused(known.opened(), pause, from);
            paused.save();
            return paused.takeOver(to, () -> { });
        } catch (VfioException e) {
            return failed(known, e);
        }
    }

    /// Has a mediator take over devices that wait together: it comes only when the old one lets go of what it has.
    ///
    /// @param devices all of the old one's
    public static List<Exchange> together(List<KnownFunction> devices, Mediator from, Successor successor) {
        List<Exchange> results = new ArrayList<>();
        List<Paused> all = new ArrayList<>();
        try {
            for (KnownFunction known : devices) {
                Pause pause = Pause.begin(known.opened(), "the mediator " + from + " is exchanged");
                all.add(new Paused(known.opened(), pause, from));
            }
            for (Paused paused : all) {
                paused.save();
            }
            from.standAside();
            Mediator to = successor.find();
            for (Paused paused : all) {
                boolean first = results.stream().allMatch(result -> result.failure().isPresent());
                results.add(paused.takeOver(to, first ? () -> changeBack(from, to) : () -> { }));
            }
        } catch (VfioException e) {
            results.clear();
            standIn(from);
            all.forEach(Paused::putBack);
            devices.forEach(known -> results.add(failed(known, e)));
        } finally {
            all.reversed().forEach(Paused::close);
        }
        return results;
    }

    private static void changeBack(Mediator from, Mediator to) {
        try {
            to.standAside();
        } catch (VfioException e) {
            LOG.log(System.Logger.Level.WARNING, "mediator {0} does not stand aside: {1}", to, e.getMessage());
        }
        standIn(from);
    }

    private static void standIn(Mediator from) {
        try {
            from.standIn();
        } catch (VfioException e) {
            LOG.log(System.Logger.Level.ERROR, "mediator {0} cannot have again what it let go of: {1}", from, e.getMessage());
        }
    }

    private static Exchange failed(KnownFunction known, VfioException why) {
        return new Exchange(known.function().address(), known.device().flatMap(OpenDevice::mediatorName),
            Optional.of(why.getMessage()), Duration.ZERO, List.of());
    }

    /// A device that waits, with the exchange that it waits for.
    private static final class Paused implements AutoCloseable {
        private final Pause pause;
        private final Mediator from;
        /// None when the old one has no layer any more.
        private final Optional<MediatorExchange> exchange;

        Paused(OpenDevice device, Pause pause, Mediator from) {
            this.pause = pause;
            this.from = from;
            this.exchange = device.mediation().layerOf(from).map(layer -> new MediatorExchange(device, pause, layer));
        }

        void save() throws VfioException {
            if (exchange.flatMap(MediatorExchange::mediator).filter(from::equals).isEmpty()) {
                throw new VfioException(Errno.ENOENT, "mediator=%s has gone".formatted(from));
            }
            exchange.get().save();
        }

        Exchange takeOver(Mediator to, Runnable beforeOldGoesOn) {
            MediatorExchange saved = exchange.orElseThrow();
            return saved.result(saved.takeOver(to, true, beforeOldGoesOn));
        }

        void putBack() {
            exchange.ifPresent(MediatorExchange::putBack);
        }

        @Override
        public void close() {
            pause.close();
        }
    }
}
