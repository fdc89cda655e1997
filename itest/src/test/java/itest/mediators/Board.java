// SPDX-License-Identifier: Apache-2.0
package itest.mediators;

import java.util.Hashtable;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.atomic.AtomicLong;
import org.osgi.framework.BundleContext;
import org.osgi.framework.InvalidSyntaxException;
import org.osgi.framework.ServiceReference;
import org.osgi.framework.ServiceRegistration;

/** What mediators and the test tell each other: named numbers, and a journal. */
public final class Board {
    private static final String PROPERTY = "itest.board";
    private static final String JOURNAL = "journal";

    private final ConcurrentMap<String, Object> content;

    private Board(ConcurrentMap<String, Object> content) {
        this.content = content;
    }

    /** A board that nobody has seen yet. */
    public static Board empty() {
        return new Board(new ConcurrentHashMap<>());
    }

    /** The board that the test published. */
    static Board published(BundleContext context) {
        try {
            ServiceReference<?> reference = context.getServiceReferences(ConcurrentMap.class.getName(), "(" + PROPERTY + "=*)")[0];
            @SuppressWarnings("unchecked")
            var content = (ConcurrentMap<String, Object>) context.getService(reference);
            return new Board(content);
        } catch (InvalidSyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Shows it to the mediators that start from now on. */
    public ServiceRegistration<?> publish(BundleContext context) {
        return context.registerService(ConcurrentMap.class, content, new Hashtable<>(Map.of(PROPERTY, "")));
    }

    /** A number, 0 at first. */
    public AtomicLong number(String name) {
        return (AtomicLong) content.computeIfAbsent(name, key -> new AtomicLong());
    }

    /** One of the numbers of a mediator, named in {@link Setting}. */
    public AtomicLong number(String what, String mediator) {
        return number(what + " " + mediator);
    }

    /** Adds a line to the journal. */
    public void note(String line) {
        journalQueue().add(line);
    }

    /** The journal so far, oldest first. */
    public List<String> journal() {
        return journalQueue().stream().toList();
    }

    /** The journal so far, which begins anew. */
    public List<String> takeJournal() {
        List<String> all = journal();
        all.forEach(line -> journalQueue().poll());
        return all;
    }

    @SuppressWarnings("unchecked")
    private Queue<String> journalQueue() {
        return (Queue<String>) content.computeIfAbsent(JOURNAL, key -> new ConcurrentLinkedQueue<String>());
    }
}
