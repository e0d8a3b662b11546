// Packet input and output of one media worker: many UDP sockets, one epoll, one block of memory shared with JavaScript.
//
//   src/media/worker/io-native.ts  ── open, aim, poll, send, close ─▶  here  ── epoll, recvmsg, sendto ─▶  kernel
//
// poll() takes what has come into slots of the shared block and describes it there; send() sends what JavaScript described
// there. So a batch of packets costs one call, and no object is made for any of them. There are no threads and no globals:
// a worker has its own Io, and its end closes the sockets.
//
// The block, in bytes; io-native.ts has the same layout:
//   0             received: slots * slotBytes
//   sentAt        sent: bytes that JavaScript copied here
//   receivedAt    int32[slots][5]: socket, length, 1 when the source is not that of the socket's packet before, its port, and
//                 how long ago the kernel took it, µs
//   toSendAt      int32[][3]: socket, offset in the block, length
#include <arpa/inet.h>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <fcntl.h>
#include <linux/sock_diag.h>
#include <net/if.h>
#include <netinet/in.h>
#include <node_api.h>
#include <string>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <vector>

namespace {

// Counts up when the interface changes, so that an addon of an older source is not used.
constexpr int32_t interfaceVersion = 3;

constexpr uint32_t slots = 64;
constexpr uint32_t slotBytes = 2048;
constexpr uint32_t sentBytes = 128 * 1024;
constexpr uint32_t maxSent = 256;
constexpr uint32_t sentAt = slots * slotBytes;
constexpr uint32_t receivedAt = sentAt + sentBytes;
constexpr uint32_t receivedWords = 5;
constexpr uint32_t toSendAt = receivedAt + slots * receivedWords * sizeof(int32_t);
constexpr uint32_t blockBytes = toSendAt + maxSent * 3 * sizeof(int32_t);

// No packet waits for longer in the buffer of a socket: whoever says so has set the clock of the machine.
constexpr int64_t longestWaitUs = 60000000;

// Rounds of one poll in which sockets had errors instead of packets, before it returns.
constexpr int maxIdleRounds = 4;

union Address {
  sockaddr any;
  sockaddr_in v4;
  sockaddr_in6 v6;
};

socklen_t lengthOf(const Address &address) {
  return address.any.sa_family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
}

bool isSame(const Address &a, const Address &b) {
  if (a.any.sa_family != b.any.sa_family) return false;
  if (a.any.sa_family == AF_INET)
    return a.v4.sin_port == b.v4.sin_port && a.v4.sin_addr.s_addr == b.v4.sin_addr.s_addr;
  return a.v6.sin6_port == b.v6.sin6_port && a.v6.sin6_scope_id == b.v6.sin6_scope_id &&
         memcmp(&a.v6.sin6_addr, &b.v6.sin6_addr, sizeof(in6_addr)) == 0;
}

uint16_t portOf(const Address &address) {
  return ntohs(address.any.sa_family == AF_INET ? address.v4.sin_port : address.v6.sin6_port);
}

// Reads a numeric address, `fe80::1%eth0` too.
bool parse(const std::string &text, uint32_t port, Address &address) {
  memset(&address, 0, sizeof address);
  if (port > 0xffff) return false;
  if (inet_pton(AF_INET, text.c_str(), &address.v4.sin_addr) == 1) {
    address.v4.sin_family = AF_INET;
    address.v4.sin_port = htons(static_cast<uint16_t>(port));
    return true;
  }
  const size_t percent = text.find('%');
  if (inet_pton(AF_INET6, text.substr(0, percent).c_str(), &address.v6.sin6_addr) != 1) return false;
  address.v6.sin6_family = AF_INET6;
  address.v6.sin6_port = htons(static_cast<uint16_t>(port));
  if (percent != std::string::npos) address.v6.sin6_scope_id = if_nametoindex(text.c_str() + percent + 1);
  return true;
}

// IPv4 in its own form, also when it came through a socket of IPv6.
std::string print(const Address &address) {
  char text[INET6_ADDRSTRLEN] = "";
  if (address.any.sa_family == AF_INET) return inet_ntop(AF_INET, &address.v4.sin_addr, text, sizeof text);
  const in6_addr &ip = address.v6.sin6_addr;
  if (IN6_IS_ADDR_V4MAPPED(&ip)) return inet_ntop(AF_INET, &ip.s6_addr[12], text, sizeof text);
  std::string printed = inet_ntop(AF_INET6, &ip, text, sizeof text);
  char name[IF_NAMESIZE];
  if (IN6_IS_ADDR_LINKLOCAL(&ip) && if_indextoname(address.v6.sin6_scope_id, name)) printed += '%' + std::string(name);
  return printed;
}

// What an address has to be for a socket of this family; false when it cannot be reached from there.
bool fit(int family, bool takesMapped, Address &address) {
  if (address.any.sa_family == family) return true;
  if (family != AF_INET6 || !takesMapped) return false;
  Address mapped = {};
  mapped.v6.sin6_family = AF_INET6;
  mapped.v6.sin6_port = address.v4.sin_port;
  mapped.v6.sin6_addr.s6_addr[10] = mapped.v6.sin6_addr.s6_addr[11] = 0xff;
  memcpy(&mapped.v6.sin6_addr.s6_addr[12], &address.v4.sin_addr, 4);
  address = mapped;
  return true;
}

struct Socket {
  int fd = -1;
  int family = AF_INET;
  // Bound to `::`: IPv4 comes in mapped.
  bool takesMapped = false;
  bool aimed = false;
  Address source = {};
  Address target = {};
};

struct Counters {
  double oversized = 0;
  double unsent = 0;
  // By the kernel, for want of room in a socket's buffer; of sockets that are closed.
  double dropped = 0;
};

int64_t microseconds(const timespec &time) { return int64_t{time.tv_sec} * 1000000 + time.tv_nsec / 1000; }

// How long before `nowUs` the kernel took this message; 0 where it does not tell.
int32_t ageOf(msghdr &message, int64_t nowUs) {
  for (cmsghdr *part = CMSG_FIRSTHDR(&message); part; part = CMSG_NXTHDR(&message, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SO_TIMESTAMPNS) continue;
    timespec taken;
    memcpy(&taken, CMSG_DATA(part), sizeof taken);
    const int64_t age = nowUs - microseconds(taken);
    return age > 0 && age < longestWaitUs ? static_cast<int32_t>(age) : 0;
  }
  return 0;
}

double droppedBy(int fd) {
  uint32_t info[SK_MEMINFO_VARS] = {};
  socklen_t length = sizeof info;
  const bool known = getsockopt(fd, SOL_SOCKET, SO_MEMINFO, info, &length) == 0;
  return known && length > SK_MEMINFO_DROPS * sizeof(uint32_t) ? info[SK_MEMINFO_DROPS] : 0;
}

struct Io {
  int epoll = -1;
  uint8_t *block = nullptr;
  napi_ref blockReference = nullptr;
  std::vector<Socket> sockets;
  std::vector<uint32_t> unused;
  Address addresses[slots] = {};
  Counters counters;

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
    epoll_event event = {};
    event.events = EPOLLIN;
    event.data.u32 = number;
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0) return failed(fd);
    if (unused.empty()) sockets.emplace_back();
    else unused.pop_back();
    Socket &socket = sockets[number] = Socket{};
    socket.fd = fd;
    socket.family = family;
    socket.takesMapped = family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&address.v6.sin6_addr);
    return static_cast<int32_t>(number);
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
    counters.dropped += droppedBy(socket->fd);
    ::close(socket->fd);
    socket->fd = -1;
    unused.push_back(number);
  }

  // Where the socket sends to from now on; false when it cannot.
  bool aim(uint32_t number, const std::string &ip, uint32_t port) {
    Socket *socket = find(number);
    if (!socket) return false;
    socket->aimed = port != 0 && parse(ip, port, socket->target) && fit(socket->family, socket->takesMapped, socket->target);
    return socket->aimed;
  }

  // Takes what has come, up to a packet a slot; fewer than `slots` when nothing is left.
  uint32_t poll() {
    auto *described = reinterpret_cast<int32_t *>(block + receivedAt);
    epoll_event events[slots];
    timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    const int64_t nowUs = microseconds(now);
    uint32_t filled = 0;
    for (int idleRounds = 0; filled < slots && idleRounds < maxIdleRounds;) {
      const int ready = epoll_wait(epoll, events, static_cast<int>(slots - filled), 0);
      if (ready <= 0) break;
      const uint32_t before = filled;
      for (int i = 0; i < ready; i++) {
        if (receive(events[i].data.u32, filled, described + filled * receivedWords, nowUs)) filled++;
      }
      if (filled == before) idleRounds++;
    }
    return filled;
  }

  bool receive(uint32_t number, uint32_t slot, int32_t *described, int64_t nowUs) {
    Socket &socket = sockets[number];
    Address &from = addresses[slot];
    iovec into = {block + slot * slotBytes, slotBytes};
    alignas(cmsghdr) uint8_t control[CMSG_SPACE(sizeof(timespec))];
    msghdr message = {};
    message.msg_name = &from;
    message.msg_namelen = sizeof from;
    message.msg_iov = &into;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    const ssize_t length = recvmsg(socket.fd, &message, MSG_TRUNC);
    if (length < 0) return false;
    if (length > static_cast<ssize_t>(slotBytes)) {
      counters.oversized++;
      return false;
    }
    const bool changed = !isSame(from, socket.source);
    if (changed) socket.source = from;
    described[0] = static_cast<int32_t>(number);
    described[1] = static_cast<int32_t>(length);
    described[2] = changed ? 1 : 0;
    described[3] = portOf(from);
    described[4] = ageOf(message, nowUs);
    return true;
  }

  void send(uint32_t count) {
    const auto *described = reinterpret_cast<const int32_t *>(block + toSendAt);
    for (uint32_t i = 0; i < count && i < maxSent; i++, described += 3) {
      Socket *socket = find(static_cast<uint32_t>(described[0]));
      const uint32_t offset = static_cast<uint32_t>(described[1]);
      const uint32_t length = static_cast<uint32_t>(described[2]);
      if (!socket || !socket->aimed || length > receivedAt || offset > receivedAt - length) continue;
      // An error that waits on the socket is of a packet before: the call tells it once, and sends nothing.
      if (sendOne(*socket, offset, length) < 0 && (errno != ECONNREFUSED || sendOne(*socket, offset, length) < 0))
        counters.unsent++;
    }
  }

  ssize_t sendOne(const Socket &socket, uint32_t offset, uint32_t length) const {
    return sendto(socket.fd, block + offset, length, 0, &socket.target.any, lengthOf(socket.target));
  }
};

// --- What JavaScript calls. The first argument of each but `create` is what `create` returned. ---

struct Call {
  napi_env env;
  napi_value arguments[4] = {};

  Call(napi_env environment, napi_callback_info info) : env(environment) {
    size_t count = 4;
    napi_get_cb_info(env, info, &count, arguments, nullptr, nullptr);
  }

  Io &io() const {
    void *data = nullptr;
    napi_get_value_external(env, arguments[0], &data);
    return *static_cast<Io *>(data);
  }

  uint32_t number(int index) const {
    uint32_t value = 0;
    napi_get_value_uint32(env, arguments[index], &value);
    return value;
  }

  std::string text(int index) const {
    char value[INET6_ADDRSTRLEN + IF_NAMESIZE] = "";
    size_t length = 0;
    napi_get_value_string_utf8(env, arguments[index], value, sizeof value, &length);
    return {value, length};
  }

  napi_value answer(int32_t value) const {
    napi_value result = nullptr;
    napi_create_int32(env, value, &result);
    return result;
  }
};

void freeIo(napi_env env, void *data, void *) {
  Io *io = static_cast<Io *>(data);
  napi_delete_reference(env, io->blockReference);
  delete io;
}

// create(block: ArrayBuffer): the Io; undefined when the block is too small or the kernel gives no epoll.
napi_value create(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  void *block = nullptr;
  size_t length = 0;
  if (napi_get_arraybuffer_info(env, call.arguments[0], &block, &length) != napi_ok || length < blockBytes) return nullptr;
  const int epoll = epoll_create1(EPOLL_CLOEXEC);
  if (epoll < 0) return nullptr;
  Io *io = new Io;
  io->epoll = epoll;
  io->block = static_cast<uint8_t *>(block);
  napi_create_reference(env, call.arguments[0], 1, &io->blockReference);
  napi_value result = nullptr;
  napi_create_external(env, io, freeIo, nullptr, &result);
  return result;
}

// open(io, ip, port, receiveBufferBytes): the socket's number, or a negative errno.
napi_value open(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  return call.answer(call.io().open(call.text(1), call.number(2), static_cast<int>(call.number(3))));
}

napi_value close(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  call.io().close(call.number(1));
  return nullptr;
}

// aim(io, socket, ip, port): 1 when packets can be sent there from this socket, else 0.
napi_value aim(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  return call.answer(call.io().aim(call.number(1), call.text(2), call.number(3)) ? 1 : 0);
}

// poll(io): how many slots were filled.
napi_value poll(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  return call.answer(static_cast<int32_t>(call.io().poll()));
}

// source(io, slot): the address from which the packet in this slot came.
napi_value source(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  const std::string text = print(call.io().addresses[call.number(1) % slots]);
  napi_value result = nullptr;
  napi_create_string_latin1(env, text.data(), text.size(), &result);
  return result;
}

// send(io, count)
napi_value send(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  call.io().send(call.number(1));
  return nullptr;
}

// counters(io): [oversized, unsent, dropped]
napi_value counters(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  const Io &io = call.io();
  double dropped = io.counters.dropped;
  for (const Socket &socket : io.sockets)
    if (socket.fd >= 0) dropped += droppedBy(socket.fd);
  const double values[] = {io.counters.oversized, io.counters.unsent, dropped};
  napi_value result = nullptr;
  napi_create_array_with_length(env, 3, &result);
  for (uint32_t i = 0; i < 3; i++) {
    napi_value value = nullptr;
    napi_create_double(env, values[i], &value);
    napi_set_element(env, result, i, value);
  }
  return result;
}

} // namespace

NAPI_MODULE_INIT() {
  const struct {
    const char *name;
    napi_callback function;
  } functions[] = {{"create", create}, {"open", open}, {"close", close},   {"aim", aim},
                   {"poll", poll},     {"send", send}, {"source", source}, {"counters", counters}};
  for (const auto &[name, function] : functions) {
    napi_value value = nullptr;
    napi_create_function(env, name, NAPI_AUTO_LENGTH, function, nullptr, &value);
    napi_set_named_property(env, exports, name, value);
  }
  napi_value version = nullptr;
  napi_create_int32(env, interfaceVersion, &version);
  napi_set_named_property(env, exports, "version", version);
  return exports;
}
