// Addresses of sockets: IPv4, IPv6, and IPv4 as IPv6 has it.
#pragma once
#include <arpa/inet.h>
#include <cstdint>
#include <cstring>
#include <net/if.h>
#include <netinet/in.h>
#include <string>
#include <sys/socket.h>

union Address {
  sockaddr any;
  sockaddr_in v4;
  sockaddr_in6 v6;
};

inline socklen_t lengthOf(const Address &address) {
  return address.any.sa_family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
}

inline bool isSame(const Address &a, const Address &b) {
  if (a.any.sa_family != b.any.sa_family) return false;
  if (a.any.sa_family == AF_INET)
    return a.v4.sin_port == b.v4.sin_port && a.v4.sin_addr.s_addr == b.v4.sin_addr.s_addr;
  return a.v6.sin6_port == b.v6.sin6_port && a.v6.sin6_scope_id == b.v6.sin6_scope_id &&
         memcmp(&a.v6.sin6_addr, &b.v6.sin6_addr, sizeof(in6_addr)) == 0;
}

inline uint16_t portOf(const Address &address) {
  return ntohs(address.any.sa_family == AF_INET ? address.v4.sin_port : address.v6.sin6_port);
}

// Reads a numeric address, `fe80::1%eth0` too.
inline bool parse(const std::string &text, uint32_t port, Address &address) {
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
inline std::string print(const Address &address) {
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
inline bool fit(int family, bool takesMapped, Address &address) {
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
