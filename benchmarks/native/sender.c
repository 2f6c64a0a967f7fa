/* A minimal sender for comparison: the same work as the sender process's pacing
   thread, done the way open C senders do it (a packet a turn, a send each).

   sender COUNT plain|aes kernel|naive

   Prints its timing and control port for each receiver, reads the audio and control
   port of each, a pair a line, then streams noise until its standard input ends.
   `naive` answers timing requests with one clock read, as libraop does; `kernel` with
   the kernel's receive stamp and a send stamp taken last. */

#define _GNU_SOURCE
#include "common.h"
#include <openssl/evp.h>
#include <sys/timerfd.h>

#define FRAMES 352
#define RATE 44100
#define PCM_BYTES (FRAMES * 4)
#define PAYLOAD_BYTES (PCM_BYTES + 4)
#define DATAGRAM_BYTES (12 + PAYLOAD_BYTES)
#define BACKLOG 1024
#define SONG 64

static int count, timing, control, *audio, *control_ports, is_encrypting, is_naive;
static uint8_t song[SONG][PCM_BYTES], backlog[BACKLOG][DATAGRAM_BYTES];
static uint8_t key[16] = {1}, iv[16] = {2};
static EVP_CIPHER_CTX *cipher;
static int64_t start_monotonic, start_real, sequence;

static int64_t due_after(int64_t packets) { return packets * FRAMES * SECOND_NS / RATE; }

/* ALAC, not compressed: a header of 23 bits, the samples, an end tag of 3 bits. */
static void frame(uint8_t *out, const uint8_t *pcm)
{
    const uint16_t *samples = (const void *)pcm;
    uint16_t carried = 1;
    put16(out, 0x2000);
    for (int i = 0; i < 2 * FRAMES; i++) {
        put16(out + 2 + 2 * i, carried << 9 | samples[i] >> 7);
        carried = samples[i];
    }
    put16(out + 2 + 4 * FRAMES, carried << 9 | 7 << 6);
}

static void make_packet(uint8_t *packet)
{
    packet[0] = 0x80;
    packet[1] = 0x60;
    put16(packet + 2, sequence);
    put32(packet + 4, sequence * FRAMES);
    frame(packet + 12, song[sequence % SONG]);
    if (is_encrypting) {
        uint8_t clear[PAYLOAD_BYTES];
        int whole = PAYLOAD_BYTES / 16 * 16, size;
        memcpy(clear, packet + 12, whole);
        EVP_EncryptInit_ex(cipher, NULL, NULL, NULL, iv);
        EVP_EncryptUpdate(cipher, packet + 12, &size, clear, whole);
    }
}

/* Send what is due and return when the next packet is. */
static int64_t pump(void)
{
    int64_t now = clock_ns(CLOCK_MONOTONIC), due;
    while ((due = start_monotonic + due_after(sequence)) <= now) {
        uint8_t *packet = backlog[sequence % BACKLOG];
        make_packet(packet);
        for (int i = 0; i < count; i++)
            send(audio[i], packet, DATAGRAM_BYTES, 0);
        sequence++;
    }
    return due;
}

static void tell_line(void)
{
    uint8_t packet[20] = {0x80, SYNC, 0, 7};
    uint32_t rtptime = sequence * FRAMES + HIDDEN_LATENCY;
    put32(packet + 4, rtptime - RATE);
    put_ntp(packet + 8, start_real + due_after(sequence));
    put32(packet + 16, rtptime);
    for (int i = 0; i < count; i++)
        send_to(control, control_ports[i], packet, sizeof packet);
}

static void answer_timing(void)
{
    struct sockaddr_in peer;
    uint8_t packet[128];
    int64_t arrival;
    while (receive(timing, packet, sizeof packet, &arrival, &peer) >= 32) {
        int64_t heard = is_naive ? clock_ns(CLOCK_REALTIME) : arrival;
        packet[1] = TIMING_REPLY;
        memcpy(packet + 8, packet + 24, 8);
        put_ntp(packet + 16, heard);
        put_ntp(packet + 24, is_naive ? heard : clock_ns(CLOCK_REALTIME));
        send_to(timing, ntohs(peer.sin_port), packet, 32);
    }
}

static void send_again(void)
{
    struct sockaddr_in peer;
    uint8_t request[128], reply[4 + DATAGRAM_BYTES] = {0x80, RESEND_REPLY};
    int64_t arrival;
    while (receive(control, request, sizeof request, &arrival, &peer) >= 8) {
        uint16_t first = get16(request + 4), wanted = get16(request + 6);
        for (uint16_t i = 0; i < wanted; i++) {
            uint16_t lost = first + i;
            put16(reply + 2, lost);
            memcpy(reply + 4, backlog[lost % BACKLOG], DATAGRAM_BYTES);
            send_to(control, ntohs(peer.sin_port), reply, sizeof reply);
        }
    }
}

static void set_up(void)
{
    timing = open_udp();
    control = open_udp();
    audio = calloc(count, sizeof *audio);
    control_ports = calloc(count, sizeof *control_ports);
    cipher = EVP_CIPHER_CTX_new();
    EVP_EncryptInit_ex(cipher, EVP_aes_128_cbc(), NULL, key, iv);
    for (size_t i = 0; i < sizeof song; i++)
        ((uint8_t *)song)[i] = rand();
}

static void meet_receivers(void)
{
    for (int i = 0; i < count; i++) {
        int port;
        if (scanf("%d %d", &port, &control_ports[i]) != 2)
            exit(1);
        struct sockaddr_in address = local_address(port);
        audio[i] = open_udp();
        connect(audio[i], (struct sockaddr *)&address, sizeof address);
    }
    start_monotonic = clock_ns(CLOCK_MONOTONIC) + SECOND_NS / 20;
    start_real = clock_ns(CLOCK_REALTIME) + SECOND_NS / 20;
}

int main(int argc, char **argv)
{
    if (argc != 4)
        return fputs("sender COUNT plain|aes kernel|naive\n", stderr), 2;
    count = atoi(argv[1]);
    is_encrypting = !strcmp(argv[2], "aes");
    is_naive = !strcmp(argv[3], "naive");
    set_up();
    for (int i = 0; i < count; i++)
        printf("%d %d\n", port_of(timing), port_of(control));
    fflush(stdout);
    meet_receivers();
    int timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK), events = epoll_create1(0);
    int sources[] = {timing, control, timer, 0};
    for (int i = 0; i < 4; i++)
        watch(events, sources[i], sources[i]);
    for (int64_t told = -1;;) {
        int64_t due = pump(), second = due / SECOND_NS;
        if (second != told)
            tell_line();
        told = second;
        struct itimerspec alarm = {.it_value = {due / SECOND_NS, due % SECOND_NS}};
        timerfd_settime(timer, TFD_TIMER_ABSTIME, &alarm, NULL);
        struct epoll_event ready[4];
        int happened = epoll_wait(events, ready, 4, -1);
        for (int k = 0; k < happened; k++) {
            char ignored[64];
            int fd = ready[k].data.u64;
            if (fd == timing)
                answer_timing();
            else if (fd == control)
                send_again();
            else if (read(fd, ignored, sizeof ignored) <= 0 && fd == 0)
                return 0;
        }
    }
}
