// Sends the packets of many RTP streams evenly, and takes what comes back: the generator of bench/media.ts and
// bench/siprec-load. All streams leave from one address and port.
//
//   load --seconds S [--stamp] [--raw]
//     stdout  {"port":P}                                   the socket, on 127.0.0.1
//     stdin   IP PORT SSRC SEQUENCE TIMESTAMP               a line for each stream, then an empty one: begin
//     stdout  {"sent":…,"lateP99Ms":…,"lateMaxMs":…,"returned":…,"delayP50Ms":…,"delayP99Ms":…,"delayMaxMs":…}
//
// Each stream has 50 packets a second of 20 ms of PCMU; the streams are spread over those 20 ms. Payloads are those of
// bench/siprec-load/payload.ts, the stream's number being that of its line. With --stamp the first 8 bytes of a payload are
// the moment it was sent, and what comes back tells how long it was on its way. Late is a packet that left after its time.
// With --raw packets are put straight on the loopback interface, which costs a fifth to a third less: as root, in a network
// namespace of one's own that lets them in (bench/isolate.ts).
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>

enum { headerBytes = 12, frameBytes = 160, packetBytes = headerBytes + frameBytes, batch = 64, slots = 100000 };
// Of Ethernet, IPv4 and UDP: before the packet when it is sent raw.
enum { etherBytes = 14, ipBytes = 20, udpBytes = 8, rawBytes = etherBytes + ipBytes + udpBytes };

typedef struct {
  struct sockaddr_in to;
  uint32_t ssrc, sequence, timestamp;
} Stream;

static int fd, rawFd = -1;
static struct sockaddr_in own = {.sin_family = AF_INET};
static int stamped;
// Delays of what is sent from here on count.
static uint64_t settledAt;
static atomic_int finished;
static _Atomic uint64_t returned;
// By tenths of a millisecond.
static uint32_t late[slots], delays[slots];
static uint64_t stampsSeen;

static uint64_t nowNs(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void sleepUntil(uint64_t ns) {
  struct timespec t = {.tv_sec = (time_t)(ns / 1000000000u), .tv_nsec = (long)(ns % 1000000000u)};
  clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
}

static void note(uint32_t *counts, uint64_t ns) {
  const uint64_t slot = ns / 100000;
  counts[slot < slots ? slot : slots - 1]++;
}

static double percentile(const uint32_t *counts, uint64_t total, double part) {
  uint64_t seen = 0;
  for (int i = 0; i < slots; i++) {
    seen += counts[i];
    if (seen > 0 && (double)seen >= (double)total * part) return (i + 1) / 10.0;
  }
  return 0;
}

// As payload.ts: xorshift32, seeded by stream and packet.
static void fillPayload(uint32_t stream, uint32_t packet, uint8_t *into) {
  uint32_t state = ((stream + 1) * 2654435761u) ^ (packet * 40503u + 1);
  if (state == 0) state = 1;
  for (int i = 0; i < frameBytes; i += 4) {
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    memcpy(into + i, &state, 4);
  }
}

static void fillPacket(const Stream *stream, uint32_t number, uint32_t packet, uint8_t *into) {
  const uint16_t sequence = htons((uint16_t)(stream->sequence + packet));
  const uint32_t timestamp = htonl(stream->timestamp + packet * frameBytes);
  const uint32_t ssrc = htonl(stream->ssrc);
  into[0] = 0x80;
  into[1] = packet == 0 ? 0x80 : 0;
  memcpy(into + 2, &sequence, 2);
  memcpy(into + 4, &timestamp, 4);
  memcpy(into + 8, &ssrc, 4);
  fillPayload(number, packet, into + headerBytes);
  if (!stamped) return;
  const uint64_t now = nowNs();
  memcpy(into + headerBytes, &now, sizeof now);
}

static void put16(uint8_t *at, uint32_t value) {
  at[0] = (uint8_t)(value >> 8);
  at[1] = (uint8_t)value;
}

// All but the packet itself. UDP goes without a checksum (RFC 768).
static void fillRawHeader(const Stream *stream, uint8_t *into) {
  uint8_t *ip = into + etherBytes, *udp = ip + ipBytes;
  memset(into, 0, rawBytes);
  put16(into + 12, ETH_P_IP);
  ip[0] = 0x45;
  put16(ip + 2, ipBytes + udpBytes + packetBytes);
  ip[8] = 64;
  ip[9] = IPPROTO_UDP;
  memcpy(ip + 12, &own.sin_addr, 4);
  memcpy(ip + 16, &stream->to.sin_addr, 4);
  uint32_t sum = 0;
  for (int i = 0; i < ipBytes; i += 2) sum += (uint32_t)(ip[i] << 8 | ip[i + 1]);
  sum = (sum & 0xffff) + (sum >> 16);
  put16(ip + 10, ~(sum + (sum >> 16)));
  memcpy(udp, &own.sin_port, 2);
  memcpy(udp + 2, &stream->to.sin_port, 2);
  put16(udp + 4, udpBytes + packetBytes);
}

static int openRaw(void) {
  const int raw = socket(AF_PACKET, SOCK_RAW, 0);
  const int one = 1;
  struct sockaddr_ll at = {.sll_family = AF_PACKET, .sll_ifindex = (int)if_nametoindex("lo")};
  if (raw < 0 || bind(raw, (struct sockaddr *)&at, sizeof at) < 0) return -1;
  setsockopt(raw, SOL_PACKET, PACKET_QDISC_BYPASS, &one, sizeof one);
  return raw;
}

// Takes what comes back every millisecond: whoever sends it pays for no wake-up of ours.
static void *takeReturned(void *unused) {
  static uint8_t buffers[batch][2048];
  struct iovec parts[batch];
  struct mmsghdr messages[batch];
  prctl(PR_SET_TIMERSLACK, 1);
  for (uint64_t next = nowNs(); !atomic_load(&finished); sleepUntil(next += 1000000)) {
    for (;;) {
      for (int i = 0; i < batch; i++) {
        parts[i] = (struct iovec){buffers[i], sizeof buffers[i]};
        messages[i] = (struct mmsghdr){.msg_hdr = {.msg_iov = &parts[i], .msg_iovlen = 1}};
      }
      const int count = recvmmsg(fd, messages, batch, MSG_DONTWAIT, NULL);
      const uint64_t now = nowNs();
      for (int i = 0; i < count; i++) {
        if (messages[i].msg_len != packetBytes) continue; // RTCP
        returned++;
        uint64_t sent;
        memcpy(&sent, buffers[i] + headerBytes, sizeof sent);
        if (stamped && now >= sent && sent >= settledAt) {
          note(delays, now - sent);
          stampsSeen++;
        }
      }
      if (count < batch) break;
    }
  }
  return unused;
}

static void sendAll(const Stream *streams, uint32_t count, uint32_t packetsEach) {
  static uint8_t buffers[batch][rawBytes + packetBytes];
  const int raw = rawFd >= 0;
  struct iovec parts[batch];
  struct mmsghdr messages[batch] = {0};
  const uint64_t total = (uint64_t)count * packetsEach;
  const double nsAPacket = 20e6 / count;
  const uint64_t start = nowNs();
  uint32_t stream = 0, packet = 0;
  for (uint64_t sent = 0; sent < total;) {
    const uint64_t now = nowNs();
    uint64_t due = (uint64_t)((double)(now - start) / nsAPacket) + 1;
    if (due > total) due = total;
    if (sent >= due) {
      sleepUntil(now + 500000);
      continue;
    }
    int size = 0;
    for (; size < batch && sent + (uint64_t)size < due; size++) {
      note(late, now - start - (uint64_t)((double)(sent + (uint64_t)size) * nsAPacket));
      const Stream *to = &streams[stream];
      fillPacket(to, stream, packet, buffers[size] + rawBytes);
      if (raw) fillRawHeader(to, buffers[size]);
      parts[size] = raw ? (struct iovec){buffers[size], sizeof buffers[size]}
                        : (struct iovec){buffers[size] + rawBytes, packetBytes};
      messages[size].msg_hdr = (struct msghdr){.msg_iov = &parts[size], .msg_iovlen = 1};
      if (!raw) {
        messages[size].msg_hdr.msg_name = (void *)&to->to;
        messages[size].msg_hdr.msg_namelen = sizeof to->to;
      }
      if (++stream == count) stream = 0, packet++;
    }
    // A refusal (ICMP of a port that is closed) is of one message: the rest is sent by the next call.
    for (int done = 0; done < size;) {
      const int gone = sendmmsg(raw ? rawFd : fd, messages + done, (unsigned)(size - done), 0);
      done += gone > 0 ? gone : 1;
    }
    sent += (uint64_t)size;
  }
}

int main(int argc, char **argv) {
  double seconds = 5, settle = 0;
  for (int i = 1; i < argc; i++) {
    if (strcmp(argv[i], "--stamp") == 0) stamped = 1;
    if (strcmp(argv[i], "--settle") == 0 && i + 1 < argc) settle = atof(argv[++i]);
    if (strcmp(argv[i], "--raw") == 0) rawFd = openRaw();
    if (strcmp(argv[i], "--seconds") == 0 && i + 1 < argc) seconds = atof(argv[++i]);
  }
  fd = socket(AF_INET, SOCK_DGRAM, 0);
  own.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof own;
  const int bytes = 64 << 20;
  if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes) < 0)
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
  if (bind(fd, (struct sockaddr *)&own, sizeof own) < 0 || getsockname(fd, (struct sockaddr *)&own, &length) < 0) return 1;
  printf("{\"port\":%d}\n", ntohs(own.sin_port));
  fflush(stdout);

  Stream *streams = NULL;
  uint32_t count = 0;
  char line[200], ip[64];
  unsigned port, ssrc, sequence, timestamp;
  while (fgets(line, sizeof line, stdin)) {
    if (sscanf(line, "%63s %u %u %u %u", ip, &port, &ssrc, &sequence, &timestamp) != 5) break;
    if ((count & (count - 1)) == 0) streams = realloc(streams, sizeof *streams * (count ? 2 * count : 1));
    if (!streams) return 1;
    streams[count] = (Stream){.ssrc = ssrc, .sequence = sequence, .timestamp = timestamp};
    streams[count].to.sin_family = AF_INET;
    streams[count].to.sin_port = htons((uint16_t)port);
    inet_pton(AF_INET, ip, &streams[count++].to.sin_addr);
  }
  if (count == 0) return 1;
  prctl(PR_SET_TIMERSLACK, 1);
  pthread_t taker;
  settledAt = nowNs() + (uint64_t)(settle * 1e9);
  pthread_create(&taker, NULL, takeReturned, NULL);
  const uint32_t packetsEach = (uint32_t)(seconds * 50);
  sendAll(streams, count, packetsEach);
  // What is still on its way: until nothing has come back for half a second.
  for (uint64_t seen = UINT64_MAX; seen != atomic_load(&returned);) {
    seen = atomic_load(&returned);
    sleepUntil(nowNs() + 500000000u);
  }
  atomic_store(&finished, 1);
  pthread_join(taker, NULL);
  const uint64_t sent = (uint64_t)count * packetsEach;
  printf("{\"sent\":%llu,\"lateP99Ms\":%.1f,\"lateMaxMs\":%.1f,\"returned\":%llu,\"delayP50Ms\":%.1f,\"delayP99Ms\":%.1f,"
         "\"delayMaxMs\":%.1f}\n",
         (unsigned long long)sent, percentile(late, sent, 0.99), percentile(late, sent, 1), (unsigned long long)atomic_load(&returned),
         percentile(delays, stampsSeen, 0.5), percentile(delays, stampsSeen, 0.99), percentile(delays, stampsSeen, 1));
  return 0;
}
