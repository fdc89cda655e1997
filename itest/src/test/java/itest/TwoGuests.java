// SPDX-License-Identifier: Apache-2.0
package itest;

import itest.iavf.Doorbells;
import itest.iavf.DriverOptions;
import java.nio.file.Path;

/** Two guests on functions that a runtime of its own serves, by hand: {@code TwoGuests SOCKET SOCKET FRAMES [MAPPED|POSTED]}. */
final class TwoGuests {
    private TwoGuests() {
    }

    /** Sends so many frames each way, checks them, and prints how fast that was. */
    public static void main(String[] args) throws Exception {
        Doorbells doorbells = args.length > 3 ? Doorbells.valueOf(args[3]) : Doorbells.MAPPED;
        DriverOptions options = DriverOptions.DEFAULT.with(doorbells);
        try (GuestVf one = GuestVf.start(Path.of(args[0]), options); GuestVf other = GuestVf.start(Path.of(args[1]), options)) {
            Traffic.Result result = new Traffic(one.driver(), other.driver()).bothWays(Long.parseLong(args[2]));
            System.out.printf("%s and %s: %d frames, %.0f a second%n", one.driver().mac(), other.driver().mac(), result.frames(),
                result.framesPerSecond());
            one.driver().stop();
            other.driver().stop();
        }
    }
}
