/* Simulated AirPlay 1 receivers on 127.0.0.1 that note when the kernel got what.

   receivers COUNT TIMING_MS LOSS_PERMILLE RECORDS

   Prints the RTSP port of each receiver, one a line. Every request is answered with
   200. From RECORD on a receiver asks for the time, on average every TIMING_MS, throws
   away LOSS_PERMILLE of the audio packets and asks for them again at once. When its
   standard input ends it writes what it saw to the file RECORDS and exits. */

#define _GNU_SOURCE
#include "common.h"
#include <strings.h>

#define REQUEST_BYTES (1 << 16)
#define BACKLOG 1024

enum source { LISTENER, CONNECTION, AUDIO, CONTROL, TIMING, OWNER };

enum kind { GOT_AUDIO = 1, GOT_TIME, GOT_RESEND, GOT_SYNC, GOT_REQUEST, LOST_AUDIO };

struct record {
    uint32_t kind, receiver;
    int64_t a, b, c, d;
};

struct receiver {
    int listener, connection, audio, control, timing;
    int sender_control, sender_timing, is_recording;
    int64_t next_question;
    int64_t lost[BACKLOG];
    size_t filled;
    char request[REQUEST_BYTES + 1];
};

static struct receiver *receivers;
static int count, timing_ms, loss_permille, events;
static struct record *records;
static size_t record_count, record_room;

static void note(enum kind kind, int i, int64_t a, int64_t b, int64_t c, int64_t d)
{
    if (record_count == record_room) {
        record_room = record_room ? 2 * record_room : 1 << 16;
        records = realloc(records, record_room * sizeof *records);
        if (!records)
            die("realloc");
    }
    records[record_count++] = (struct record){kind, i, a, b, c, d};
}

static void open_receiver(int i)
{
    struct receiver *self = &receivers[i];
    struct sockaddr_in address = local_address(0);
    self->connection = -1;
    self->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (bind(self->listener, (struct sockaddr *)&address, sizeof address) ||
        listen(self->listener, 8))
        die("listen");
    self->audio = open_udp();
    self->control = open_udp();
    self->timing = open_udp();
    int sockets[] = {self->listener, -1, self->audio, self->control, self->timing};
    for (int kind = LISTENER; kind <= TIMING; kind++)
        if (sockets[kind] >= 0)
            watch(events, sockets[kind], (uint64_t)kind << 32 | i);
    printf("%d\n", port_of(self->listener));
}

static void hang_up(struct receiver *self)
{
    if (self->connection >= 0)
        close(self->connection);
    self->connection = -1;
    self->is_recording = 0;
    self->filled = 0;
}

static void answer(struct receiver *self, int i, const char *request)
{
    char response[512], method[32] = "", transport[160] = "";
    const char *sequence = strcasestr(request, "\r\nCSeq:");
    const char *control = strcasestr(request, "control_port=");
    const char *timing = strcasestr(request, "timing_port=");
    sscanf(request, "%31s", method);
    note(GOT_REQUEST, i, clock_ns(CLOCK_REALTIME), method[0], 0, 0);
    if (!strcmp(method, "SETUP")) {
        self->sender_control = control ? atoi(control + 13) : 0;
        self->sender_timing = timing ? atoi(timing + 12) : 0;
        snprintf(transport, sizeof transport,
                 "Transport: RTP/AVP/UDP;unicast;mode=record;server_port=%d;"
                 "control_port=%d;timing_port=%d\r\nSession: 1\r\n",
                 port_of(self->audio), port_of(self->control), port_of(self->timing));
    } else if (!strcmp(method, "RECORD")) {
        self->is_recording = 1;
        self->next_question = clock_ns(CLOCK_REALTIME);
        memset(self->lost, 0, sizeof self->lost);
    }
    int size = snprintf(response, sizeof response,
                        "RTSP/1.0 200 OK\r\nCSeq: %d\r\n%s\r\n",
                        sequence ? atoi(sequence + 7) : 0, transport);
    if (send(self->connection, response, size, MSG_NOSIGNAL) < 0 ||
        !strcmp(method, "TEARDOWN"))
        self->is_recording = 0;
}

static void take_requests(struct receiver *self, int i)
{
    ssize_t got = recv(self->connection, self->request + self->filled,
                       REQUEST_BYTES - self->filled, MSG_DONTWAIT);
    if (got <= 0) {
        if (got == 0 || errno != EAGAIN)
            hang_up(self);
        return;
    }
    self->filled += got;
    for (;;) {
        self->request[self->filled] = 0;
        char *end = strstr(self->request, "\r\n\r\n");
        if (!end)
            return;
        char *length = strcasestr(self->request, "\r\nContent-Length:");
        size_t size = end + 4 - self->request;
        if (length && length < end)
            size += atoi(length + 17);
        if (self->filled < size)
            return;
        answer(self, i, self->request);
        self->filled -= size;
        memmove(self->request, self->request + size, self->filled);
    }
}

static void accept_connection(struct receiver *self, int i)
{
    int connection = accept4(self->listener, NULL, NULL, SOCK_NONBLOCK);
    if (connection < 0)
        return;
    hang_up(self);
    self->connection = connection;
    watch(events, connection, (uint64_t)CONNECTION << 32 | i);
}

static void take_audio(struct receiver *self, int i, const uint8_t *packet, int64_t at)
{
    uint16_t sequence = get16(packet + 2);
    int is_lost = self->is_recording && rand() % 1000 < loss_permille;
    note(is_lost ? LOST_AUDIO : GOT_AUDIO, i, at, sequence, get32(packet + 4), 0);
    if (is_lost) {
        uint8_t request[8] = {0x80, RESEND_REQUEST, 0, 1};
        put16(request + 4, sequence);
        put16(request + 6, 1);
        self->lost[sequence % BACKLOG] = clock_ns(CLOCK_REALTIME);
        send_to(self->control, self->sender_control, request, sizeof request);
    }
}

static void take_control(struct receiver *self, int i, const uint8_t *packet, int64_t at)
{
    if (packet[1] == SYNC) {
        note(GOT_SYNC, i, at, get32(packet + 4), get_ntp(packet + 8), get32(packet + 16));
    } else if (packet[1] == RESEND_REPLY) {
        uint16_t sequence = get16(packet + 6);
        int64_t asked = self->lost[sequence % BACKLOG];
        if (asked)
            note(GOT_RESEND, i, at, sequence, at - asked, 0);
        self->lost[sequence % BACKLOG] = 0;
    }
}

/* Both ends read the same clock, so the offset that a receiver works out is the
   error, but for a constant where the sender's clock is one of its own. */
static void take_time(int i, const uint8_t *packet, int64_t at)
{
    if (packet[1] != TIMING_REPLY)
        return;
    int64_t asked;
    memcpy(&asked, packet + 8, sizeof asked);
    int64_t heard = get_ntp(packet + 16), said = get_ntp(packet + 24);
    int64_t round_trip = at - asked, inside = said - heard;
    int64_t travel = round_trip - (inside > 0 && inside < round_trip ? inside : 0);
    note(GOT_TIME, i, at, round_trip, travel, said + travel / 2 - at);
}

static void ask_for_time(struct receiver *self, int64_t now)
{
    uint8_t request[32] = {0x80, TIMING_REQUEST, 0, 7};
    int64_t stamp = clock_ns(CLOCK_REALTIME);
    memcpy(request + 24, &stamp, sizeof stamp);
    send_to(self->timing, self->sender_timing, request, sizeof request);
    self->next_question = now + (500 + rand() % 1000) * 1000LL * timing_ms;
}

static void take_datagrams(struct receiver *self, enum source source, int i)
{
    int sockets[] = {[AUDIO] = self->audio, [CONTROL] = self->control,
                     [TIMING] = self->timing};
    struct sockaddr_in peer;
    uint8_t packet[2048];
    int64_t at;
    while (receive(sockets[source], packet, sizeof packet, &at, &peer) >= 8) {
        if (source == AUDIO)
            take_audio(self, i, packet, at);
        else if (source == CONTROL)
            take_control(self, i, packet, at);
        else
            take_time(i, packet, at);
    }
}

/* Ask whoever is due and return how long to wait for the next one, in ms. */
static int ask_all(void)
{
    int64_t now = clock_ns(CLOCK_REALTIME), next = now + 20 * SECOND_NS / 1000;
    for (int i = 0; i < count; i++) {
        struct receiver *self = &receivers[i];
        if (!self->is_recording || !self->sender_timing)
            continue;
        if (self->next_question <= now)
            ask_for_time(self, now);
        if (self->next_question < next)
            next = self->next_question;
    }
    return next > now ? (next - now) / 1000000 : 0;
}

static int turn(void)
{
    struct epoll_event ready[64];
    int happened = epoll_wait(events, ready, 64, ask_all());
    for (int k = 0; k < happened; k++) {
        enum source source = ready[k].data.u64 >> 32;
        int i = (uint32_t)ready[k].data.u64;
        char ignored[64];
        if (source == OWNER && read(0, ignored, sizeof ignored) <= 0)
            return 0;
        if (source == LISTENER)
            accept_connection(&receivers[i], i);
        else if (source == CONNECTION)
            take_requests(&receivers[i], i);
        else if (source != OWNER)
            take_datagrams(&receivers[i], source, i);
    }
    return 1;
}

int main(int argc, char **argv)
{
    if (argc != 5 || atoi(argv[1]) < 1 || atoi(argv[1]) > MAX_RECEIVERS)
        return fputs("receivers COUNT TIMING_MS LOSS_PERMILLE RECORDS\n", stderr), 2;
    count = atoi(argv[1]);
    timing_ms = atoi(argv[2]);
    loss_permille = atoi(argv[3]);
    srand(7);
    events = epoll_create1(0);
    receivers = calloc(count, sizeof *receivers);
    for (int i = 0; i < count; i++)
        open_receiver(i);
    fflush(stdout);
    watch(events, 0, (uint64_t)OWNER << 32);
    while (turn())
        ;
    FILE *file = fopen(argv[4], "wb");
    if (!file || fwrite(records, sizeof *records, record_count, file) != record_count)
        die(argv[4]);
    return fclose(file);
}
