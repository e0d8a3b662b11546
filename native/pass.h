// What goes straight from one socket to another, as JavaScript has said it: the packets of one stream from one source, with
// other numbers in their headers. src/media/worker/outgoing.ts made the rule, and comes to the same numbers when it sees the copies.
#pragma once
#include "address.h"

// Packets of a pass that are kept until JavaScript has them, and how long; longer ones end it. 160 ms of usual speech.
constexpr uint32_t keptPackets = 8;
constexpr uint32_t keptBytes = 512;
constexpr int64_t longestKeptUs = 250000;

// How far a packet of a pass may be from the newest before it.
constexpr int mostLate = 50;
constexpr int mostAhead = 200;

constexpr uint32_t rtpHeaderBytes = 12;
constexpr uint32_t nobody = UINT32_MAX;

inline uint16_t read16(const uint8_t *at) { return static_cast<uint16_t>(at[0] << 8 | at[1]); }

inline uint32_t read32(const uint8_t *at) { return uint32_t{read16(at)} << 16 | read16(at + 2); }

inline void write16(uint8_t *at, uint32_t value) {
  at[0] = static_cast<uint8_t>(value >> 8);
  at[1] = static_cast<uint8_t>(value);
}

inline void write32(uint8_t *at, uint32_t value) {
  write16(at, value >> 16);
  write16(at + 2, value);
}

struct Kept {
  int64_t takenUs;
  uint32_t length;
  uint8_t bytes[keptBytes];
};

// What goes straight from one socket to another; what is kept JavaScript has not seen yet.
struct Pass {
  uint32_t out = nobody;
  Address from = {};
  uint32_t mostBytes = 0;
  uint32_t ssrc = 0, outSsrc = 0, timestampOffset = 0;
  uint16_t newest = 0, sequenceOffset = 0;
  uint8_t payloadType = 0, outPayloadType = 0;
  uint32_t count = 0;
  Kept kept[keptPackets];

  // RFC 3550 §5.1: version 2, and neither padding, extension nor contributing sources.
  bool takes(const uint8_t *packet, uint32_t length, const Address &source) const {
    if (length < rtpHeaderBytes || length > mostBytes || packet[0] != 0x80) return false;
    if ((packet[1] & 0x7f) != payloadType || read32(packet + 8) != ssrc || !isSame(source, from)) return false;
    const int ahead = static_cast<int16_t>(read16(packet + 2) - newest);
    return ahead >= -mostLate && ahead <= mostAhead;
  }

  void keep(const uint8_t *packet, uint32_t length, int64_t takenUs) {
    Kept &next = kept[count++];
    next.takenUs = takenUs;
    next.length = length;
    memcpy(next.bytes, packet, length);
  }

  void rewrite(uint8_t *packet) {
    const uint16_t sequence = read16(packet + 2);
    if (static_cast<int16_t>(sequence - newest) > 0) newest = sequence;
    packet[1] = static_cast<uint8_t>((packet[1] & 0x80) | outPayloadType);
    write16(packet + 2, sequence + sequenceOffset);
    write32(packet + 4, read32(packet + 4) + timestampOffset);
    write32(packet + 8, outSsrc);
  }
};
