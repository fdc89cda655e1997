// SPDX-License-Identifier: Apache-2.0
//
// The two ends of the socket bench that are not the server under test.
//
//   socketbench echo SOCKET
//       the limit: takes one connection after the other. The first 8 bytes of one say how many bytes make a request and how many an
//       answer; from then on it receives into one buffer and sends from one buffer, and looks at neither.
//   socketbench client echo|vfio KIND COUNT SOCKET...
//       sends prebuilt messages over one connection to each socket, one request outstanding on each, until COUNT were answered in all,
//       and prints one line of key=value. After connecting and warming up it says `warm` and waits for a line, after its report for the
//       end of its input, so that the processor time of both ends can be read around just the messages. To an echo it sends the same bytes as to a server. With one socket it waits in the receive,
//       with several, or one and KIND prefixed by '+', in epoll.
//
// KIND is read4, write4, posted (64 writes without reply, then a read), read4k, read64k or read1m.
#define _GNU_SOURCE
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { BUFFER = (1 << 20) + 4096, MOST_SOCKETS = 256, POSTED = 64, WARM_UP = 500 };

// The header of a message and what a region access has behind it, in host order.
struct header {
    uint16_t id, command;
    uint32_t size, flags, error;
};
struct access {
    uint64_t offset;
    uint32_t region, count;
};
enum { VERSION = 1, REGION_READ = 9, REGION_WRITE = 10, NO_REPLY = 0x10, BAR2 = 2 };

static char in[BUFFER], out[BUFFER], control[512];

static void fail(const char *what) {
    fprintf(stderr, "socketbench: %s: %s\n", what, strerror(errno));
    exit(1);
}

static int unix_socket(const char *path, struct sockaddr_un *address) {
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        fail("socket");
    }
    memset(address, 0, sizeof *address);
    address->sun_family = AF_UNIX;
    strncpy(address->sun_path, path, sizeof address->sun_path - 1);
    return fd;
}

static ssize_t receive(int fd) {
    struct iovec memory = {in, sizeof in};
    struct msghdr message = {.msg_iov = &memory, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    ssize_t got = recvmsg(fd, &message, 0);
    if (got < 0) {
        fail("recvmsg");
    }
    return got;
}

static void send_all(int fd, const char *from, size_t size) {
    for (size_t sent = 0; sent < size;) {
        struct iovec memory = {(void *) (from + sent), size - sent};
        struct msghdr message = {.msg_iov = &memory, .msg_iovlen = 1};
        ssize_t count = sendmsg(fd, &message, MSG_NOSIGNAL);
        if (count < 0) {
            if (errno == EPIPE || errno == ECONNRESET) {
                return;
            }
            fail("sendmsg");
        }
        sent += count;
    }
}

static int echo(const char *path) {
    struct sockaddr_un address;
    // Memory that was never written is one page of zeros over and over, which is read out of the first cache.
    memset(out + sizeof(struct header), 0x5a, sizeof out - sizeof(struct header));
    int listening = unix_socket(path, &address);
    unlink(path);
    if (bind(listening, (struct sockaddr *) &address, sizeof address) || listen(listening, 16)) {
        fail(path);
    }
    puts("ready");
    fflush(stdout);
    int fd;
    while ((fd = accept4(listening, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
        // As much room as the server gives itself.
        int room = sizeof out;
        setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
        uint32_t sizes[2];
        if (recv(fd, sizes, sizeof sizes, MSG_WAITALL) == sizeof sizes) {
            size_t have = 0;
            ssize_t got;
            while ((got = receive(fd)) > 0) {
                for (have += got; have >= sizes[0]; have -= sizes[0]) {
                    send_all(fd, out, sizes[1]);
                }
            }
        }
        close(fd);
    }
    return 0;
}

// What a client sends for one answer.
static char request[BUFFER];
static size_t request_bytes, answer_bytes;
static int messages = 1, sends_posted;

static void append(uint16_t command, uint32_t flags, uint32_t count, uint32_t data) {
    struct header header = {7, command, sizeof header + sizeof(struct access) + data, flags, 0};
    struct access access = {0x100, BAR2, count};
    memcpy(request + request_bytes, &header, sizeof header);
    memcpy(request + request_bytes + sizeof header, &access, sizeof access);
    request_bytes += header.size;
}

static void prepare(const char *kind) {
    uint32_t read = !strcmp(kind, "read4k") ? 4096 : !strcmp(kind, "read64k") ? 65536 : !strcmp(kind, "read1m") ? 1 << 20 : 4;
    if (!strcmp(kind, "write4")) {
        append(REGION_WRITE, 0, 4, 4);
        answer_bytes = sizeof(struct header) + sizeof(struct access);
        return;
    }
    if (!strcmp(kind, "posted")) {
        for (int i = 0; i < POSTED; i++) {
            append(REGION_WRITE, NO_REPLY, 4, 4);
        }
        messages += POSTED;
        sends_posted = 1;
    }
    append(REGION_READ, 0, read, 0);
    answer_bytes = sizeof(struct header) + sizeof(struct access) + read;
}

// As many sends as there are messages.
static void ask(int fd) {
    size_t at = 0;
    if (sends_posted) {
        size_t each = sizeof(struct header) + sizeof(struct access) + 4;
        for (int i = 0; i < POSTED; i++, at += each) {
            send_all(fd, request + at, each);
        }
    }
    send_all(fd, request + at, request_bytes - at);
}

static int join(const char *path, int echoes) {
    struct sockaddr_un address;
    int fd = unix_socket(path, &address);
    if (connect(fd, (struct sockaddr *) &address, sizeof address)) {
        fail(path);
    }
    if (echoes) {
        uint32_t sizes[2] = {request_bytes, answer_bytes};
        send_all(fd, (char *) sizes, sizeof sizes);
        return fd;
    }
    const char json[] = "{\"capabilities\":{\"max_msg_fds\":8}}";
    char hello[256];
    struct header header = {1, VERSION, sizeof header + 4 + sizeof json, 0, 0};
    memset(hello, 0, sizeof hello);
    memcpy(hello, &header, sizeof header);
    // major 0, minor 1: the oldest version that is spoken.
    hello[sizeof header + 2] = 1;
    memcpy(hello + sizeof header + 4, json, sizeof json);
    send_all(fd, hello, header.size);
    if (receive(fd) < (ssize_t) sizeof header || ((struct header *) in)->error) {
        fprintf(stderr, "socketbench: %s refused VERSION: error=%u\n", path, ((struct header *) in)->error);
        exit(1);
    }
    return fd;
}

static uint64_t clock_nanos(clockid_t clock) {
    struct timespec time;
    clock_gettime(clock, &time);
    return time.tv_sec * 1000000000ull + time.tv_nsec;
}

static uint64_t now(void) {
    return clock_nanos(CLOCK_MONOTONIC);
}

static int ascending(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *) a, y = *(const uint64_t *) b;
    return (x > y) - (x < y);
}

struct peer {
    int fd;
    size_t have;
    uint64_t asked;
    long answers;
};
static struct peer peers[MOST_SOCKETS];
static int peer_count, waits_in_epoll;
static uint64_t *latencies;

static int take(struct peer *peer) {
    ssize_t got = receive(peer->fd);
    if (got == 0) {
        errno = EPIPE;
        fail("end of file");
    }
    if (peer->have == 0 && got >= (ssize_t) sizeof(struct header) && ((struct header *) in)->error) {
        errno = ((struct header *) in)->error;
        fail("answered with an error");
    }
    peer->have += got;
    if (peer->have < answer_bytes) {
        return 0;
    }
    peer->have = 0;
    peer->answers++;
    return 1;
}

static void run_one(long count) {
    for (long i = 0; i < count; i++) {
        ask(peers[0].fd);
        while (!take(&peers[0])) {
        }
    }
}

static long run_many(int epoll, long count) {
    struct epoll_event events[MOST_SOCKETS];
    long done = 0, asked = 0;
    for (int i = 0; i < peer_count && asked < count; i++, asked++) {
        peers[i].asked = now();
        ask(peers[i].fd);
    }
    while (done < asked) {
        int ready = epoll_wait(epoll, events, MOST_SOCKETS, -1);
        for (int i = 0; i < ready; i++) {
            struct peer *peer = events[i].data.ptr;
            if (take(peer)) {
                uint64_t time = now();
                latencies[done++] = time - peer->asked;
                if (asked < count) {
                    asked++;
                    peer->asked = time;
                    ask(peer->fd);
                }
            }
        }
    }
    return done;
}

static uint64_t started, started_cpu;

static void start(void) {
    char line[16];
    puts("warm");
    fflush(stdout);
    if (!fgets(line, sizeof line, stdin)) {
        exit(1);
    }
    started_cpu = clock_nanos(CLOCK_PROCESS_CPUTIME_ID);
    started = now();
}

static void report(long count) {
    uint64_t nanos = now() - started, cpu = clock_nanos(CLOCK_PROCESS_CPUTIME_ID) - started_cpu;
    printf("messages=%ld nanos=%.1f cpu=%.1f", count * messages, (double) nanos / count / messages, (double) cpu / count / messages);
    if (waits_in_epoll) {
        qsort(latencies, count, sizeof *latencies, ascending);
        long least = peers[0].answers;
        for (int i = 1; i < peer_count; i++) {
            least = peers[i].answers < least ? peers[i].answers : least;
        }
        printf(" least=%.3f p50=%.1f p99=%.1f p999=%.1f", (double) least * peer_count / count, latencies[count / 2] / 1e3,
               latencies[count * 99 / 100] / 1e3, latencies[count * 999 / 1000] / 1e3);
    }
    putchar('\n');
    fflush(stdout);
    while (getchar() != EOF) {
    }
}

static int client(int echoes, const char *kind, long count, char **paths, int path_count) {
    waits_in_epoll = path_count > 1 || *kind == '+';
    prepare(kind + (*kind == '+'));
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    peer_count = path_count;
    for (int i = 0; i < path_count; i++) {
        peers[i].fd = join(paths[i], echoes);
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = &peers[i]};
        epoll_ctl(epoll, EPOLL_CTL_ADD, peers[i].fd, &event);
    }
    long warm_up = count < WARM_UP ? count / 10 + 1 : WARM_UP;
    latencies = malloc((count > WARM_UP ? count : WARM_UP) * sizeof *latencies);
    memset(latencies, 1, (count > WARM_UP ? count : WARM_UP) * sizeof *latencies);
    if (waits_in_epoll) {
        run_many(epoll, warm_up);
        for (int i = 0; i < peer_count; i++) {
            peers[i].answers = 0;
        }
        start();
        run_many(epoll, count);
        report(count);
    } else {
        run_one(warm_up);
        start();
        run_one(count);
        report(count);
    }
    return 0;
}

int main(int argc, char **argv) {
    if (argc == 3 && !strcmp(argv[1], "echo")) {
        return echo(argv[2]);
    }
    if (argc > 5 && argc - 5 <= MOST_SOCKETS && !strcmp(argv[1], "client") && atol(argv[4]) > 0) {
        return client(!strcmp(argv[2], "echo"), argv[3], atol(argv[4]), argv + 5, argc - 5);
    }
    fprintf(stderr, "usage: socketbench echo SOCKET | client echo|vfio KIND COUNT SOCKET...\n");
    return 2;
}
