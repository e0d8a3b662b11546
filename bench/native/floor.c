// What a plain C program pays for the work of one media worker: the floor that bench/media.ts compares with.
//
//   floor KIND STREAMS SINK_PORT FOLDER      KIND: receive, record, relay or relay+record
//     stdout  {"ports":[…]}                  ready; ends when stdin does
//
// One thread, a socket for each stream, one epoll that is asked every 5 ms, recvfrom; a relayed packet gets a header of its
// own and leaves by the other socket of its pair, which is connected: of what was tried the cheapest without io_uring
// (docs/performance.md). A recorded packet is decoded to where its RTP timestamp says, in a block of half a second that is
// written when it is full, 16-bit: the same file as ours, but with none of the care for loss, swaps and strangers.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { headerBytes = 12, blockSamples = 4000, wavHeaderBytes = 44, maxEvents = 256, tickNs = 5000000 };

typedef struct {
  int fd, file, started;
  uint32_t ssrc, firstTimestamp, filled, blockAt;
  uint16_t sequence;
  int16_t *block;
} Stream;

static int16_t decoded[256];

static void makeTable(void) {
  for (int code = 0; code < 256; code++) {
    const int u = ~code & 0xff;
    const int magnitude = (((u & 0x0f) << 3) + 0x84) << ((u & 0x70) >> 4);
    decoded[code] = (int16_t)(u & 0x80 ? 0x84 - magnitude : magnitude - 0x84);
  }
}

static uint32_t read32(const uint8_t *at) {
  uint32_t value;
  memcpy(&value, at, 4);
  return ntohl(value);
}

static void record(Stream *stream, const uint8_t *packet, uint32_t length) {
  const uint32_t timestamp = read32(packet + 4);
  if (!stream->started) stream->firstTimestamp = timestamp, stream->started = 1;
  uint32_t position = timestamp - stream->firstTimestamp;
  for (uint32_t i = headerBytes; i < length; i++, position++) {
    if (position < stream->blockAt) continue;
    if (position >= stream->blockAt + blockSamples) {
      if (pwrite(stream->file, stream->block, stream->filled * 2, wavHeaderBytes + stream->blockAt * 2) < 0) exit(2);
      stream->blockAt += blockSamples;
    }
    stream->block[position - stream->blockAt] = decoded[packet[i]];
    stream->filled = position - stream->blockAt + 1;
  }
}

static void relay(Stream *from, const Stream *to, uint8_t *packet, uint32_t length) {
  const uint16_t sequence = htons(from->sequence++);
  const uint32_t ssrc = htonl(from->ssrc);
  memcpy(packet + 2, &sequence, 2);
  memcpy(packet + 8, &ssrc, 4);
  if (send(to->fd, packet, length, 0) < 0 && errno != ECONNREFUSED) exit(3);
}

static void openStream(Stream *stream, uint32_t number, int epoll, const struct sockaddr_in *sink, const char *folder) {
  const int bytes = 256 * 1024;
  struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof own;
  stream->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
  setsockopt(stream->fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
  if (stream->fd < 0 || bind(stream->fd, (struct sockaddr *)&own, length) < 0) exit(4);
  if (sink && connect(stream->fd, (const struct sockaddr *)sink, sizeof *sink) < 0) exit(5);
  getsockname(stream->fd, (struct sockaddr *)&own, &length);
  struct epoll_event event = {.events = EPOLLIN, .data.u32 = number};
  epoll_ctl(epoll, EPOLL_CTL_ADD, stream->fd, &event);
  stream->ssrc = number + 1;
  if (folder) {
    char path[1000];
    snprintf(path, sizeof path, "%s/floor-%u.wav", folder, number);
    stream->file = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0640);
    stream->block = malloc(blockSamples * 2);
    if (stream->file < 0 || !stream->block) exit(6);
  }
  printf("%s%d", number ? "," : "", ntohs(own.sin_port));
}

int main(int argc, char **argv) {
  if (argc < 5) return 1;
  const int records = strstr(argv[1], "record") != NULL, relays = strstr(argv[1], "relay") != NULL;
  const uint32_t count = (uint32_t)atoi(argv[2]);
  const struct sockaddr_in sink = {.sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                                   .sin_port = htons((uint16_t)atoi(argv[3]))};
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  makeTable();
  Stream *streams = calloc(count, sizeof *streams);
  const int epoll = epoll_create1(0);
  printf("{\"ports\":[");
  for (uint32_t i = 0; i < count; i++) openStream(&streams[i], i, epoll, relays ? &sink : NULL, records ? argv[4] : NULL);
  printf("]}\n");
  fflush(stdout);

  static uint8_t packet[2048];
  struct epoll_event events[maxEvents];
  struct sockaddr_in from;
  struct pollfd end = {.fd = 0, .events = POLLIN};
  for (uint64_t ticks = 0; ticks % 20 != 0 || poll(&end, 1, 0) == 0; ticks++) {
    for (int ready; (ready = epoll_wait(epoll, events, maxEvents, 0)) > 0;) {
      for (int i = 0; i < ready; i++) {
        const uint32_t number = events[i].data.u32;
        socklen_t fromLength = sizeof from;
        const ssize_t length = recvfrom(streams[number].fd, packet, sizeof packet, 0, (struct sockaddr *)&from, &fromLength);
        if (length < headerBytes) continue;
        if (records) record(&streams[number], packet, (uint32_t)length);
        if (relays) relay(&streams[number], &streams[number ^ 1], packet, (uint32_t)length);
      }
    }
    nanosleep(&(struct timespec){.tv_nsec = tickNs}, NULL);
  }
  return 0;
}
