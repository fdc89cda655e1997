// SPDX-License-Identifier: Apache-2.0
package itest.chaos;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.management.ManagementFactory;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import javax.management.JMException;
import javax.management.ObjectName;

/**
 * What lives in this virtual machine after a collection, as HotSpot writes it down: format JAVA PROFILE 1.0.2, described in
 * {@code hprof_b_spec.h} of the JDK. Identifiers are eight bytes.
 */
final class HeapDump implements AutoCloseable {
    static final int INSTANCE = 0x21;
    static final int OBJECT_ARRAY = 0x22;
    static final int OBJECT = 2;

    private static final String FORMAT = "JAVA PROFILE 1.0.2";
    private static final int UTF8 = 0x01;
    private static final int LOAD_CLASS = 0x02;
    private static final int CLASS = 0x20;
    private static final int PRIMITIVE_ARRAY = 0x23;
    private static final ValueLayout.OfLong U8 = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);
    private static final ValueLayout.OfInt U4 = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);
    private static final ValueLayout.OfShort U2 = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);

    private final Arena arena = Arena.ofShared();
    private final MemorySegment bytes;
    private final Map<Long, String> names = new HashMap<>();
    private final Map<Long, String> classNames = new HashMap<>();
    private final Map<Long, Klass> classes = new HashMap<>();
    /** Where the record of an object begins that has references. */
    private final Map<Long, Long> objects = new HashMap<>();
    private final Map<Long, String> roots = new LinkedHashMap<>();

    /** A class: whose it is, what its static fields refer to, and its own fields. */
    record Klass(long parent, long loader, Map<String, Long> statics, List<Field> fields) {
    }

    record Field(String name, int type) {
    }

    private HeapDump(Path file) throws IOException {
        try (FileChannel channel = FileChannel.open(file)) {
            bytes = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena);
        }
        read();
    }

    /** Collects, and writes down what is left. */
    static HeapDump take() throws IOException {
        Path folder = Files.createTempDirectory("heap-");
        Path file = folder.resolve("heap.hprof");
        try {
            ManagementFactory.getPlatformMBeanServer().invoke(new ObjectName("com.sun.management:type=HotSpotDiagnostic"), "dumpHeap",
                new Object[] {file.toString(), true}, new String[] {"java.lang.String", "boolean"});
            return new HeapDump(file);
        } catch (JMException e) {
            throw new IOException(e);
        } finally {
            Files.deleteIfExists(file);
            Files.delete(folder);
        }
    }

    @Override
    public void close() {
        arena.close();
    }

    Map<Long, String> roots() {
        return roots;
    }

    /** Instances of a class. */
    List<Long> instances(String className) {
        List<Long> found = new ArrayList<>();
        objects.forEach((id, at) -> {
            if (kind(at) == INSTANCE && className.equals(classNames.get(classOf(at)))) {
                found.add(id);
            }
        });
        return found;
    }

    /** How many instances there are of each class. */
    Map<String, Integer> census() {
        Map<String, Integer> counts = new HashMap<>();
        objects.forEach((id, at) -> {
            if (kind(at) == INSTANCE) {
                counts.merge(classNames.get(classOf(at)), 1, Integer::sum);
            }
        });
        return counts;
    }

    /** What an object is, for people. */
    String describe(long id) {
        if (classes.containsKey(id)) {
            return "class " + classNames.get(id);
        }
        Long at = objects.get(id);
        return at == null ? "?" : classNames.get(classOf(at));
    }

    /** What an object refers to, by field or place; the referents of weak and phantom references are none of it. */
    Map<String, Long> references(long id) {
        Map<String, Long> found = new LinkedHashMap<>();
        Klass klass = classes.get(id);
        Long at = objects.get(id);
        if (klass != null) {
            found.putAll(klass.statics());
            found.put("<loader>", klass.loader());
            found.put("<superclass>", klass.parent());
        } else if (at != null) {
            found.put("<class>", classOf(at));
            if (kind(at) == INSTANCE) {
                fields(at, found);
            } else {
                for (int i = 0; i < bytes.get(U4, at + 13); i++) {
                    found.put("[" + i + "]", bytes.get(U8, at + 25 + 8L * i));
                }
            }
        }
        found.values().removeIf(target -> target == 0);
        return found;
    }

    /** What a field of an instance refers to, weakly or not; 0 for nothing. */
    long reference(long id, String field) {
        Map<String, Long> all = new HashMap<>();
        walk(objects.get(id), all);
        return all.getOrDefault(field, 0L);
    }

    private void fields(long at, Map<String, Long> found) {
        walk(at, found);
        for (long of = classOf(at); of != 0; of = classes.get(of).parent()) {
            String name = classNames.get(of);
            if (name.equals("java.lang.ref.WeakReference") || name.equals("java.lang.ref.PhantomReference")) {
                found.remove("referent");
            }
            if (name.equals("java.lang.ref.Reference")) {
                found.remove("discovered");
            }
        }
    }

    private void walk(long at, Map<String, Long> found) {
        long field = at + 25;
        for (long of = classOf(at); of != 0; of = classes.get(of).parent()) {
            for (Field one : classes.get(of).fields()) {
                if (one.type() == OBJECT) {
                    found.put(found.containsKey(one.name()) ? one.name() + " of " + classNames.get(of) : one.name(), bytes.get(U8, field));
                }
                field += size(one.type());
            }
        }
    }

    private int kind(long at) {
        return bytes.get(ValueLayout.JAVA_BYTE, at) & 0xFF;
    }

    private long classOf(long at) {
        return bytes.get(U8, kind(at) == INSTANCE ? at + 13 : at + 17);
    }

    // ---- reading it all, once

    private void read() {
        long at = FORMAT.length() + 1 + 4 + 8;
        if (!bytes.getString(0).equals(FORMAT)) {
            throw new IllegalStateException("format=%s expected=%s".formatted(bytes.getString(0), FORMAT));
        }
        while (at < bytes.byteSize()) {
            int tag = kind(at);
            long length = Integer.toUnsignedLong(bytes.get(U4, at + 5));
            long body = at + 9;
            switch (tag) {
                case UTF8 -> names.put(bytes.get(U8, body), new String(bytes.asSlice(body + 8, length - 8).toArray(ValueLayout.JAVA_BYTE),
                    StandardCharsets.UTF_8));
                case LOAD_CLASS -> classNames.put(bytes.get(U8, body + 4), names.get(bytes.get(U8, body + 16)).replace('/', '.'));
                case 0x0C, 0x1C -> readSegment(body, body + length);
                default -> { }
            }
            at = body + length;
        }
    }

    private void readSegment(long begin, long end) {
        for (long at = begin; at < end;) {
            long id = bytes.get(U8, at + 1);
            at = switch (kind(at)) {
                case 0xFF -> root(id, "unknown", at + 9);
                case 0x01 -> root(id, "JNI global", at + 17);
                case 0x02 -> root(id, "JNI local", at + 17);
                case 0x03 -> root(id, "a thread's stack", at + 17);
                case 0x04 -> root(id, "a native stack", at + 13);
                case 0x05 -> root(id, "a class of the system", at + 9);
                case 0x06 -> root(id, "a thread block", at + 13);
                case 0x07 -> root(id, "a monitor in use", at + 9);
                case 0x08 -> root(id, "a thread", at + 17);
                case CLASS -> readClass(id, at);
                case INSTANCE -> object(id, at, at + 25 + bytes.get(U4, at + 21));
                case OBJECT_ARRAY -> object(id, at, at + 25 + 8L * bytes.get(U4, at + 13));
                case PRIMITIVE_ARRAY -> at + 18 + (long) bytes.get(U4, at + 13) * size(bytes.get(ValueLayout.JAVA_BYTE, at + 17));
                default -> throw new IllegalStateException("tag=0x%x at=0x%x".formatted(kind(at), at));
            };
        }
    }

    private long root(long id, String kind, long next) {
        roots.putIfAbsent(id, kind);
        return next;
    }

    private long object(long id, long at, long next) {
        objects.put(id, at);
        return next;
    }

    private long readClass(long id, long begin) {
        long at = begin + 1 + 8 + 4 + 6 * 8 + 4;
        int constants = Short.toUnsignedInt(bytes.get(U2, at));
        at += 2;
        for (int i = 0; i < constants; i++) {
            at += 3 + size(bytes.get(ValueLayout.JAVA_BYTE, at + 2));
        }
        Map<String, Long> statics = new LinkedHashMap<>();
        int count = Short.toUnsignedInt(bytes.get(U2, at));
        at += 2;
        for (int i = 0; i < count; i++) {
            int type = bytes.get(ValueLayout.JAVA_BYTE, at + 8);
            if (type == OBJECT) {
                statics.put("static " + names.get(bytes.get(U8, at)), bytes.get(U8, at + 9));
            }
            at += 9 + size(type);
        }
        List<Field> fields = new ArrayList<>();
        int own = Short.toUnsignedInt(bytes.get(U2, at));
        at += 2;
        for (int i = 0; i < own; i++) {
            fields.add(new Field(names.get(bytes.get(U8, at)), bytes.get(ValueLayout.JAVA_BYTE, at + 8)));
            at += 9;
        }
        classes.put(id, new Klass(bytes.get(U8, begin + 13), bytes.get(U8, begin + 21), statics, fields));
        return at;
    }

    private static int size(int type) {
        return switch (type) {
            case OBJECT, 7, 11 -> 8;
            case 4, 8 -> 1;
            case 5, 9 -> 2;
            case 6, 10 -> 4;
            default -> throw new IllegalStateException("type=" + type);
        };
    }
}
