// Writes of many files in one piece of work of libuv's threads: to wake one costs more than to write.
//
//   src/media/worker/recording/disk.ts  ── files, positions, bytes ─▶  here  ── pwrite, on another thread ─▶  disk
//                                       ◀─ an errno each ─────────
#pragma once
#include <cerrno>
#include <cstdint>
#include <node_api.h>
#include <unistd.h>
#include <vector>

struct Piece {
  int fd;
  int64_t position;
  const uint8_t *bytes;
  size_t length;
  int32_t error;

  void write() {
    for (error = 0; length > 0;) {
      const ssize_t written = pwrite(fd, bytes, length, position);
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) {
        error = written < 0 ? errno : EIO;
        return;
      }
      bytes += written;
      position += written;
      length -= static_cast<size_t>(written);
    }
  }
};

struct Writing {
  std::vector<Piece> pieces;
  napi_async_work work = nullptr;
  // Keep the bytes, and who is told, alive until all is written.
  napi_ref bytes = nullptr, done = nullptr;

  static void execute(napi_env, void *data) {
    for (Piece &piece : static_cast<Writing *>(data)->pieces) piece.write();
  }

  static void complete(napi_env env, napi_status, void *data) {
    Writing *writing = static_cast<Writing *>(data);
    napi_handle_scope scope;
    napi_open_handle_scope(env, &scope);
    napi_value done = nullptr, global = nullptr, errors = nullptr;
    napi_get_reference_value(env, writing->done, &done);
    napi_get_global(env, &global);
    napi_create_array_with_length(env, writing->pieces.size(), &errors);
    for (uint32_t i = 0; i < writing->pieces.size(); i++) {
      napi_value error = nullptr;
      napi_create_int32(env, writing->pieces[i].error, &error);
      napi_set_element(env, errors, i, error);
    }
    napi_delete_reference(env, writing->bytes);
    napi_delete_reference(env, writing->done);
    napi_delete_async_work(env, writing->work);
    delete writing;
    napi_call_function(env, global, done, 1, &errors, nullptr);
    napi_close_handle_scope(env, scope);
  }
};

// write(places: Float64Array of a file and a position for each, bytes: Uint8Array[], done: (errors: number[]) => void)
inline napi_value writeAll(napi_env env, napi_callback_info info) {
  napi_value arguments[3] = {};
  size_t count = 3;
  napi_get_cb_info(env, info, &count, arguments, nullptr, nullptr);
  void *data = nullptr;
  size_t places = 0;
  uint32_t pieces = 0;
  napi_typedarray_type type;
  if (napi_get_typedarray_info(env, arguments[0], &type, &places, &data, nullptr, nullptr) != napi_ok || type != napi_float64_array ||
      napi_get_array_length(env, arguments[1], &pieces) != napi_ok || places < 2 * size_t{pieces}) {
    napi_throw_type_error(env, nullptr, "a place for each piece");
    return nullptr;
  }
  const double *place = static_cast<const double *>(data);
  Writing *writing = new Writing;
  writing->pieces.reserve(pieces);
  for (uint32_t i = 0; i < pieces; i++) {
    napi_value bytes = nullptr;
    void *at = nullptr;
    size_t length = 0;
    napi_get_element(env, arguments[1], i, &bytes);
    if (napi_get_typedarray_info(env, bytes, &type, &length, &at, nullptr, nullptr) != napi_ok || type != napi_uint8_array) length = 0;
    writing->pieces.push_back({static_cast<int>(place[2 * i]), static_cast<int64_t>(place[2 * i + 1]), static_cast<uint8_t *>(at), length, 0});
  }
  napi_value name = nullptr;
  napi_create_string_latin1(env, "patchbay.write", NAPI_AUTO_LENGTH, &name);
  napi_create_reference(env, arguments[1], 1, &writing->bytes);
  napi_create_reference(env, arguments[2], 1, &writing->done);
  napi_create_async_work(env, nullptr, name, Writing::execute, Writing::complete, writing, &writing->work);
  napi_queue_async_work(env, writing->work);
  return nullptr;
}
