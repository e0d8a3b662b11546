// What JavaScript calls of io.h, by Node-API, and of disk.h. The first argument of each but `create` and `write` is what
// `create` returned.
//
//   src/media/worker/io/io-native.ts  ─▶  here  ─▶  io.h
#include "disk.h"
#include "io.h"
#include <node_api.h>

namespace {

// Counts up when the interface changes, so that an addon of an older source is not used.
constexpr int32_t interfaceVersion = 7;

// An Io, and what keeps its block alive.
struct Held : Io {
  using Io::Io;
  napi_ref memory = nullptr;
};

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
    return *static_cast<Held *>(data);
  }

  uint32_t number(int index) const {
    uint32_t value = 0;
    napi_get_value_uint32(env, arguments[index], &value);
    return value;
  }

  double fraction(int index) const {
    double value = 0;
    napi_get_value_double(env, arguments[index], &value);
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
  Held *io = static_cast<Held *>(data);
  napi_delete_reference(env, io->memory);
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
  Held *io = new Held(static_cast<uint8_t *>(block));
  io->epoll = epoll;
  napi_create_reference(env, call.arguments[0], 1, &io->memory);
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

// poll(io, share): how many slots were filled, with that share of eased sockets; less one, and negative, when more waits.
napi_value poll(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  Io &io = call.io();
  const int32_t filled = static_cast<int32_t>(io.poll(call.fraction(1)));
  return call.answer(io.more ? -filled - 1 : filled);
}

// drain(io, socket): how many reserved slots were filled; again while all are.
napi_value drain(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  return call.answer(static_cast<int32_t>(call.io().drain(call.number(1))));
}

// now(io): the monotonic clock, ms.
napi_value now(napi_env env, napi_callback_info) {
  napi_value result = nullptr;
  napi_create_double(env, static_cast<double>(readClock(CLOCK_MONOTONIC)) / 1000, &result);
  return result;
}

// ease(io, socket, on)
napi_value ease(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  call.io().ease(call.number(1), call.number(2) != 0);
  return nullptr;
}

// pass(io, ip, port): from where; the rest is in the block, in the order of Io::pass.
napi_value pass(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  call.io().pass(call.text(1), call.number(2));
  return nullptr;
}

// source(io, slot): the address from which the packet in this slot came.
napi_value source(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  const std::string text = print(call.io().addresses[call.number(1) % (slots + reserved)]);
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
  } functions[] = {{"create", create}, {"open", open},   {"close", close}, {"aim", aim},       {"ease", ease},        {"pass", pass},
                   {"poll", poll},     {"drain", drain}, {"send", send},   {"source", source}, {"counters", counters},
                   {"write", writeAll}, {"now", now}};
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
