// SPDX-License-Identifier: Apache-2.0
package itest.fuzz;

/** Files that go along with a message. */
enum Kind {
    /** Memory that cannot be cut short. */
    SEALED,
    /** Memory whose length changes from session to session. */
    UNSEALED,
    /** More memory than anybody uses. */
    LARGE,
    /** A file without a byte. */
    EMPTY,
    EVENTFD,
    SOCKET
}
