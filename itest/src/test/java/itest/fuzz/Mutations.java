// SPDX-License-Identifier: Apache-2.0
package itest.fuzz;

import itest.wire.Message;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.random.RandomGenerator;

/** What makes a session wrong: one message changed, left out, sent twice, or sent in another's place. */
final class Mutations {
    private static final int MOST_MORE = 300;
    private static final int LONGEST = 1 << 20;
    private static final int[] FLAGS = {Message.NO_REPLY, Message.REPLY, Message.REPLY | Message.ERROR, Message.ERROR, 2, 0xF, 0x40, -1};
    private static final int[] FILE_COUNTS = {0, 1, 2, 3, 5, 15, 16, 17, 40, 64, 65, 200};
    private static final Kind[] KINDS = Kind.values();

    private Mutations() {
    }

    /** The session with about that share of its messages made wrong, in per mille. */
    static List<Outgoing> apply(List<Outgoing> session, int perMille, RandomGenerator random) {
        List<Outgoing> changed = new ArrayList<>(session);
        for (int i = 0; i < changed.size(); i++) {
            if (random.nextInt(1000) < perMille) {
                mutate(changed, i, random);
            }
        }
        return changed;
    }

    private static void mutate(List<Outgoing> session, int at, RandomGenerator random) {
        Outgoing message = session.get(at);
        switch (random.nextInt(14)) {
            case 0 -> session.set(at, message.with(8, Integer.BYTES, FLAGS[random.nextInt(FLAGS.length)]));
            case 1 -> session.set(at, shorter(message, random));
            case 2 -> session.set(at, longer(message, random));
            case 3 -> session.set(at, message.withFiles(files(random)));
            case 4 -> session.set(at, message.withFiles(oneOther(message.files(), random)));
            case 5 -> session.set(at, flipBytes(message, random));
            case 6 -> session.add(at, message);
            case 7 -> session.set(at, session.get(random.nextInt(session.size())));
            case 8 -> {
                int other = random.nextInt(session.size());
                session.set(at, session.get(other));
                session.set(other, message);
            }
            case 9 -> session.set(at, Fields.changeOne(Fields.changeOne(message, random), random));
            default -> session.set(at, Fields.changeOne(message, random));
        }
    }

    private static Outgoing shorter(Outgoing message, RandomGenerator random) {
        int length = random.nextInt(message.bytes().length + 1);
        // A size that is wrong takes the rest of the session with it: seldom.
        return message.withBytes(Arrays.copyOf(message.bytes(), length), length >= Message.HEADER && random.nextInt(8) > 0);
    }

    private static Outgoing longer(Outgoing message, RandomGenerator random) {
        int more = random.nextInt(64) == 0 ? random.nextInt(LONGEST) : random.nextInt(MOST_MORE);
        byte[] bytes = Arrays.copyOf(message.bytes(), message.bytes().length + more);
        for (int i = message.bytes().length; i < Math.min(bytes.length, message.bytes().length + MOST_MORE); i++) {
            bytes[i] = (byte) random.nextInt();
        }
        return message.withBytes(bytes, random.nextInt(8) > 0);
    }

    private static List<Kind> files(RandomGenerator random) {
        int count = FILE_COUNTS[random.nextInt(FILE_COUNTS.length)];
        List<Kind> files = new ArrayList<>();
        Kind one = KINDS[random.nextInt(KINDS.length)];
        for (int i = 0; i < count; i++) {
            files.add(random.nextBoolean() ? one : KINDS[random.nextInt(KINDS.length)]);
        }
        return files;
    }

    /** As many, one of them of another kind; or one more or less. */
    private static List<Kind> oneOther(List<Kind> files, RandomGenerator random) {
        List<Kind> changed = new ArrayList<>(files);
        Kind kind = KINDS[random.nextInt(KINDS.length)];
        if (changed.isEmpty() || random.nextInt(4) == 0) {
            changed.add(kind);
        } else if (random.nextInt(4) == 0) {
            changed.removeLast();
        } else {
            changed.set(random.nextInt(changed.size()), kind);
        }
        return changed;
    }

    private static Outgoing flipBytes(Outgoing message, RandomGenerator random) {
        byte[] bytes = message.bytes().clone();
        for (int flips = random.nextInt(1, 5); flips > 0 && bytes.length > Message.HEADER; flips--) {
            bytes[random.nextInt(Message.HEADER, bytes.length)] = (byte) random.nextInt();
        }
        return message.withBytes(bytes, false);
    }
}
