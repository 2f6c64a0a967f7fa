/* What the simulated receivers and the reference sender share. */

#ifndef BENCHMARKS_COMMON_H
#define BENCHMARKS_COMMON_H

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define SECOND_NS 1000000000LL
#define NTP_EPOCH 2208988800LL
#define HIDDEN_LATENCY 11025
#define MAX_RECEIVERS 1024

enum packet_type {
    TIMING_REQUEST = 0xd2,
    TIMING_REPLY = 0xd3,
    SYNC = 0xd4,
    RESEND_REQUEST = 0xd5,
    RESEND_REPLY = 0xd6,
};

static inline int64_t clock_ns(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return now.tv_sec * SECOND_NS + now.tv_nsec;
}

static inline void die(const char *what)
{
    perror(what);
    exit(1);
}

static inline uint16_t get16(const uint8_t *p) { return p[0] << 8 | p[1]; }

static inline uint32_t get32(const uint8_t *p)
{
    return (uint32_t)get16(p) << 16 | get16(p + 2);
}

static inline void put16(uint8_t *p, uint16_t value)
{
    p[0] = value >> 8;
    p[1] = value;
}

static inline void put32(uint8_t *p, uint32_t value)
{
    put16(p, value >> 16);
    put16(p + 2, value);
}

static inline int64_t get_ntp(const uint8_t *p)
{
    int64_t fraction = (int64_t)get32(p + 4) * SECOND_NS >> 32;
    return ((int64_t)get32(p) - NTP_EPOCH) * SECOND_NS + fraction;
}

static inline void put_ntp(uint8_t *p, int64_t unix_ns)
{
    put32(p, unix_ns / SECOND_NS + NTP_EPOCH);
    put32(p + 4, ((unix_ns % SECOND_NS) << 32) / SECOND_NS);
}

static inline struct sockaddr_in local_address(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

static inline int port_of(int fd)
{
    struct sockaddr_in address;
    socklen_t size = sizeof address;
    getsockname(fd, (struct sockaddr *)&address, &size);
    return ntohs(address.sin_port);
}

static inline int open_udp(void)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    int on = 1, size = 4 << 20;
    setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    struct sockaddr_in address = local_address(0);
    if (bind(fd, (struct sockaddr *)&address, sizeof address))
        die("bind");
    return fd;
}

static inline void send_to(int fd, int port, const void *packet, size_t size)
{
    struct sockaddr_in address = local_address(port);
    sendto(fd, packet, size, 0, (struct sockaddr *)&address, sizeof address);
}

/* Receive a datagram and the kernel's stamp of its arrival; -1 when there is none. */
static inline ssize_t receive(int fd, uint8_t *packet, size_t size, int64_t *arrival,
                              struct sockaddr_in *peer)
{
    uint8_t control[128];
    struct iovec body = {packet, size};
    struct msghdr message = {.msg_name = peer, .msg_namelen = sizeof *peer,
                             .msg_iov = &body, .msg_iovlen = 1,
                             .msg_control = control, .msg_controllen = sizeof control};
    ssize_t got = recvmsg(fd, &message, MSG_DONTWAIT);
    *arrival = 0;
    if (got < 0)
        return -1;
    for (struct cmsghdr *each = CMSG_FIRSTHDR(&message); each;
         each = CMSG_NXTHDR(&message, each))
        if (each->cmsg_level == SOL_SOCKET && each->cmsg_type == SO_TIMESTAMPNS) {
            struct timespec stamp;
            memcpy(&stamp, CMSG_DATA(each), sizeof stamp);
            *arrival = stamp.tv_sec * SECOND_NS + stamp.tv_nsec;
        }
    return got;
}

static inline void watch(int epoll, int fd, uint64_t tag)
{
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = tag};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event))
        die("epoll_ctl");
}

#endif
