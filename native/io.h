// Packet input and output of one media worker: many UDP sockets, one epoll, one block of memory shared with JavaScript.
//
//   src/media/worker/io/io-native.ts  ─▶  media-io.cc  ── open, aim, poll, send, close ─▶  here  ── epoll, recvmsg, sendto ─▶  kernel
//
// poll() takes what has come into slots of the shared block and describes it there; send() sends what JavaScript described
// there. So a batch of packets costs one call, and no object is made for any of them. There are no threads and no globals:
// a worker has its own Io, and its end closes the sockets.
//
// Two ways to trouble JavaScript, and its caches, less often than once a packet:
//   - an eased socket, whose packets nobody waits for (a recording), is looked at in its turn and not when something comes:
//     then it holds several packets, which are taken together;
//   - a pass: packets like the one before, of the same stream from the same source, leave at once by another socket with the
//     numbers JavaScript would have given them. JavaScript is handed copies of them, some at a time, and does with them all
//     that it does with others but for sending. What is not alike ends the pass, and finds JavaScript informed of all before it.
//
// The block, in bytes; io-native.ts has the same layout:
//   0             received: (slots + reserved) * slotBytes; the last are for drain()
//   sentAt        sent: bytes that JavaScript copied here
//   receivedAt    int32[slots + reserved][5]: socket (-1: nothing for anybody), length, flags, the port of the source, and how
//                 long ago the kernel took it, µs
//   toSendAt      int32[][3]: socket, offset in the block, length
//   passAt        int32[10]: the arguments of pass()
//   momentAt      float64: when the last poll() or drain() began, ms of the monotonic clock
#pragma once
#include "pass.h"
#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <linux/sock_diag.h>
#include <memory>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include <vector>


constexpr uint32_t slots = 64;
constexpr uint32_t slotBytes = 2048;
// For drain(), which may be called while the others are handled: both directions of a call.
constexpr uint32_t reserved = 2 * keptPackets;
constexpr uint32_t sentBytes = 128 * 1024;
constexpr uint32_t maxSent = 256;
constexpr uint32_t sentAt = (slots + reserved) * slotBytes;
constexpr uint32_t receivedAt = sentAt + sentBytes;
constexpr uint32_t receivedWords = 5;
constexpr uint32_t toSendAt = receivedAt + (slots + reserved) * receivedWords * sizeof(int32_t);
constexpr uint32_t passAt = toSendAt + maxSent * 3 * sizeof(int32_t);
constexpr uint32_t passWords = 10;
constexpr uint32_t momentAt = passAt + passWords * sizeof(int32_t);
constexpr uint32_t blockBytes = momentAt + sizeof(double);
static_assert(momentAt % sizeof(double) == 0);

// Flags of a packet.
constexpr int32_t sourceChanged = 1; // it is not that of the socket's packet before
constexpr int32_t passedOn = 2;      // it has left already

// Taken at once from an eased socket.
constexpr uint32_t mostAtOnce = 16;
constexpr uint32_t mostRounds = 16;

// No packet waits for longer in the buffer of a socket: whoever says so has set the clock of the machine.
constexpr int64_t longestWaitUs = 60000000;

// Rounds of one poll in which sockets had errors instead of packets, before it returns.
constexpr int maxIdleRounds = 4;

struct Socket {
  int fd = -1;
  int family = AF_INET;
  // Bound to `::`: IPv4 comes in mapped.
  bool takesMapped = false;
  bool aimed = false;
  // Not in the epoll: its place among those that are looked at in their turn.
  bool eased = false;
  uint32_t turn = 0;
  Address source = {};
  Address target = {};
  std::unique_ptr<Pass> pass;
  // Whose pass ends here.
  uint32_t passedFrom = nobody;
};

// The system calls of each packet, past libc: there they are points at which a thread may be cancelled, which costs more than
// all else that libc does for them.
inline ssize_t receiveOne(int fd, msghdr *message) { return syscall(SYS_recvmsg, fd, message, MSG_TRUNC); }

inline int receiveMany(int fd, mmsghdr *messages, uint32_t most) {
  return static_cast<int>(syscall(SYS_recvmmsg, fd, messages, most, MSG_TRUNC, nullptr));
}

inline ssize_t sendTo(int fd, const uint8_t *bytes, uint32_t length, const Address &to) {
  return syscall(SYS_sendto, fd, bytes, size_t{length}, 0, &to.any, lengthOf(to));
}

struct Counters {
  double oversized = 0;
  double unsent = 0;
  // By the kernel, for want of room in a socket's buffer; of sockets that are closed.
  double dropped = 0;
};

inline int64_t microseconds(const timespec &time) { return int64_t{time.tv_sec} * 1000000 + time.tv_nsec / 1000; }

// When the kernel took this message; now where it does not tell.
inline int64_t takenAt(msghdr &message, int64_t nowUs) {
  for (cmsghdr *part = CMSG_FIRSTHDR(&message); part; part = CMSG_NXTHDR(&message, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SO_TIMESTAMPNS) continue;
    timespec taken;
    memcpy(&taken, CMSG_DATA(part), sizeof taken);
    return microseconds(taken);
  }
  return nowUs;
}

inline int64_t readClock(clockid_t clock) {
  timespec now;
  clock_gettime(clock, &now);
  return microseconds(now);
}

// One moment on two clocks: packets are stamped by the one, JavaScript lives by the other.
struct Moment {
  int64_t wallUs = 0, monotonicUs = 0;

  // A thread that lost its processor between the readings reads again.
  static Moment now() {
    Moment moment;
    for (int tries = 0; tries < 5; tries++) {
      moment.monotonicUs = readClock(CLOCK_MONOTONIC);
      moment.wallUs = readClock(CLOCK_REALTIME);
      if (readClock(CLOCK_MONOTONIC) - moment.monotonicUs < 100) break;
    }
    return moment;
  }
};

struct Control {
  alignas(cmsghdr) uint8_t bytes[CMSG_SPACE(sizeof(timespec))];
};

inline double droppedBy(int fd) {
  uint32_t info[SK_MEMINFO_VARS] = {};
  socklen_t length = sizeof info;
  const bool known = getsockopt(fd, SOL_SOCKET, SO_MEMINFO, info, &length) == 0;
  return known && length > SK_MEMINFO_DROPS * sizeof(uint32_t) ? info[SK_MEMINFO_DROPS] : 0;
}

struct Io {
  int epoll = -1;
  uint8_t *block = nullptr;
  std::vector<Socket> sockets;
  std::vector<uint32_t> unused;
  // Sockets that are looked at in their turn, whose turn it is, and for how many it is time.
  std::vector<uint32_t> eased;
  uint32_t turn = 0;
  uint32_t rounds = 0;
  double due = 0;
  // By slot: where a message is received to.
  Address addresses[slots + reserved] = {};
  iovec parts[slots + reserved] = {};
  Control controls[slots + reserved] = {};
  mmsghdr messages[slots + reserved] = {};
  // The next slot to fill, just after the last of this call, the time, and whether more waits than there is room for.
  uint32_t filled = 0, end = 0;
  int64_t nowUs = 0;
  bool more = false;
  Counters counters;

  explicit Io(uint8_t *memory) : block(memory) {
    for (uint32_t slot = 0; slot < slots + reserved; slot++) {
      parts[slot] = {block + slot * slotBytes, slotBytes};
      messages[slot].msg_hdr.msg_iov = &parts[slot];
      messages[slot].msg_hdr.msg_iovlen = 1;
    }
  }

  ~Io() {
    for (const Socket &socket : sockets)
      if (socket.fd >= 0) ::close(socket.fd);
    if (epoll >= 0) ::close(epoll);
  }

  // The number of the socket, or the negative error.
  int32_t open(const std::string &ip, uint32_t port, int bufferBytes) {
    Address address;
    if (!parse(ip, port, address)) return -EINVAL;
    const int family = address.any.sa_family;
    const int fd = ::socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return -errno;
    const int on = 1;
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bufferBytes, sizeof bufferBytes);
    setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
    if (::bind(fd, &address.any, lengthOf(address)) < 0) return failed(fd);
    const uint32_t number = unused.empty() ? static_cast<uint32_t>(sockets.size()) : unused.back();
    if (!watch(fd, number)) return failed(fd);
    if (unused.empty()) sockets.emplace_back();
    else unused.pop_back();
    Socket &socket = sockets[number] = Socket{};
    socket.fd = fd;
    socket.family = family;
    socket.takesMapped = family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&address.v6.sin6_addr);
    return static_cast<int32_t>(number);
  }

  bool watch(int fd, uint32_t number) const {
    epoll_event event = {};
    event.events = EPOLLIN;
    event.data.u32 = number;
    return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0;
  }

  static int32_t failed(int fd) {
    const int error = errno;
    ::close(fd);
    return -error;
  }

  Socket *find(uint32_t number) {
    return number < sockets.size() && sockets[number].fd >= 0 ? &sockets[number] : nullptr;
  }

  void close(uint32_t number) {
    Socket *socket = find(number);
    if (!socket) return;
    forgetPass(*socket);
    if (socket->passedFrom != nobody) forgetPass(sockets[socket->passedFrom]);
    if (socket->eased) leaveTurns(*socket);
    counters.dropped += droppedBy(socket->fd);
    ::close(socket->fd);
    socket->fd = -1;
    unused.push_back(number);
  }

  // Look at the socket in its turn, or when something comes.
  void ease(uint32_t number, bool on) {
    Socket *socket = find(number);
    if (!socket || socket->eased == on) return;
    if (!on) {
      if (watch(socket->fd, number)) leaveTurns(*socket);
      return;
    }
    epoll_ctl(epoll, EPOLL_CTL_DEL, socket->fd, nullptr);
    socket->turn = static_cast<uint32_t>(eased.size());
    socket->eased = true;
    eased.push_back(number);
  }

  void leaveTurns(Socket &socket) {
    sockets[eased.back()].turn = socket.turn;
    eased[socket.turn] = eased.back();
    eased.pop_back();
    socket.eased = false;
  }

  // What is like the last packet of `number` leaves by another socket; the rest of the arguments is in the block.
  void pass(const std::string &ip, uint32_t port) {
    uint32_t words[passWords];
    memcpy(words, block + passAt, sizeof words);
    const uint32_t number = words[0];
    Socket *socket = find(number), *out = find(words[1]);
    if (!socket || !out || socket == out || socket->pass || out->passedFrom != nobody || !out->aimed) return;
    auto pass = std::make_unique<Pass>();
    if (!parse(ip, port, pass->from) || !fit(socket->family, socket->takesMapped, pass->from)) return;
    pass->out = words[1];
    pass->ssrc = words[2];
    pass->outSsrc = words[3];
    pass->payloadType = static_cast<uint8_t>(words[4]);
    pass->outPayloadType = static_cast<uint8_t>(words[5]);
    pass->newest = static_cast<uint16_t>(words[6]);
    pass->sequenceOffset = static_cast<uint16_t>(words[7]);
    pass->timestampOffset = words[8];
    pass->mostBytes = words[9] < keptBytes ? words[9] : keptBytes;
    out->passedFrom = number;
    socket->pass = std::move(pass);
  }

  void forgetPass(Socket &socket) {
    if (!socket.pass) return;
    sockets[socket.pass->out].passedFrom = nobody;
    socket.pass.reset();
  }

  // Where the socket sends to from now on; false when it cannot.
  bool aim(uint32_t number, const std::string &ip, uint32_t port) {
    Socket *socket = find(number);
    if (!socket) return false;
    socket->aimed = port != 0 && parse(ip, port, socket->target) && fit(socket->family, socket->takesMapped, socket->target);
    return socket->aimed;
  }

  void begin(uint32_t from, uint32_t to) {
    filled = from;
    end = to;
    const Moment moment = Moment::now();
    nowUs = moment.wallUs;
    const double monotonicMs = static_cast<double>(moment.monotonicUs) / 1000;
    memcpy(block + momentAt, &monotonicMs, sizeof monotonicMs);
    more = false;
  }

  // Takes what has come, up to a packet a slot, and `share` of what lies in eased sockets.
  uint32_t poll(double share) {
    begin(0, slots);
    epoll_event events[slots];
    for (int idleRounds = 0; filled < end && !more && idleRounds < maxIdleRounds;) {
      const int ready = epoll_wait(epoll, events, static_cast<int>(end - filled), 0);
      if (ready <= 0) break;
      const uint32_t before = filled;
      uint32_t passed = 0;
      for (int i = 0; i < ready && !more; i++) passed += take(events[i].data.u32) ? 1 : 0;
      if (filled == before && passed == 0) idleRounds++;
    }
    if (filled == end) more = true;
    due = std::min(due + share * static_cast<double>(eased.size()), static_cast<double>(eased.size()));
    while (due >= 1 && !more && !eased.empty()) {
      if (turn >= eased.size()) turn = 0;
      const uint32_t number = eased[turn];
      // One that was not looked at for long has more than is taken at once; one that is flooded does not keep the others waiting.
      const bool goesOn = takeMany(sockets[number], number) && ++rounds < mostRounds;
      more = filled == end;
      if (goesOn) continue;
      rounds = 0;
      turn++;
      due--;
    }
    return filled;
  }

  // What waits at this socket, and what went past JavaScript from it and to it: from now on nothing does. Into reserved slots.
  uint32_t drain(uint32_t number) {
    begin(slots, slots + reserved);
    Socket *socket = find(number);
    if (!socket) return 0;
    if (socket->pass) handOver(*socket->pass, number);
    if (socket->passedFrom != nobody) {
      handOver(*sockets[socket->passedFrom].pass, socket->passedFrom);
      forgetPass(sockets[socket->passedFrom]);
    }
    forgetPass(*socket);
    if (socket->eased) takeMany(*socket, number);
    return filled - slots;
  }

  // Takes a packet. True when it left at once by another socket.
  bool take(uint32_t number) {
    Socket &socket = sockets[number];
    // Packets that were handed over may have taken the slots of those that are ready.
    if (filled == end) more = true;
    if (more) return false;
    if (!socket.pass) {
      if (receive(socket, filled)) describe(socket, number, filled++);
      return false;
    }
    // What was kept goes before it.
    const uint32_t slot = filled + keptPackets;
    if (slot >= end) more = true;
    if (more || !receive(socket, slot)) return false;
    uint8_t *packet = block + slot * slotBytes;
    const uint32_t length = messages[slot].msg_len;
    Pass &pass = *socket.pass;
    if (pass.takes(packet, length, addresses[slot])) {
      pass.keep(packet, length, takenAt(messages[slot].msg_hdr, nowUs));
      pass.rewrite(packet);
      send(pass.out, slot * slotBytes, length);
      if (pass.count == keptPackets || nowUs - pass.kept[0].takenUs > longestKeptUs) handOver(pass, number);
      return true;
    }
    handOver(pass, number);
    forgetPass(socket);
    move(slot, filled);
    describe(socket, number, filled++);
    return false;
  }

  // Takes packets of an eased socket; true when there may be more.
  bool takeMany(Socket &socket, uint32_t number) {
    const uint32_t room = std::min(mostAtOnce, end - filled);
    for (uint32_t slot = filled; slot < filled + room; slot++) prepare(slot);
    const int count = receiveMany(socket.fd, messages + filled, room);
    for (int i = 0; i < count; i++) {
      if (messages[filled].msg_len > slotBytes) {
        counters.oversized++;
        described(filled)[0] = -1;
        described(filled++)[1] = 0;
      } else describe(socket, number, filled++);
    }
    return count == static_cast<int>(room);
  }

  void prepare(uint32_t slot) {
    msghdr &message = messages[slot].msg_hdr;
    message.msg_name = &addresses[slot];
    message.msg_namelen = sizeof(Address);
    message.msg_control = &controls[slot];
    message.msg_controllen = sizeof(Control);
  }

  bool receive(const Socket &socket, uint32_t slot) {
    prepare(slot);
    const ssize_t length = receiveOne(socket.fd, &messages[slot].msg_hdr);
    if (length > static_cast<ssize_t>(slotBytes)) counters.oversized++;
    messages[slot].msg_len = static_cast<uint32_t>(length);
    return length >= 0 && length <= static_cast<ssize_t>(slotBytes);
  }

  void move(uint32_t from, uint32_t to) {
    if (from == to) return;
    memcpy(block + to * slotBytes, block + from * slotBytes, messages[from].msg_len);
    addresses[to] = addresses[from];
    controls[to] = controls[from];
    prepare(to);
    messages[to].msg_len = messages[from].msg_len;
    messages[to].msg_hdr.msg_controllen = messages[from].msg_hdr.msg_controllen;
  }

  int32_t *described(uint32_t slot) { return reinterpret_cast<int32_t *>(block + receivedAt) + slot * receivedWords; }

  void describe(Socket &socket, uint32_t number, uint32_t slot) {
    const Address &from = addresses[slot];
    const bool changed = !isSame(from, socket.source);
    if (changed) socket.source = from;
    int32_t *words = described(slot);
    words[0] = static_cast<int32_t>(number);
    words[1] = static_cast<int32_t>(messages[slot].msg_len);
    words[2] = changed ? sourceChanged : 0;
    words[3] = portOf(from);
    words[4] = ageOf(takenAt(messages[slot].msg_hdr, nowUs));
  }

  int32_t ageOf(int64_t takenUs) const {
    const int64_t age = nowUs - takenUs;
    return age > 0 && age < longestWaitUs ? static_cast<int32_t>(age) : 0;
  }

  // What went past JavaScript. Each call finds room for it: `take` and `drain` see to that.
  void handOver(Pass &pass, uint32_t number) {
    for (uint32_t i = 0; i < pass.count; i++, filled++) {
      memcpy(block + filled * slotBytes, pass.kept[i].bytes, pass.kept[i].length);
      int32_t *words = described(filled);
      words[0] = static_cast<int32_t>(number);
      words[1] = static_cast<int32_t>(pass.kept[i].length);
      words[2] = passedOn;
      words[3] = portOf(pass.from);
      words[4] = ageOf(pass.kept[i].takenUs);
    }
    pass.count = 0;
  }

  void send(uint32_t count) {
    const auto *described = reinterpret_cast<const int32_t *>(block + toSendAt);
    for (uint32_t i = 0; i < count && i < maxSent; i++, described += 3) {
      const uint32_t offset = static_cast<uint32_t>(described[1]);
      const uint32_t length = static_cast<uint32_t>(described[2]);
      if (length <= receivedAt && offset <= receivedAt - length) send(static_cast<uint32_t>(described[0]), offset, length);
    }
  }

  void send(uint32_t number, uint32_t offset, uint32_t length) {
    const Socket *socket = find(number);
    if (!socket || !socket->aimed) return;
    // An error that waits on the socket is of a packet before: the call tells it once, and sends nothing.
    if (sendOne(*socket, offset, length) < 0 && (errno != ECONNREFUSED || sendOne(*socket, offset, length) < 0))
      counters.unsent++;
  }

  ssize_t sendOne(const Socket &socket, uint32_t offset, uint32_t length) const {
    return sendTo(socket.fd, block + offset, length, socket.target);
  }
};
